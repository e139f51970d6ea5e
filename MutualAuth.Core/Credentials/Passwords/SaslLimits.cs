namespace MutualAuth.Credentials;

/// <summary>The limits of a SASL exchange (RFC 4422) before the client is authenticated.</summary>
internal static class SaslLimits
{
    /// <summary>The longest SASL message; the longest tokens fit in.</summary>
    internal const int MaxMessageLength = 16 * 1024;

    /// <summary>The most messages from the client in one exchange.</summary>
    internal const int MaxRounds = 8;

    /// <summary>The most exchanges of one login.</summary>
    internal const int MaxExchanges = 3;

    /// <summary>The most mechanisms that a server names.</summary>
    internal const int MaxMechanisms = 32;

    /// <summary>The most that a server offers: one name is kept for its nonce.</summary>
    internal const int MaxOffered = MaxMechanisms - 1;

    /// <summary>The longest user name, in octets.</summary>
    internal const int MaxNameLength = 255;

    /// <summary>RFC 4422 §3.1: 1 to 20 upper-case letters, digits, hyphens and underscores.</summary>
    internal static bool IsMechanismName(ReadOnlySpan<char> name)
    {
        foreach (var character in name)
        {
            if (!char.IsAsciiLetterUpper(character) && !char.IsAsciiDigit(character) && character is not ('-' or '_'))
            {
                return false;
            }
        }

        return name.Length is >= 1 and <= 20;
    }
}
