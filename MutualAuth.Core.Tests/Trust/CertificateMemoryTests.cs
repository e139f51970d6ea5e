using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Evidence;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Trust;

namespace MutualAuth.Tests.Trust;

/// <summary>What is remembered between validations must never change a verdict.</summary>
public sealed class CertificateMemoryTests
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

        validator.Authorities.Count.Should().BeInRange(atLeast, 2 * (capacity + 1));
        validator.Peers.Count.Should().BeInRange(atLeast, 2 * (capacity + 1));
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

        var result = validator.Validate(leaf.Read(), [intermediate.Read()], Paths.Trusting(other), PeerRole.Client, _now);

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
    public void A_remembered_signature_is_that_of_one_key_and_no_other()
    {
        var validator = new PathValidator();
        using var rekeyed = new TestAuthority("Root", spec => spec with { SubjectKeyIdentifier = KeyIdentifier.Absent });
        using var intermediate = _root.IssueIntermediate("Intermediate");
        using var leaf = intermediate.IssueClient("client.test");
        Validate(validator, leaf, intermediate.Read()).Rejection.Should().BeNull();

        var result = validator.Validate(leaf.Read(), [intermediate.Read()], Paths.Trusting(rekeyed), PeerRole.Client, _now);

        result.Reason().Should().Be(RejectionReason.SignatureInvalid);
    }

    [Test]
    public void A_remembered_intermediate_expires_like_any_other()
    {
        var validator = new PathValidator();
        using var intermediate = _root.IssueIntermediate("Intermediate", spec => spec with { NotAfter = _now.AddDays(1) });
        using var leaf = intermediate.Issue(spec => spec with { NotAfter = _now.AddDays(9) });
        Validate(validator, leaf, intermediate.Read()).Rejection.Should().BeNull();

        var later = validator.Validate(leaf.Read(), [intermediate.Read()], Paths.Trusting(_root), PeerRole.Client, _now.AddDays(2));

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
            validator.Validate(leaf.Read(), [intermediate.Read()], Paths.Trusting(_root), PeerRole.Client, _now, revocation);
        }

        revocation.Asked.Should().Equal(Enumerable.Repeat<Certificate[]>([intermediate.Read(), leaf.Read()], 3).SelectMany(each => each));
    }

    private PathResult Validate(PathValidator validator, TestCertificate leaf, params Certificate[] presented) =>
        validator.Validate(leaf.Read(), presented, Paths.Trusting(_root), PeerRole.Client, _now);

    private sealed class CountingRevocation : IRevocationSource
    {
        internal List<Certificate> Asked { get; } = [];

        public Rejection? Check(Certificate subject, Certificate issuer, DateTimeOffset at)
        {
            Asked.Add(subject);
            return null;
        }
    }
}
