using System.Formats.Asn1;
using MutualAuth.Certificates;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Certificates;

/// <summary>RFC 5758, RFC 4055: signature algorithms and hashes are two tables, and nothing stands in both.</summary>
public sealed class SignatureSchemeTests
{
    private const string Pss = "1.2.840.113549.1.1.10";
    private const string Mgf1 = "1.2.840.113549.1.1.8";

    private static readonly string[] s_hashes = ["2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.2", "2.16.840.1.101.3.4.2.3"];

    private static readonly string[] s_rsa = ["1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12", "1.2.840.113549.1.1.13"];

    private static readonly string[] s_ecdsa = ["1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.10045.4.3.4"];

    private static readonly int[] s_bits = [256, 384, 512];

    [Test]
    public void A_signature_algorithm_is_one_of_its_own_table([Values(0, 1, 2)] int index, [Values] bool withNull)
    {
        Read(Algorithm(s_rsa[index], withNull)).Should().Be((SignatureKind.RsaPkcs1, s_bits[index]));
        Read(Algorithm(s_ecdsa[index], withNull)).Should().Be(withNull ? (SignatureKind.NotAccepted, 0) : (SignatureKind.Ecdsa, s_bits[index]));
        Read(Algorithm(s_hashes[index], withNull)).Should().Be((SignatureKind.NotAccepted, 0), "a hash signs nothing");
    }

    [Test]
    public void The_hash_of_pss_is_one_of_its_own_table([Values(0, 1, 2)] int index, [Values] bool withNull)
    {
        Read(OfPss(s_hashes[index], s_hashes[index], withNull, s_bits[index] / 8)).Should().Be((SignatureKind.RsaPss, s_bits[index]));
        Read(OfPss(s_rsa[index], s_rsa[index], withNull, s_bits[index] / 8)).Should().Be(
            (SignatureKind.NotAccepted, 0), "a signature hashes nothing");
        Read(OfPss(s_hashes[index], s_rsa[index], withNull, s_bits[index] / 8)).Should().Be((SignatureKind.NotAccepted, 0));
        Read(OfPss(s_rsa[index], s_hashes[index], withNull, s_bits[index] / 8)).Should().Be((SignatureKind.NotAccepted, 0));
        Read(OfPss(s_ecdsa[index], s_ecdsa[index], withNull, s_bits[index] / 8)).Should().Be((SignatureKind.NotAccepted, 0));
    }

    [Test]
    public void A_public_key_algorithm_signs_nothing([Values("1.2.840.113549.1.1.1", "1.2.840.10045.2.1", Mgf1)] string id, [Values] bool withNull) =>
        Read(Algorithm(id, withNull)).Should().Be((SignatureKind.NotAccepted, 0));

    [Test]
    public void What_is_not_accepted_is_described_by_what_makes_it_so()
    {
        SignatureScheme.Describe(OfPss("2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.1", withNull: true, 222)).Should().Be(
            "RSASSA-PSS with SHA256 and a salt of 222 octets");
        SignatureScheme.Describe(OfPss("1.3.14.3.2.26", "1.3.14.3.2.26", withNull: false, 20)).Should().Be(
            "RSASSA-PSS with SHA-1 and a salt of 20 octets");
        SignatureScheme.Describe(Algorithm(Pss, withNull: false)).Should().Be("RSASSA-PSS with SHA-1 and a salt of 20 octets");
        SignatureScheme.Describe(Algorithm("1.2.840.113549.1.1.5", withNull: true)).Should().Be("algorithm 1.2.840.113549.1.1.5");
        SignatureScheme.Describe(new byte[] { 0x30, 0x01, 0x06 }).Should().Be("an algorithm that is malformed");
    }

    private static (SignatureKind Kind, int Bits) Read(byte[] algorithm)
    {
        var scheme = SignatureScheme.Read(algorithm);
        return (scheme.Kind, scheme.HashBits);
    }

    private static byte[] Algorithm(string id, bool withNull, Action<AsnWriter>? parameters = null) => DerEdit.Encode(writer =>
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(id);
            if (withNull)
            {
                writer.WriteNull();
            }

            parameters?.Invoke(writer);
        }
    });

    private static byte[] OfPss(string hash, string maskHash, bool withNull, int salt) => Algorithm(Pss, withNull: false, writer =>
    {
        using (writer.PushSequence())
        {
            Field(writer, 0, inner => inner.WriteEncodedValue(Algorithm(hash, withNull)));
            Field(
                writer,
                1,
                inner => inner.WriteEncodedValue(Algorithm(Mgf1, withNull: false, mask => mask.WriteEncodedValue(Algorithm(maskHash, withNull)))));
            Field(writer, 2, inner => inner.WriteInteger(salt));
        }
    });

    private static void Field(AsnWriter writer, int number, Action<AsnWriter> write)
    {
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, number)))
        {
            write(writer);
        }
    }
}
