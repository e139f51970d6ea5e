using MutualAuth.Certificates;
using MutualAuth.Collections;
using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Paths;

/// <summary>What is remembered between validations must never change a verdict.</summary>
public sealed class VerifiedCertificateCacheTests
{
    private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();
    private TestAuthority _root = null!;

    [OneTimeSetUp]
    public void Make_the_root() => _root = new TestAuthority("Root");

    [OneTimeTearDown]
    public void Dispose_of_the_root() => _root.Dispose();

    [TestCase(0, 0)]
    [TestCase(1, 1)]
    [TestCase(256, 3)]
    public void It_holds_at_most_two_generations_of_its_capacity(int capacity, int atLeast)
    {
        var validator = new PathValidator(null, capacity, capacity);

        for (var i = 0; i < 3; i++)
        {
            using var intermediate = _root.IssueIntermediate($"Intermediate {i}");
            using var leaf = intermediate.IssueClient("client.test");
            Validate(validator, leaf, intermediate.Read()).Rejection.Should().BeNull();
            Validate(validator, leaf, intermediate.Read()).Rejection.Should().BeNull();
        }

        var (least, most) = (Math.Min(atLeast, CacheSize.Of(capacity)), 2 * (CacheSize.Of(capacity) + 1));
        validator.Authorities.Count.Should().BeInRange(least, most);
        validator.Peers.Count.Should().BeInRange(least, most);
    }

    [Test]
    public void Nothing_of_a_path_that_was_rejected_is_remembered()
    {
        var validator = new PathValidator();
        using var stranger = new TestAuthority("Stranger");
        using var intermediate = stranger.IssueIntermediate("Intermediate");
        using var leaf = intermediate.IssueClient("client.test");

        Validate(validator, leaf, intermediate.Read(), stranger.Read()).Rejection.Should().NotBeNull();

        validator.Authorities.Count.Should().Be(0);
        validator.Peers.Count.Should().Be(0);
    }

    [Test]
    public void A_remembered_intermediate_still_needs_an_anchor()
    {
        var validator = new PathValidator();
        using var other = new TestAuthority("Other");
        using var intermediate = _root.IssueIntermediate("Intermediate");
        using var leaf = intermediate.IssueClient("client.test");
        Validate(validator, leaf, intermediate.Read()).Rejection.Should().BeNull();

        var result = validator.Validate(leaf.Read(), [intermediate.Read()], TestPaths.Trusting(other), PeerRole.Client, _now);

        result.Reason().Should().Be(RejectionReason.UnknownAuthority);
    }

    [Test]
    public void A_remembered_intermediate_vouches_for_nothing_that_its_key_did_not_sign()
    {
        var validator = new PathValidator();
        using var intermediate = _root.IssueIntermediate("Intermediate");
        using var good = intermediate.IssueClient("client.test");
        using var forged = intermediate.Issue(spec => spec with { CorruptSignature = true });
        Validate(validator, good, intermediate.Read()).Rejection.Should().BeNull();

        Validate(validator, forged, intermediate.Read()).Reason().Should().Be(RejectionReason.SignatureInvalid);
    }

    [Test]
    public void A_remembered_peer_is_found_by_all_of_its_octets_and_no_others()
    {
        var validator = new PathValidator(null, 4, 4);
        using var leaf = _root.IssueClient("client.test");
        Validate(validator, leaf).Rejection.Should().BeNull();
        var octets = leaf.RawCertificate.ToArray();
        var remembers = CacheSize.Limit > 0;

        (validator.Peers.Find(octets) is not null).Should().Be(remembers);
        for (var at = 0; at < octets.Length; at++)
        {
            octets[at] ^= 1;
            validator.Peers.Find(octets).Should().BeNull();
            octets[at] ^= 1;
        }

        validator.Peers.Find(octets.AsSpan(1)).Should().BeNull();
        validator.Peers.Find([.. octets, 0]).Should().BeNull();
    }

