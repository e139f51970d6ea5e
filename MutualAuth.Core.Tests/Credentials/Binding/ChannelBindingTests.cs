using System.Collections.Immutable;
using System.Security.Cryptography;
using MutualAuth.Certificates;
using MutualAuth.Credentials;
using MutualAuth.Testing;

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
    [TestCase(SignatureAlgorithm.Ed25519, KeyAlgorithm.Ed25519, 0)]
    [TestCase(SignatureAlgorithm.MLDsa44, KeyAlgorithm.MLDsa44, 0)]
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
    public async Task With_an_Ed25519_signature_PLUS_fails_on_both_sides_and_is_never_bound_to_nothing(
        ChannelBindingPolicy policy, RejectionReason? reason)
    {
        var binding = ChannelBinding.OfServerCertificate(Signed(SignatureAlgorithm.Ed25519, KeyAlgorithm.Ed25519));
        await using var server = Sasl.Server(Sasl.Policy(SaslServer.Scram(Sasl.Store(("alice", "right")))) with { ChannelBinding = policy }, binding);
        var credentials = Login.WithPassword("alice", Password.From("right"), channelBinding: policy);

        var (outcome, client) = await Sasl.RunAsync(credentials, server, binding, offered: ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]);

        client?.Reason.Should().Be(reason);
        server.Offered.Should().Equal(reason is null ? ["SCRAM-SHA-256"] : []);
        (outcome as SaslServerStep.Succeeded)?.ToUser("x").Proofs.Should().Be(MutualAuth.PeerProofs.Password);
        (outcome is SaslServerStep.Succeeded).Should().Be(reason is null);
    }

    private static Certificate Signed(SignatureAlgorithm signature, KeyAlgorithm key)
    {
        using var authority = new TestAuthority(spec: spec => spec with { Key = TestKey.Shared(key) });
        using var issued = authority.Issue(spec => spec with { DnsNames = ["server.test"], SignatureAlgorithm = signature });
        return Certificate.Parse(issued.RawCertificate);
    }

    private static byte[] Tlv(byte tag, byte[] content) => [tag, (byte)content.Length, .. content];
}
