using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace MutualAuth.Credentials;

/// <summary>The grammar of RFC 5802 §7, as far as both sides need it: attributes, names and strict base64.</summary>
internal static class ScramText
{
    /// <summary>The longest SCRAM message that is read.</summary>
    internal const int MaxMessageLength = 2048;

    private const string OwnAttributes = "aceimnprsv";

    private static readonly SearchValues<char> s_nonceCharacters =
        SearchValues.Create([.. Enumerable.Range(0x21, 0x7e - 0x21 + 1).Select(code => (char)code).Where(character => character != ',')]);

    /// <summary>A message as text, when it has the length and the encoding of one.</summary>
    internal static string? Decode(ReadOnlySpan<byte> message) =>
        message.Length is 0 or > MaxMessageLength || message.Contains((byte)0) || !System.Text.Unicode.Utf8.IsValid(message)
            ? null
            : Encoding.UTF8.GetString(message);

    /// <summary>The value of an attribute that must stand here, such as <c>r=</c>.</summary>
    internal static bool TryValue(string attribute, char name, [NotNullWhen(true)] out string? value)
    {
        var isIt = attribute.Length >= 2 && attribute[0] == name && attribute[1] == '=';
        value = isIt ? attribute[2..] : null;
        return isIt;
    }

    internal static bool IsNonce(string text) => text.Length is > 0 and <= 512 && !text.AsSpan().ContainsAnyExcept(s_nonceCharacters);

    /// <summary>
    /// Optional extensions: a letter of their own, an equals sign and a value. <c>m=</c> is always rejected, because it announces a
    /// mandatory one (RFC 5802 §5.1), and so is an attribute of the messages themselves.
    /// </summary>
    internal static bool AreExtensions(ReadOnlySpan<string> attributes)
    {
        foreach (var attribute in attributes)
        {
            if (attribute.Length < 3
                || attribute[1] != '='
                || !char.IsAsciiLetter(attribute[0])
                || OwnAttributes.Contains(attribute[0], StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>saslname: "=2C" for a comma and "=3D" for an equals sign.</summary>
    internal static string EscapeName(string name) =>
        name.Replace("=", "=3D", StringComparison.Ordinal).Replace(",", "=2C", StringComparison.Ordinal);

    /// <returns>Null when an equals sign stands for anything else.</returns>
    internal static string? UnescapeName(string name)
    {
        for (var at = name.IndexOf('=', StringComparison.Ordinal); at >= 0; at = name.IndexOf('=', at + 1))
        {
            if (!name.AsSpan(at).StartsWith("=2C", StringComparison.Ordinal) && !name.AsSpan(at).StartsWith("=3D", StringComparison.Ordinal))
            {
                return null;
            }
        }

        return name.Length == 0 ? null : name.Replace("=2C", ",", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal);
    }

    /// <summary>Base64 with its padding and without white space (RFC 4648 §4); null when it is not, or is empty.</summary>
    internal static byte[]? FromBase64(string text)
    {
        if (text.Length is 0 or > MaxMessageLength)
        {
            return null;
        }

        // The platform reads over white space, and over last bits that are not zero: what is not written again as it stood is none.
        Span<byte> bytes = stackalloc byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        Span<char> again = stackalloc char[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var length)
            && Convert.TryToBase64Chars(bytes[..length], again, out var written)
            && again[..written].SequenceEqual(text)
            ? bytes[..length].ToArray()
            : null;
    }

    /// <summary>AuthMessage (RFC 5802 §3): the three messages, a comma between them, in UTF-8.</summary>
    internal static byte[] AuthMessage(string clientFirstBare, string serverFirst, ReadOnlySpan<char> clientFinalWithoutProof)
    {
        var message = new byte[Encoding.UTF8.GetByteCount(clientFirstBare) + Encoding.UTF8.GetByteCount(serverFirst)
            + Encoding.UTF8.GetByteCount(clientFinalWithoutProof) + 2];
        var at = Encoding.UTF8.GetBytes(clientFirstBare, message);
        message[at++] = (byte)',';
        at += Encoding.UTF8.GetBytes(serverFirst, message.AsSpan(at));
        message[at++] = (byte)',';
        Encoding.UTF8.GetBytes(clientFinalWithoutProof, message.AsSpan(at));
        return message;
    }
}
