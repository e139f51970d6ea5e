using System.Formats.Asn1;
using System.Globalization;
using System.Numerics;
using MutualAuth.Certificates;
using MutualAuth.Evidence;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Revocation;

/// <summary>
/// A certificate that is signed by ECDSA has a twin: (r, n - s) is a signature as good as (r, s), and whoever holds the certificate can write it. The
/// two have the same contents and different digests.
/// </summary>
public sealed class EcdsaMalleabilityTests
{
    private static readonly BigInteger s_orderOfP256 = BigInteger.Parse(
        "0FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551", NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    private static readonly BigInteger s_orderOfP384 = BigInteger.Parse(
        "0FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973",
        NumberStyles.AllowHexSpecifier,
        CultureInfo.InvariantCulture);

    [TestCase(KeyAlgorithm.EcdsaP256)]
    [TestCase(KeyAlgorithm.EcdsaP384)]
    public void Whoever_is_denied_by_the_digest_of_a_certificate_is_not_let_in_by_its_twin(KeyAlgorithm algorithm)
    {
        using var authority = new TestAuthority("Twins", spec => spec with { KeyAlgorithm = algorithm });
        using var denied = authority.IssueClient("denied.test");
        using var other = authority.IssueClient("other.test");
        var twin = TwinOf(denied.RawCertificate, algorithm);
        var byOriginal = DenyList.Parse($"certificate {Certificate.Parse(denied.RawCertificate).Thumbprint}");
        var byTwin = DenyList.Parse($"certificate {Certificate.Parse(twin).Thumbprint}");

        Judge(authority, DenyList.Empty, twin).Should().BeNull("the twin is as good a certificate");
        Certificate.Parse(twin).Thumbprint.Should().NotBe(Certificate.Parse(denied.RawCertificate).Thumbprint);
        foreach (var list in new[] { byOriginal, byTwin })
        {
            Judge(authority, list, denied.RawCertificate).Should().Be(RejectionReason.DenyListed);
            Judge(authority, list, twin).Should().Be(RejectionReason.DenyListed);
            Judge(authority, list, other.RawCertificate).Should().BeNull();
        }
    }

    [Test]
    public void A_twin_of_an_authority_is_denied_with_it()
    {
        using var root = new TestAuthority("Twins");
        using var issuing = root.IssueIntermediate("Issuing");
        using var client = issuing.IssueClient("client.test");
        var twin = TwinOf(issuing.AsCertificate.RawCertificate, KeyAlgorithm.EcdsaP256);
        var list = DenyList.Parse($"certificate {Certificate.Parse(issuing.AsCertificate.RawCertificate).Thumbprint}");

        Judge(root, DenyList.Empty, client.RawCertificate, twin).Should().BeNull();
        Judge(root, list, client.RawCertificate, twin).Should().Be(RejectionReason.DenyListed);
    }

    [Test]
    public void Whoever_is_denied_by_what_is_signed_is_not_let_in_by_a_twin()
    {
        using var authority = new TestAuthority("Twins");
        using var denied = authority.IssueClient("denied.test");
        using var other = authority.IssueClient("other.test");
        var twin = TwinOf(denied.RawCertificate, KeyAlgorithm.EcdsaP256);
        var certificate = denied.Read();
        DenyEntry[] entries =
            [DenyEntry.Certificate(certificate), DenyEntry.Serial(
                certificate.Issuer, certificate.SerialNumber), DenyEntry.Parse(DenyEntry.Certificate(Certificate.Parse(twin)).ToString())];

        DenyEntry.Certificate(certificate).ToString().Should().StartWith("tbs ");
        foreach (var entry in entries)
        {
            Judge(authority, DenyList.Of(entry), denied.RawCertificate).Should().Be(RejectionReason.DenyListed);
            Judge(authority, DenyList.Of(entry), twin).Should().Be(RejectionReason.DenyListed);
            Judge(authority, DenyList.Of(entry), other.RawCertificate).Should().BeNull();
        }
    }

    [Test]
    public void Who_signs_his_own_certificates_is_denied_by_his_key()
    {
        var key = TestKey.Generate();
        using var first = new TestAuthority("peer", spec => spec with { Key = key });
        using var second = new TestAuthority("peer", spec => spec with { Key = key });
        using var other = new TestAuthority("peer");

        var list = DenyList.Of(DenyEntry.Certificate(first.Read()));

        list.Entries[0].ToString().Should().StartWith("key ");
        list.Examine(second.Read())!.Reason.Should().Be(RejectionReason.DenyListed, "he has signed another with the same key");
        list.Examine(other.Read()).Should().BeNull();
    }

    [Test]
    public void An_rsa_signed_certificate_has_no_twin()
    {
        using var authority = new TestAuthority("Twins", spec => spec with { Key = TestKey.Shared(KeyAlgorithm.Rsa2048) });
        using var client = authority.IssueClient("client.test");

        EcdsaMalleability.Of(client.Read()).Should().BeEmpty();
        Judge(authority, DenyList.Parse($"certificate {client.Read().Thumbprint}"), client.RawCertificate).Should().Be(RejectionReason.DenyListed);
    }

    internal static byte[] TwinOf(ReadOnlyMemory<byte> certificate, KeyAlgorithm algorithm) => DerEdit.Sequence(certificate.ToArray(), parts =>
    {
        var pair = new AsnReader(new AsnReader(parts[2], AsnEncodingRules.DER).ReadBitString(out _), AsnEncodingRules.DER).ReadSequence();
        var (r, s) = (pair.ReadInteger(), pair.ReadInteger());
        var signature = DerEdit.Encode(writer =>
        {
            using (writer.PushSequence())
            {
                writer.WriteInteger(r);
                writer.WriteInteger((algorithm == KeyAlgorithm.EcdsaP256 ? s_orderOfP256 : s_orderOfP384) - s);
            }
        });
        parts[2] = DerEdit.Encode(writer => writer.WriteBitString(signature));
    });

    internal static RejectionReason? Judge(TestAuthority authority, DenyList list, params ReadOnlyMemory<byte>[] shown)
    {
        var stage = new CertificateStage(
            new CertificateStageOptions { Trust = authority.ToTrustAnchors(), Authorization = Authorize.AnyTrustedPeer, DenyList = list });
        return (stage.Judge(
            new PeerEvidence(PeerRole.Client, [.. shown]), TimeProvider.System.GetUtcNow()) as CertificateVerdict.Rejected)?.Rejection.Reason;
    }
}
