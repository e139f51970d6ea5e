using System.Buffers;
using System.Buffers.Text;

namespace MutualAuth.Credentials;

/// <summary>
/// A line of a user in the form that this library writes: a name of printable ASCII, one verifier, nothing else. It accepts nothing that
/// <see cref="CredentialFile"/> would not; what it does not recognize is read there.
/// </summary>
/// <remarks>So that a file of 400,000 users is checked without an object for any of them.</remarks>
internal static class UserLine
{
    private const int MaxDigits = 7;
    private const int MaxKeyLength = 64;

    private static readonly SearchValues<byte> s_nameOctets = SearchValues.Create(
        "!\"#$%&'()*+,-./0123456789;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"u8);

    /// <summary>Whether the line, without its end, is one.</summary>
    internal static bool IsUsual(ReadOnlySpan<byte> line)
    {
        var name = NameOf(line);
        if (name.IsEmpty || name.Length > SaslLimits.MaxNameLength || name[0] == (byte)'#' || name.ContainsAnyExcept(s_nameOctets))
        {
            return false;
        }

        var verifier = line[(name.Length + 1)..];
        verifier = verifier.StartsWith("!"u8) ? verifier[1..] : verifier;
        var keyLength = verifier.StartsWith("SCRAM-SHA-256$"u8) ? 32 : verifier.StartsWith("SCRAM-SHA-512$"u8) ? 64 : 0;
        if (keyLength == 0)
        {
            return false;
        }

        var rest = verifier["SCRAM-SHA-256$".Length..];
        return TryTake(ref rest, (byte)':', out var iterations) && iterations.Length is > 0 and <= MaxDigits
            && !iterations.ContainsAnyExceptInRange((byte)'0', (byte)'9') && iterations[0] != (byte)'0'
            && TryTake(ref rest, (byte)'$', out var salt) && IsBase64(salt, ScramVerifier.MinSaltLength, ScramVerifier.MaxSaltLength)
            && TryTake(ref rest, (byte)':', out var stored) && IsBase64(stored, keyLength, keyLength)
            && IsBase64(rest, keyLength, keyLength);
    }

    /// <summary>What stands before the first colon; empty where there is none.</summary>
    internal static ReadOnlySpan<byte> NameOf(ReadOnlySpan<byte> line) => line.IndexOf((byte)':') is >= 0 and var length ? line[..length] : [];

    private static bool TryTake(ref ReadOnlySpan<byte> rest, byte end, out ReadOnlySpan<byte> part)
    {
        var length = rest.IndexOf(end);
        part = length < 0 ? [] : rest[..length];
        rest = length < 0 ? rest : rest[(length + 1)..];
        return length >= 0;
    }

    /// <summary>Whether it is what the writer makes of so many octets: nothing else counts, as in <see cref="ScramText.FromBase64"/>.</summary>
    private static bool IsBase64(ReadOnlySpan<byte> text, int least, int most)
    {
        Span<byte> octets = stackalloc byte[MaxKeyLength + 2];
        Span<byte> again = stackalloc byte[MaxKeyLength * 2];
        return text.Length <= again.Length
            && Base64.GetMaxDecodedFromUtf8Length(text.Length) <= octets.Length
            && Base64.DecodeFromUtf8(text, octets, out var consumed, out var length) == OperationStatus.Done
            && consumed == text.Length
            && length >= least
            && length <= most
            && Base64.EncodeToUtf8(octets[..length], again, out _, out var written) == OperationStatus.Done
            && text.SequenceEqual(again[..written]);
    }
}
