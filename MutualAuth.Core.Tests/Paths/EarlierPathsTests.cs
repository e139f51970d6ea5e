using MutualAuth.Certificates;
using MutualAuth.Collections;
using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Paths;

/// <summary>What an earlier path has shown counts for the same certificate and the same key, and for nothing else.</summary>
public sealed class EarlierPathsTests
{
    private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();
    private TestAuthority _root = null!;

    [OneTimeSetUp]
    public void Make_the_root() => _root = new TestAuthority("Root");

    [OneTimeTearDown]
    public void Dispose_of_the_root() => _root.Dispose();

    /// <summary>The signature is wrong on purpose: only so can it be seen that it is not checked again.</summary>
    [Test]
    public void A_signature_of_an_earlier_path_is_not_checked_again()
    {
        using var intermediate = _root.IssueIntermediate("Intermediate");
        using var leaf = intermediate.Issue(spec => spec with { CorruptSignature = true });
        using var sibling = intermediate.Issue(spec => spec with { CorruptSignature = true });
        using var other = _root.IssueIntermediate("Intermediate");

        Validate(leaf, intermediate).Reason().Should().Be(RejectionReason.SignatureInvalid);
        Validate(leaf, intermediate, leaf.Read(), intermediate.Read(), _root.Read()).Rejection.Should().BeNull();
        Validate(leaf, intermediate, sibling.Read(), intermediate.Read(), _root.Read()).Reason().Should().Be(RejectionReason.SignatureInvalid);
        Validate(leaf, intermediate, leaf.Read(), other.Read(), _root.Read()).Reason().Should().Be(RejectionReason.SignatureInvalid);
        Validate(leaf, intermediate, intermediate.Read(), leaf.Read()).Reason().Should().Be(RejectionReason.SignatureInvalid);
    }

    [Test]
    public void An_earlier_path_proves_signatures_and_nothing_else()
    {
        using var other = new TestAuthority("Other");
        using var leaf = _root.IssueClient("client.test");
        Certificate[] path = [leaf.Read(), _root.Read()];

        new PathValidator(null, 0, 0).Validate(
                leaf.Read(), [], TestPaths.Trusting(other), PeerRole.Client, _now, revocation: null, [.. path]).Reason()
            .Should().Be(RejectionReason.UnknownAuthority);
        new PathValidator(null, 0, 0).Validate(
                leaf.Read(), [], TestPaths.Trusting(_root), PeerRole.Client, leaf.Read().NotAfter.AddSeconds(1), revocation: null, [.. path]).Reason()
            .Should().Be(RejectionReason.CertificateExpired);
    }

    [Test]
    public void Peers_that_are_judged_again_displace_nobody_who_connects()
    {
        var validator = new PathValidator(null, 8, 8);
        using var first = _root.IssueClient("first.test");
        validator.Validate(first.Read(), [], TestPaths.Trusting(_root), PeerRole.Client, _now).Rejection.Should().BeNull();
        var remembered = validator.Peers.Count;

        for (var number = 0; number < 20; number++)
        {
            using var leaf = _root.IssueClient($"client{number}.test");
            validator.Validate(leaf.Read(), [], TestPaths.Trusting(_root), PeerRole.Client, _now, revocation: null, [leaf.Read(), _root.Read()])
                .Rejection.Should().BeNull();
        }

        validator.Peers.Count.Should().Be(remembered);
        (validator.Peers.Find(first.RawCertificate.Span) is not null).Should().Be(CacheSize.Of(8) > 0);
    }

    [Test]
    public void A_certificate_is_remembered_with_eight_keys_at_most()
    {
        var cache = new VerifiedCertificateCache(4);
        var certificate = _root.Read();
        var keys = Enumerable.Range(0, 9).Select(_ =>
        {
            using var peer = _root.IssueClient("client.test");
            return peer.Read().PublicKey;
        }).ToList();

        for (var again = 0; again < 9; again++)
        {
            cache.Remember(certificate, keys[0]);
        }

        keys.ForEach(key => cache.Remember(certificate, key));

        keys.Count(key => cache.IsSignedBy(certificate, key)).Should().Be(Math.Min(8, CacheSize.Of(4) * 8));
    }

    [Test]
    public void No_authority_at_all_lets_nobody_in()
    {
        using var leaf = _root.IssueClient("client.test");

        TrustAnchors.None.Certificates.Should().BeEmpty();
        TrustAnchors.None.Intermediates.Should().BeEmpty();
        TestPaths.Validate(leaf, TrustAnchors.None).Reason().Should().Be(RejectionReason.UnknownAuthority);
        TestPaths.Validate(leaf, [_root.Read()], TrustAnchors.None).Reason().Should().Be(RejectionReason.UnknownAuthority);
    }

    private PathResult Validate(TestCertificate leaf, TestAuthority intermediate, params Certificate[] verified) =>
        new PathValidator(null, 0, 0).Validate(
            leaf.Read(), [intermediate.Read()], TestPaths.Trusting(_root), PeerRole.Client, _now, revocation: null, [.. verified]);
}