    [Test]
    public void A_remembered_peer_needs_its_anchor_its_dates_and_its_purpose_as_on_the_first_day()
    {
        var validator = new PathValidator();
        using var other = new TestAuthority("Root");
        using var leaf = _root.IssueClient("client.test");
        Validate(validator, leaf).Rejection.Should().BeNull();

        validator.Validate(leaf.Read(), [], TestPaths.Trusting(other), PeerRole.Client, _now).Rejection.Should().NotBeNull();
        validator.Validate(leaf.Read(), [], TestPaths.Trusting(_root), PeerRole.Client, leaf.Read().NotAfter.AddSeconds(1)).Reason().Should().Be(
            RejectionReason.CertificateExpired);
        validator.Validate(leaf.Read(), [], TestPaths.Trusting(_root), PeerRole.Server, _now).Reason().Should().Be(RejectionReason.WrongUsage);
        Validate(validator, leaf).Rejection.Should().BeNull();
    }

    [Test]
    public void Many_peers_do_not_displace_the_authorities()
    {
        var validator = new PathValidator(null, 2, 2);
        using var intermediate = _root.IssueIntermediate("Intermediate");
        for (var i = 0; i < 8; i++)
        {
            using var leaf = intermediate.IssueClient($"client{i}.test");
            Validate(validator, leaf, intermediate.Read()).Rejection.Should().BeNull();
        }

        (validator.Authorities.Find(intermediate.Read().RawData.Span) is not null).Should().Be(CacheSize.Limit > 0);
    }

    [Test]
    public void A_remembered_signature_is_that_of_one_key_and_no_other()
    {
        var validator = new PathValidator();
        using var rekeyed = new TestAuthority("Root", spec => spec with { SubjectKeyIdentifier = KeyIdentifier.Absent });
        using var intermediate = _root.IssueIntermediate("Intermediate");
        using var leaf = intermediate.IssueClient("client.test");
        Validate(validator, leaf, intermediate.Read()).Rejection.Should().BeNull();

        var result = validator.Validate(leaf.Read(), [intermediate.Read()], TestPaths.Trusting(rekeyed), PeerRole.Client, _now);

        result.Reason().Should().Be(RejectionReason.SignatureInvalid);
    }

    [Test]
    public void A_remembered_intermediate_expires_like_any_other()
    {
        var validator = new PathValidator();
        using var intermediate = _root.IssueIntermediate("Intermediate", spec => spec with { NotAfter = _now.AddDays(1) });
        using var leaf = intermediate.Issue(spec => spec with { NotAfter = _now.AddDays(9) });
        Validate(validator, leaf, intermediate.Read()).Rejection.Should().BeNull();

        var later = validator.Validate(leaf.Read(), [intermediate.Read()], TestPaths.Trusting(_root), PeerRole.Client, _now.AddDays(2));

        later.Reason().Should().Be(RejectionReason.CertificateExpired);
    }

    [Test]
    public void Revocation_is_asked_about_a_remembered_intermediate_each_time()
    {
        var validator = new PathValidator();
        using var intermediate = _root.IssueIntermediate("Intermediate");
        using var leaf = intermediate.IssueClient("client.test");
        var revocation = new CountingRevocation();

        for (var i = 0; i < 3; i++)
        {
            validator.Validate(leaf.Read(), [intermediate.Read()], TestPaths.Trusting(_root), PeerRole.Client, _now, revocation);
        }

        revocation.Asked.Should().Equal(Enumerable.Repeat<Certificate[]>([intermediate.Read(), leaf.Read()], 3).SelectMany(each => each));
    }

    private PathResult Validate(PathValidator validator, TestCertificate leaf, params Certificate[] presented) =>
        validator.Validate(leaf.Read(), presented, TestPaths.Trusting(_root), PeerRole.Client, _now);

    private sealed class CountingRevocation : IRevocationSource
    {
        internal List<Certificate> Asked { get; } = [];

        public Rejection? Check(IReadOnlyList<Certificate> path, int index, CandidatePool? pool, DateTimeOffset at)
        {
            Asked.Add(path[index]);
            return null;
        }
    }
}
