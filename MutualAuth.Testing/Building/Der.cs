using Org.BouncyCastle.Asn1;

namespace MutualAuth.Testing.Building;

/// <summary>Small DER constructions that BouncyCastle leaves ambiguous or verbose.</summary>
internal static class Der
{
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
