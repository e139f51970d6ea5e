using System.Security.Cryptography.X509Certificates;
using MutualAuth.Paths;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Paths;

public sealed class PathValidatorTests
{
    private TestAuthority _root = null!;
    private TestAuthority _intermediate = null!;

    [OneTimeSetUp]
    public void Make_the_authorities()
    {
        _root = new TestAuthority("Root");
        _intermediate = _root.IssueIntermediate("Intermediate");
    }

    [OneTimeTearDown]
    public void Dispose_of_the_authorities()
    {
        _root.Dispose();
        _intermediate.Dispose();
    }

    [Test]
    public void A_path_over_an_intermediate_is_found_and_reported_from_leaf_to_anchor()
    {
        using var leaf = _intermediate.IssueClient("client.test");

        var result = TestPaths.Validate(leaf, TestPaths.Trusting(_root));

        result.Rejection.Should().BeNull();
        result.Path.Should().Equal(leaf.Read(), _intermediate.Read(), _root.Read());
    }

    [Test]
    public void Without_the_intermediate_the_authority_is_unknown()
    {
        using var leaf = _intermediate.IssueClient("client.test");

        TestPaths.Validate(leaf, [], TestPaths.Trusting(_root)).Reason().Should().Be(RejectionReason.UnknownAuthority);
    }

    [Test]
    public void An_intermediate_that_is_known_in_advance_need_not_be_sent()
    {
        using var leaf = _intermediate.IssueClient("client.test");
        var trust = TestPaths.Trusting(_root).WithIntermediates(_intermediate.Certificate);

        TestPaths.Validate(leaf, [], trust).Path.Should().HaveCount(3);
    }

    [Test]
    public void An_intermediate_that_is_known_in_advance_is_not_trusted_for_itself()
    {
        using var other = new TestAuthority("Other");
        using var leaf = _intermediate.IssueClient("client.test");
        var trust = TestPaths.Trusting(other).WithIntermediates(_intermediate.Certificate);

        TestPaths.Validate(leaf, [], trust).Reason().Should().Be(RejectionReason.UnknownAuthority);
    }

    [Test]
    public void An_anchor_need_not_be_self_signed()
    {
        using var leaf = _intermediate.IssueClient("client.test");

        TestPaths.Validate(leaf, TestPaths.Trusting(_intermediate)).Path.Should().Equal(leaf.Read(), _intermediate.Read());
    }

    [Test]
    public void Where_a_root_and_its_intermediate_are_both_anchors_the_path_ends_at_the_nearer_one()
    {
        using var leaf = _intermediate.IssueClient("client.test");

        TestPaths.Validate(leaf, TestPaths.Trusting(_root, _intermediate)).Path.Should().Equal(leaf.Read(), _intermediate.Read());
    }

    [Test]
    public void A_self_signed_peer_that_is_itself_an_anchor_is_its_own_path()
    {
        using var peer = SelfSigned("CN=peer.test");

        TestPaths.Validate(peer, TrustAnchors.FromDer(peer.RawCertificate)).Path.Should().Equal(peer.Read());
    }

    [Test]
    public void A_self_signed_peer_that_is_no_anchor_is_of_an_unknown_authority()
    {
        using var peer = SelfSigned("CN=peer.test");

        TestPaths.Validate(peer, TestPaths.Trusting(_root)).Reason().Should().Be(RejectionReason.UnknownAuthority);
    }

    [Test]
    public void An_authority_of_the_same_name_with_another_key_is_unknown()
    {
        using var impostor = new TestAuthority("Root");
        using var leaf = impostor.IssueClient("client.test");

        TestPaths.Validate(leaf, TestPaths.Trusting(_root)).Reason().Should().Be(RejectionReason.UnknownAuthority);
    }

    [Test]
    public void A_signature_that_does_not_verify_is_invalid()
    {
        using var leaf = _root.Issue(spec => spec with { CorruptSignature = true });

        TestPaths.Validate(leaf, TestPaths.Trusting(_root)).Reason().Should().Be(RejectionReason.SignatureInvalid);
    }

