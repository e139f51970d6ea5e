using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;

namespace MutualAuth.Testing.Building;

/// <summary>Distinguished names from the string form of RFC 4514, whose last part is encoded first.</summary>
internal static class Dn
{
    internal static Asn1Encodable Parse(string rfc4514)
    {
        ArgumentNullException.ThrowIfNull(rfc4514);
        return rfc4514.Length == 0 ? DerSequence.Empty : new X509Name(true, rfc4514);
    }

    /// <summary>Turns a plain name into <c>CN=name</c>, with what RFC 4514 §2.4 wants escaped.</summary>
    internal static string CommonName(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var escaped = string.Concat(name.Select(character => ",+\"\\<>;=#".Contains(character) ? $"\\{character}" : character.ToString()));
        return "CN=" + escaped;
    }
}
