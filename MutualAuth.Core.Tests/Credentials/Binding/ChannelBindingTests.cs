using System.Collections.Immutable;
using System.Security.Cryptography;
using MutualAuth.Certificates;
using MutualAuth.Credentials;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

/// <summary>
/// Which hash <c>tls-server-end-point</c> uses, by the signature of the server's certificate (RFC 5929 §4.1), and that there is none without one.
/// </summary>
public sealed class ChannelBindingTests
{
    private const string Sha1 = "06052b0e03021a";
    private const string Sha256 = "0609608648016503040201";
    private const string Sha384 = "0609608648016503040202";
    private const string Sha512 = "0609608648016503040203";
    private const string Mgf1 = "06092a864886f70d010108";

    [TestCase(SignatureAlgorithm.RsaMd5, KeyAlgorithm.Rsa2048, 32)]
    [TestCase(SignatureAlgorithm.RsaSha1, KeyAlgorithm.Rsa2048, 32)]
    [TestCase(SignatureAlgorithm.RsaSha256, KeyAlgorithm.Rsa2048, 32)]
    [TestCase(SignatureAlgorithm.RsaSha384, KeyAlgorithm.Rsa2048, 48)]
    [TestCase(SignatureAlgorithm.RsaSha512, KeyAlgorithm.Rsa2048, 64)]
    [TestCase(SignatureAlgorithm.RsaPssSha256, KeyAlgorithm.Rsa2048, 32)]
    [TestCase(SignatureAlgorithm.RsaPssSha384, KeyAlgorithm.Rsa2048, 48)]
    [TestCase(SignatureAlgorithm.RsaPssSha512, KeyAlgorithm.Rsa2048, 64)]
    [TestCase(SignatureAlgorithm.EcdsaSha1, KeyAlgorithm.EcdsaP256, 32)]
    [TestCase(SignatureAlgorithm.EcdsaSha256, KeyAlgorithm.EcdsaP256, 32)]
    [TestCase(SignatureAlgorithm.EcdsaSha384, KeyAlgorithm.EcdsaP256, 48)]
    [TestCase(SignatureAlgorithm.EcdsaSha512, KeyAlgorithm.EcdsaP256, 64)]
    public void The_hash_is_that_of_the_signature(SignatureAlgorithm signature, KeyAlgorithm key, int length)
    {
        var certificate = Signed(signature, key);

        var binding = ChannelBinding.OfServerCertificate(certificate);

        byte[]? expected = length switch
        {
            32 => SHA256.HashData(certificate.RawData.Span),
            48 => SHA384.HashData(certificate.RawData.Span),
            64 => SHA512.HashData(certificate.RawData.Span),
            _ => null,
        };
        (binding?.Type).Should().Be(expected is null ? null : "tls-server-end-point");
        (binding?.Data ?? ImmutableArray<byte>.Empty).Should().Equal(expected ?? []);
    }

    /// <summary>docs/protocol.md §12.2: what RFC 5929 leaves undefined has a binding with a name of its own, and SHA-384 always.</summary>
    [TestCase(SignatureAlgorithm.Ed25519, KeyAlgorithm.Ed25519)]
    [TestCase(SignatureAlgorithm.MLDsa44, KeyAlgorithm.MLDsa44)]
    [TestCase(SignatureAlgorithm.MLDsa65, KeyAlgorithm.MLDsa65)]
    [TestCase(SignatureAlgorithm.MLDsa87, KeyAlgorithm.MLDsa87)]
    public void A_signature_without_a_hash_has_the_binding_of_our_own(SignatureAlgorithm signature, KeyAlgorithm key)
    {
        var certificate = Signed(signature, key);

        var binding = ChannelBinding.OfServerCertificate(certificate);

        binding!.Type.Should().Be("mutualauth-end-point");
        binding.Data.Should().Equal(SHA384.HashData(certificate.RawData.Span));
    }

    [TestCase("300506032b6570", true)] // Ed25519
    [TestCase("300506032b6571", true)] // Ed448
    [TestCase("300706032b65700500", false)] // with parameters
    [TestCase("300506032b656e", false)] // X25519
    [TestCase("300b0609608648016503040311", true)] // ML-DSA-44
    [TestCase("300b0609608648016503040313", true)] // ML-DSA-87
    [TestCase("300b0609608648016503040314", false)] // the next one, which is SLH-DSA
    [TestCase("300b0609608648016503040320", false)] // HashML-DSA-44, which has a hash
    [TestCase("300a06082a8648ce3d040301", false)] // ECDSA with SHA-224
    [TestCase("3000", false)]
    public void Only_what_is_known_to_use_no_hash_has_it(string algorithm, bool expected) =>
        ChannelBinding.UsesNoHash(Convert.FromHexString(algorithm)).Should().Be(expected);

