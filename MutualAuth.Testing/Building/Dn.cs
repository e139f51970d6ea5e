using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;

namespace MutualAuth.Testing.Building;

/// <summary>Distinguished names from the string form of RFC 4514, whose last part is encoded first.</summary>
internal static class Dn
{
    /// <summary>What a common name holds (RFC 5280 appendix A.1).</summary>
    internal const int MaxCommonName = 64;

    private static readonly UnboundedConverter s_converter = new();

    internal static Asn1Encodable Parse(string rfc4514)
    {
        ArgumentNullException.ThrowIfNull(rfc4514);
        return rfc4514.Length == 0 ? DerSequence.Empty : new X509Name(true, rfc4514, s_converter);
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

    /// <summary>Writes values of any length: a certificate that breaks a bound of RFC 5280 may be what a test wants.</summary>
    private sealed class UnboundedConverter : X509DefaultEntryConverter
    {
        public override Asn1Object GetConvertedValue(DerObjectIdentifier oid, string value)
        {
            // The base takes a first backslash away, which it believes to stand before a sharp.
            if (value.StartsWith('\\') && !value.StartsWith("\\#", StringComparison.Ordinal))
            {
                value = '\\' + value;
            }

            try
            {
                return base.GetConvertedValue(oid, value);
            }
            catch (ArgumentException) when (!value.StartsWith('#'))
            {
                return new DerUtf8String(value.StartsWith('\\') ? value[1..] : value);
            }
        }
    }
}