    private static IEnumerable<TestCaseData> UnfitLeaves =>
    [
        Leaf("expired", RejectionReason.CertificateExpired, spec => spec with { NotAfter = spec.NotBefore.AddHours(1) }),
        Leaf("not yet valid", RejectionReason.CertificateNotYetValid, spec => spec with { NotBefore = spec.NotAfter.AddHours(-1) }),
        Leaf("for servers", RejectionReason.WrongUsage, spec => spec with { ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth] }),
        Leaf("for any purpose", RejectionReason.WrongUsage, spec => spec with { ExtendedKeyUsages = [ExtendedKeyUsage.Any] }),
        Leaf("for no stated purpose", RejectionReason.WrongUsage, spec => spec with { ExtendedKeyUsages = [] }),
        Leaf("with a key that may not sign", RejectionReason.WrongUsage, spec => spec with { KeyUsage = X509KeyUsageFlags.KeyEncipherment }),
        Leaf("an authority's", RejectionReason.CertificateAuthorityAsLeaf, spec => spec with { BasicConstraints = new(true) }),
        Leaf(
            "with an unknown critical extension",
            RejectionReason.UnknownCriticalExtension,
            spec => spec with { Extensions = [CertificateExtension.UnknownCritical] }),
        Leaf("with a path length", RejectionReason.ProfileViolated, spec => spec with { BasicConstraints = new(false, 0) }),
        Leaf(
            "with name constraints",
            RejectionReason.ProfileViolated,
            spec => spec with { NameConstraints = new() { Permitted = [GeneralName.Dns("a.test")] } }),
        Leaf(
            "that may sign certificates",
            RejectionReason.ProfileViolated,
            spec => spec with { KeyUsage = X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign }),
        Leaf("with a short RSA key", RejectionReason.WeakKey, spec => spec with { Key = TestKey.Shared(KeyAlgorithm.Rsa1024) }),
        Leaf("signed with SHA-1", RejectionReason.WeakSignature, spec => spec with { SignatureAlgorithm = SignatureAlgorithm.EcdsaSha1 }),
        Leaf("with a key of another algorithm", RejectionReason.AlgorithmNotSupported, spec => spec with { KeyAlgorithm = KeyAlgorithm.Ed25519 }),
    ];

    [TestCaseSource(nameof(UnfitLeaves))]
    public void A_leaf_that_is_unfit_in_one_way_is_rejected_for_it(Func<CertificateSpec, CertificateSpec> change, RejectionReason reason)
    {
        using var fit = _intermediate.Issue(spec => spec);
        using var unfit = _intermediate.Issue(change);

        TestPaths.Validate(fit, TestPaths.Trusting(_root)).Rejection.Should().BeNull();
        TestPaths.Validate(unfit, TestPaths.Trusting(_root)).Reason().Should().Be(reason);
    }

    private static IEnumerable<TestCaseData> UnfitAuthorities =>
    [
        Leaf("expired", RejectionReason.CertificateExpired, spec => spec with { NotAfter = spec.NotBefore.AddHours(1) }),
        Leaf("without basic constraints", RejectionReason.IssuerNotAuthority, spec => spec with { BasicConstraints = null }),
        Leaf("an end entity", RejectionReason.IssuerNotAuthority, spec => spec with { BasicConstraints = new(false), KeyUsage = null }),
        Leaf("that may not sign certificates", RejectionReason.IssuerNotAuthority, spec => spec with { KeyUsage = X509KeyUsageFlags.CrlSign }),
        Leaf("for servers only", RejectionReason.WrongUsage, spec => spec with { ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth] }),
        Leaf(
            "with an unknown critical extension",
            RejectionReason.UnknownCriticalExtension,
            spec => spec with { Extensions = [CertificateExtension.UnknownCritical] }),
        Leaf("with a short RSA key", RejectionReason.WeakKey, spec => spec with { Key = TestKey.Shared(KeyAlgorithm.Rsa1024) }),
        Leaf("signed with SHA-1", RejectionReason.WeakSignature, spec => spec with { SignatureAlgorithm = SignatureAlgorithm.EcdsaSha1 }),
        Leaf("wrongly signed", RejectionReason.SignatureInvalid, spec => spec with { CorruptSignature = true }),
        Leaf(
            "for other names",
            RejectionReason.NameConstraintViolated,
            spec => spec with { NameConstraints = new() { Permitted = [GeneralName.Dns("other.test")] } }),
    ];

    [TestCaseSource(nameof(UnfitAuthorities))]
    public void An_authority_that_is_unfit_in_one_way_is_rejected_for_it(Func<CertificateSpec, CertificateSpec> change, RejectionReason reason)
    {
        using var unfit = _root.IssueIntermediate("Unfit", change);
        using var leaf = unfit.IssueClient("client.test");

        TestPaths.Validate(leaf, TestPaths.Trusting(_root)).Reason().Should().Be(reason);
    }

    [Test]
    public void The_last_second_of_validity_counts_to_its_end()
    {
        using var leaf = _root.IssueClient("client.test");
        var end = leaf.Read().NotAfter;

        TestPaths.Validate(leaf, TestPaths.Trusting(_root), at: end.AddMilliseconds(999)).Rejection.Should().BeNull();
        TestPaths.Validate(leaf, TestPaths.Trusting(_root), at: end.AddSeconds(1)).Reason().Should().Be(RejectionReason.CertificateExpired);
    }

    [Test]
    public void The_path_length_of_an_anchor_binds()
    {
        using var root = new TestAuthority("Short", spec => spec with { BasicConstraints = new(true, 0) });
        using var intermediate = root.IssueIntermediate("Below");
        using var near = root.IssueClient("near.test");
        using var far = intermediate.IssueClient("far.test");

        TestPaths.Validate(near, TestPaths.Trusting(root)).Rejection.Should().BeNull();
        TestPaths.Validate(far, TestPaths.Trusting(root)).Reason().Should().Be(RejectionReason.PathTooLong);
    }

    [Test]
    public void The_depth_of_the_profile_binds()
    {
        using var second = _intermediate.IssueIntermediate("Second");
        using var leaf = second.IssueClient("client.test");

        TestPaths.Validate(leaf, TestPaths.Trusting(_root), ValidationProfile.MutualTls with { MaxIntermediates = 2 }).Rejection.Should().BeNull();
        TestPaths.Validate(leaf, TestPaths.Trusting(_root), ValidationProfile.MutualTls with { MaxIntermediates = 1 }).Reason().Should().Be(
            RejectionReason.PathTooLong);
    }

    [Test]
    public void The_purpose_is_that_of_the_role()
    {
        using var server = _root.IssueServer("server.test");
        var validator = new PathValidator();

        validator.Validate(server.Read(), [], TestPaths.Trusting(_root), PeerRole.Server, TimeProvider.System.GetUtcNow()).Rejection
            .Should().BeNull();
        validator.Validate(server.Read(), [], TestPaths.Trusting(_root), PeerRole.Client, TimeProvider.System.GetUtcNow()).Reason().Should().Be(
            RejectionReason.WrongUsage);
    }

    [Test]
    public void Stronger_floors_refuse_what_the_default_accepts()
    {
        using var leaf = _root.IssueClient("client.test");
        var trust = TestPaths.Trusting(_root);

        TestPaths.Validate(leaf, trust, ValidationProfile.MutualTls with { MinimumCurveBits = 384 }).Reason().Should().Be(RejectionReason.WeakKey);
        TestPaths.Validate(leaf, trust, ValidationProfile.MutualTls with { MinimumHashBits = 384 }).Reason().Should().Be(
            RejectionReason.WeakSignature);
    }

    private static TestCertificate SelfSigned(string subject)
    {
        using var maker = new TestAuthority("unused", spec => spec with
        {
            Subject = subject,
            BasicConstraints = null,
            KeyUsage = X509KeyUsageFlags.DigitalSignature,
            ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth],
        });
        return maker.AsCertificate.WithChain();
    }

    private static TestCaseData Leaf(string name, RejectionReason reason, Func<CertificateSpec, CertificateSpec> change) =>
        new TestCaseData(change, reason).SetArgDisplayNames(name);
}