    /// <summary>The vectors of docs/protocol.md §12.2, with octets in the place of a certificate.</summary>
    [Test]
    public void The_page_has_the_vectors()
    {
        var page = DocumentationPage.Open("docs/protocol.md").Text;
        byte[][] inputs = [[], [.. Enumerable.Range(0, 256).Select(octet => (byte)octet)]];

        inputs.Where(octets => !page.Contains(Convert.ToHexStringLower(SHA384.HashData(octets)), StringComparison.Ordinal)).Should().BeEmpty();
    }

    // RSASSA-PSS-params (RFC 4055 §3.1); what is absent means SHA-1.
    [TestCase("", "SHA256")]
    [TestCase("a0:" + Sha1, "SHA256")]
    [TestCase("a0:" + Sha256 + " a1:" + Sha256, "SHA256")]
    [TestCase("a0:" + Sha384 + " a1:" + Sha384, "SHA384")]
    [TestCase("a0:" + Sha256, null)]
    [TestCase("a0:" + Sha256 + " a1:" + Sha512, null)]
    [TestCase("a0:0609608648016503040204 a1:0609608648016503040204", null)] // SHA-224
    [TestCase("a0:0609608648016503040208 a1:0609608648016503040208", null)] // SHA3-256
    public void RSASSA_PSS_counts_by_its_parameters(string parameters, string? hash)
    {
        var fields = parameters.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(field =>
        {
            var algorithm = Tlv(0x30, Convert.FromHexString(field[3..]));
            return field.StartsWith("a0", StringComparison.Ordinal)
                ? Tlv(0xa0, algorithm)
                : Tlv(0xa1, Tlv(0x30, [.. Convert.FromHexString(Mgf1), .. algorithm]));
        });
        var encoded = Tlv(0x30, [.. Convert.FromHexString("06092a864886f70d01010a"), .. Tlv(0x30, [.. fields.SelectMany(field => field)])]);

        ChannelBinding.HashOf(encoded)?.Name.Should().Be(hash);
        ChannelBinding.HashOf(encoded).HasValue.Should().Be(hash is not null);
    }

    // id-RSASSA-PSS with SHA-256, and a mask that another function than MGF1 makes, with SHA-256 too.
    [TestCase(Mgf1, true)]
    [TestCase("06092a864886f70d010109", false)]
    public void A_mask_of_another_function_has_no_binding(string function, bool isDefined)
    {
        var algorithm = Tlv(0x30, Convert.FromHexString(Sha256));
        byte[] parameters = [.. Tlv(0xa0, algorithm), .. Tlv(0xa1, Tlv(0x30, [.. Convert.FromHexString(function), .. algorithm]))];

        var hash = ChannelBinding.HashOf(Tlv(0x30, [.. Convert.FromHexString("06092a864886f70d01010a"), .. Tlv(0x30, parameters)]));

        hash.HasValue.Should().Be(isDefined);
    }

    [TestCase("")]
    [TestCase("3000")]
    [TestCase("300b06092a864886f70d01010a")] // RSASSA-PSS without parameters
    [TestCase("300a06082a864886f70d0202")] // an algorithm that is not known
    [TestCase("0000")]
    public void What_is_not_known_or_cannot_be_read_has_no_binding(string algorithm) =>
        ChannelBinding.HashOf(Convert.FromHexString(algorithm)).Should().BeNull();

    /// <summary>
    /// Pitfall 27, CVE-2026-54291, CVE-2026-53712, CVE-2025-49146: no hash is no reason to do without the binding that was demanded.
    /// </summary>
    [TestCase(ChannelBindingPolicy.Required, RejectionReason.ChannelBindingUnavailable)]
    [TestCase(ChannelBindingPolicy.WhereItExists, null)]
    public async Task With_a_signature_over_an_unknown_hash_PLUS_fails_on_both_sides_and_is_never_bound_to_nothing(
        ChannelBindingPolicy policy, RejectionReason? reason)
    {
        var binding = ChannelBinding.OfServerCertificate(SignedOverSha224());
        binding.Should().BeNull();
        await using var server = Sasl.Server(Sasl.Policy(SaslServer.Scram(Sasl.Store(("alice", "right")))) with { ChannelBinding = policy }, binding);
        var credentials = Login.WithPassword("alice", Password.From("right"), channelBinding: policy);

        var (outcome, client) = await Sasl.RunAsync(credentials, server, binding, offered: ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]);

