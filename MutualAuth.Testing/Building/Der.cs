using System.Text;
using Org.BouncyCastle.Asn1;

namespace MutualAuth.Testing.Building;

/// <summary>Small DER constructions that BouncyCastle leaves ambiguous or verbose.</summary>
internal static class Der
{
    /// <summary>An IA5String with the octets of UTF-8, which are wrong in it beyond ASCII and may be wanted.</summary>
    internal static byte[] Ia5(string text)
    {
        var octets = new DerOctetString(Encoding.UTF8.GetBytes(text)).GetDerEncoded();
        octets[0] = Asn1Tags.IA5String;
        return octets;
    }

    internal static DerSequence Sequence(IEnumerable<Asn1Encodable> parts)
    {
        var vector = new Asn1EncodableVector();
        foreach (var part in parts)
        {
            vector.Add(part);
        }

        return new DerSequence(vector);
    }
}
