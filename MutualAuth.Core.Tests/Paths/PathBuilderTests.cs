using CsCheck;
using MutualAuth.Certificates;
using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using GeneralName = MutualAuth.Testing.GeneralName;

namespace MutualAuth.Tests.Paths;

/// <summary>The search itself: many issuers of one name, bridges, circles, and its bounds.</summary>
public sealed class PathBuilderTests
{
    [Test]
    public void Of_two_issuers_with_one_key_the_one_that_leads_to_an_anchor_is_found()
    {
        using var trusted = new TestAuthority("Trusted");
        using var unknown = new TestAuthority("Unknown");
        using var issuing = unknown.IssueIntermediate("Issuing");
        using var bridge = trusted.CrossSign(issuing);
        using var leaf = issuing.IssueClient("client.test");

        var result = TestPaths.Validate(leaf, [issuing.Read(), bridge.Read()], TestPaths.Trusting(trusted));

        result.Path.Should().Equal(leaf.Read(), bridge.Read(), trusted.Read());
    }

    [Test]
    public void A_path_is_found_beside_a_bridge_that_fails()
    {
        using var root = new TestAuthority("Root");
        using var issuing = root.IssueIntermediate("Issuing");
        using var expired = root.CrossSign(issuing, spec => spec with { NotAfter = spec.NotBefore.AddHours(1) });
        using var narrow = root.CrossSign(issuing, spec => spec with { NameConstraints = new() { Excluded = [GeneralName.Dns("test")] } });
        using var leaf = issuing.IssueClient("client.test");

        TestPaths.Validate(leaf, [expired.Read(), narrow.Read(), issuing.Read()], TestPaths.Trusting(root)).Path.Should().Equal(
            leaf.Read(), issuing.Read(), root.Read());
        TestPaths.Validate(leaf, [expired.Read(), narrow.Read()], TestPaths.Trusting(root)).Reason().Should().Be(
            RejectionReason.NameConstraintViolated);
    }

    [Test]
    public void Authorities_that_certify_each_other_are_no_trap()
    {
        using var trusted = new TestAuthority("Trusted");
        using var a = new TestAuthority("A");
        using var b = new TestAuthority("B");
        using var ab = a.CrossSign(b);
        using var ba = b.CrossSign(a);
        using var way = trusted.CrossSign(b);
        using var leaf = a.IssueClient("client.test");

        TestPaths.Validate(leaf, [a.Read(), b.Read(), ab.Read(), ba.Read(), way.Read()], TestPaths.Trusting(trusted)).Rejection.Should().BeNull();
        TestPaths.Validate(leaf, [a.Read(), b.Read(), ab.Read(), ba.Read()], TestPaths.Trusting(trusted)).Reason().Should().Be(
            RejectionReason.UnknownAuthority);
    }

    [Test]
    public void Verdict_reason_and_path_do_not_depend_on_the_order_of_what_was_sent()
    {
        using var trusted = new TestAuthority("Trusted");
        using var other = new TestAuthority("Other");
        using var a = trusted.IssueIntermediate("A");
        using var b = a.IssueIntermediate("B");
        using var crossA = other.CrossSign(a);
        using var crossB = trusted.CrossSign(b);
        using var lateB = trusted.CrossSign(b, spec => spec with { NotBefore = spec.NotAfter.AddDays(-1) });
        using var leaf = b.IssueClient("client.test");
        using var unfit = lateB.IssueClient("unfit.test");
        Certificate[] all = [a.Read(), b.Read(), crossA.Read(), crossB.Read(), lateB.Read(), trusted.Read(), leaf.Read()];
        Certificate[] poor = [lateB.Read(), crossA.Read(), other.Read()];
        var trust = TestPaths.Trusting(trusted);
        var now = TimeProvider.System.GetUtcNow(); // one moment for all: rejections tell it
        var path = TestPaths.Validate(leaf, all, trust, at: now).Path;
        var rejection = TestPaths.Validate(unfit, poor, trust, at: now).Rejection;

        path.Should().NotBeEmpty();
        rejection.Should().NotBeNull();
        Gen.Shuffle(all).Sample(sent => TestPaths.Validate(leaf, sent, trust, at: now).Path.SequenceEqual(path), iter: 100);
        Gen.Shuffle(poor).Sample(sent => TestPaths.Validate(unfit, sent, trust, at: now).Rejection == rejection, iter: 30);
    }