        client?.Reason.Should().Be(reason);
        server.Offered.Should().Equal(reason is null ? ["SCRAM-SHA-256"] : []);
        (outcome as SaslServerStep.Succeeded)?.ToUser("x").Proofs.Should().Be(MutualAuth.PeerProofs.Password);
        (outcome is SaslServerStep.Succeeded).Should().Be(reason is null);
    }

    /// <summary>The rules against a downgrade hold for our own binding as for the standard's, and the two are told apart by name.</summary>
    [TestCase(ChannelBindingPolicy.WhereItExists, "SCRAM-SHA-256-PLUS", "p=mutualauth-end-point", null)]
    [TestCase(ChannelBindingPolicy.WhereItExists, "SCRAM-SHA-256-PLUS", "p=tls-server-end-point", RejectionReason.ChannelBindingUnavailable)]
    [TestCase(ChannelBindingPolicy.WhereItExists, "SCRAM-SHA-256", "n", RejectionReason.MechanismUnavailable)]
    [TestCase(ChannelBindingPolicy.DangerouslyOptional, "SCRAM-SHA-256", "n", null)]
    [TestCase(ChannelBindingPolicy.DangerouslyOptional, "SCRAM-SHA-256", "y", RejectionReason.ChannelBindingDowngraded)]
    public async Task With_our_own_binding_the_rules_against_a_downgrade_hold(
        ChannelBindingPolicy policy, string mechanism, string flag, RejectionReason? reason)
    {
        var binding = ChannelBinding.OfServerCertificate(Signed(SignatureAlgorithm.MLDsa65, KeyAlgorithm.MLDsa65));
        await using var server = Sasl.Server(Sasl.Policy(SaslServer.Scram(Sasl.Store(("alice", "right")))) with { ChannelBinding = policy }, binding);
        server.Offered.Should().Contain("SCRAM-SHA-256-PLUS");

        var step = await server.StartAsync(mechanism, Sasl.Utf8($"{flag},,n=alice,r=abcdefgh"), default);

        (step as SaslServerStep.Failed)?.Rejection.Reason.Should().Be(reason);
        (step is SaslServerStep.Challenged).Should().Be(reason is null);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_login_bound_by_our_own_binding_holds_for_the_same_certificate_alone(bool isSame)
    {
        var mine = Signed(SignatureAlgorithm.MLDsa65, KeyAlgorithm.MLDsa65);
        var seen = isSame ? mine : Signed(SignatureAlgorithm.MLDsa65, KeyAlgorithm.MLDsa65);
        await using var server = Sasl.Server(
            Sasl.Policy(SaslServer.Scram(Sasl.Store(("alice", "right")))), ChannelBinding.OfServerCertificate(mine));

        var (outcome, _) = await Sasl.RunAsync(
            Login.WithPassword("alice", Password.From("right")), server, ChannelBinding.OfServerCertificate(seen));

        (outcome as SaslServerStep.Failed)?.Rejection.Reason.Should().Be(RejectionReason.ChannelBindingMismatch);
        (outcome is SaslServerStep.Succeeded).Should().Be(isSame);
    }

    private static Certificate SignedOverSha224()
    {
        var identifier = Convert.FromHexString("300a06082a8648ce3d040301");
        using var authority = new TestAuthority();
        using var issued = authority.Issue(spec => spec with
        {
            DnsNames = ["server.test"],
            RewriteTbs = tbs => DerEdit.Sequence(tbs, parts => parts[2] = identifier),
            RewriteCertificate = whole => DerEdit.Sequence(whole, parts => parts[1] = identifier),
        });
        return Certificate.Parse(issued.RawCertificate);
    }

    private static Certificate Signed(SignatureAlgorithm signature, KeyAlgorithm key)
    {
        using var authority = new TestAuthority(spec: spec => spec with { Key = TestKey.Shared(key) });
        using var issued = authority.Issue(spec => spec with { DnsNames = ["server.test"], SignatureAlgorithm = signature });
        return Certificate.Parse(issued.RawCertificate);
    }

    private static byte[] Tlv(byte tag, byte[] content) => [tag, (byte)content.Length, .. content];
}
