using Org.BouncyCastle.Asn1;

namespace MutualAuth.Testing.Building;

/// <summary>Distinguished names from the string form of RFC 4514, whose last part is encoded first.</summary>
internal static class Dn
{
    /// <summary>What a common name holds (RFC 5280 appendix A.1).</summary>
    internal const int MaxCommonName = 64;

    /// <exception cref="ArgumentException">It is no string form of a name.</exception>
    internal static Asn1Encodable Parse(string rfc4514)
    {
        ArgumentNullException.ThrowIfNull(rfc4514);
        return rfc4514.Length == 0 ? DerSequence.Empty : new DerSequence(new DnReader(rfc4514).Read().Reverse().ToArray());
    }

    /// <summary>Turns a plain name into <c>CN=name</c>, with what RFC 4514 §2.4 wants escaped.</summary>
    internal static string CommonName(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return "CN=" + string.Concat(name.Select((character, i) =>
            ",+\"\\<>;=#".Contains(character) || (char.IsWhiteSpace(character) && (i == 0 || i == name.Length - 1))
                ? $"\\{character}"
                : character.ToString()));
    }

    /// <summary>The subject of who is called <paramref name="name"/>: its common name, or nothing where that cannot hold it.</summary>
    internal static string SubjectOf(string name) => name.Length <= MaxCommonName ? CommonName(name) : string.Empty;
}