    [Test]
    public void A_maze_that_leads_nowhere_ends_at_the_budget()
    {
        using var root = new TestAuthority("Root");
        var layers =
            Enumerable.Range(0, 6).Select(layer => Enumerable.Range(0, 5).Select(i => new TestAuthority($"Layer {layer}")).ToArray()).ToArray();
        var maze = layers.Zip(layers.Skip(1))
            .SelectMany(pair => pair.Second.SelectMany(upper => pair.First.Select(lower => upper.CrossSign(lower).Read())))
            .ToList();
        using var leaf = layers[0][0].IssueClient("client.test");

        TestPaths.Validate(leaf, maze.Take(60), TestPaths.Trusting(root)).Reason().Should().BeOneOf(
            RejectionReason.UnknownAuthority, RejectionReason.BudgetExceeded);
        TestPaths.Validate(leaf, maze.Take(60), TrustAnchors.FromDer([.. layers[5].Select(top => top.AsCertificate.RawCertificate)]),
            ValidationProfile.MutualTls with { Budget = new() { SignatureChecks = 3 } }).Reason().Should().Be(RejectionReason.BudgetExceeded);
    }

    [Test]
    public void More_certificates_than_the_budget_allows_are_not_looked_at()
    {
        using var root = new TestAuthority("Root");
        using var leaf = root.IssueClient("client.test");
        var profile = ValidationProfile.MutualTls with { Budget = new() { Certificates = 2 } };

        TestPaths.Validate(leaf, [root.Read()], TestPaths.Trusting(root), profile).Rejection.Should().BeNull();
        TestPaths.Validate(leaf, [root.Read(), root.Read()], TestPaths.Trusting(root), profile).Reason().Should().Be(
            RejectionReason.TooManyCertificates);
    }

    [Test]
    public void More_octets_than_the_budget_allows_are_not_looked_at()
    {
        using var root = new TestAuthority("Root");
        using var leaf = root.IssueClient("client.test");
        var size = leaf.RawCertificate.Length;

        TestPaths.Validate(leaf, [], TestPaths.Trusting(root), ValidationProfile.MutualTls with { Budget = new() { Bytes = size } }).Rejection
            .Should().BeNull();
        TestPaths.Validate(leaf, [], TestPaths.Trusting(root), ValidationProfile.MutualTls with { Budget = new() { Bytes = size - 1 } })
            .Reason()
            .Should().Be(RejectionReason.BudgetExceeded);
    }

    [Test]
    public void More_names_than_the_budget_allows_are_not_compared()
    {
        using var root = new TestAuthority("Root", spec => spec with { NameConstraints = new() { Permitted = [GeneralName.Dns("test")] } });
        using var leaf = root.Issue(spec => spec with { DnsNames = [.. Enumerable.Range(0, 50).Select(i => $"n{i}.test")] });

        TestPaths.Validate(leaf, TestPaths.Trusting(root), ValidationProfile.MutualTls with { Budget = new() { NameComparisons = 100 } }).Rejection
            .Should().BeNull();
        TestPaths.Validate(leaf, TestPaths.Trusting(root), ValidationProfile.MutualTls with { Budget = new() { NameComparisons = 40 } })
            .Reason()
            .Should().Be(RejectionReason.BudgetExceeded);
    }

    [Test]
    public void A_revoked_authority_ends_its_path_and_no_other()
    {
        using var root = new TestAuthority("Root");
        using var issuing = root.IssueIntermediate("Issuing");
        using var renewed = root.CrossSign(issuing);
        using var leaf = issuing.IssueClient("client.test");
        var revocation = new RevokedList(issuing.Read());

        Validate(leaf, [issuing.Read(), renewed.Read()]).Path.Should().Equal(leaf.Read(), renewed.Read(), root.Read());
        Validate(leaf, [issuing.Read()]).Reason().Should().Be(RejectionReason.CertificateRevoked);

        PathResult Validate(TestCertificate certificate, IReadOnlyList<Certificate> presented) =>
            new PathValidator().Validate(
                certificate.Read(), presented, TestPaths.Trusting(root), PeerRole.Client, TimeProvider.System.GetUtcNow(), revocation);
    }

    private sealed class RevokedList(Certificate revoked) : IRevocationSource
    {
        public Rejection? Check(IReadOnlyList<Certificate> path, int index, CandidatePool? pool, DateTimeOffset at) =>
            path[index].Equals(revoked) ? new Rejection(RejectionReason.CertificateRevoked, "a certificate that is good", "a revoked one") : null;
    }
}
