using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace MutualAuth.Audit;

/// <summary>
/// Where a trail stands: how many entries, the code of the last one, and the key of the next. The key moves on by a one-way function with each
/// entry, and the one before is wiped: who has the key of today cannot make an entry of yesterday.
/// </summary>
internal sealed class AuditChain : IDisposable
{
    internal const int KeyLength = 48;
    internal const int MaxLineLength = 128 * 1024;
    internal const int MaxWhatLength = 64;
    internal const int MaxConnectionLength = 128;
    internal const int MaxTextLength = 8192;
    internal const int MaxDetails = 20;
    internal const int MaxDetailNameLength = 32;
    internal const int MaxDetailLength = 512;

    private const int CodeTextLength = 2 * HMACSHA384.HashSizeInBytes;

    private static readonly SearchValues<byte> s_digits = SearchValues.Create("0123456789abcdef"u8);

    private readonly byte[] _key;

    internal AuditChain(ReadOnlySpan<byte> key)
        : this(key, 0, new byte[HMACSHA384.HashSizeInBytes])
    {
    }

    internal AuditChain(ReadOnlySpan<byte> key, long count, ReadOnlySpan<byte> lastCode)
    {
        _key = key.ToArray();
        Count = count;
        LastCode = lastCode.ToArray();
    }

    internal long Count { get; private set; }

    internal byte[] LastCode { get; private set; }

    internal ReadOnlySpan<byte> Key => _key;

    /// <summary>Makes the line of the next entry, and moves on.</summary>
    internal byte[] Append(AuditEvent what, DateTimeOffset at)
    {
        var content = Encode(what, at, Count);
        var code = CodeOf(content);
        Advance(code);
        return [.. Encoding.ASCII.GetBytes(Convert.ToHexStringLower(code)), (byte)' ', .. content, (byte)'\n'];
    }

    /// <summary>Whether this line, without its end, is the next entry; then moves on.</summary>
    internal bool TryFollow(ReadOnlySpan<byte> line)
    {
        Span<byte> said = stackalloc byte[HMACSHA384.HashSizeInBytes];
        if (!TrySplit(line, said, out var content))
        {
            return false;
        }

        var code = CodeOf(content);
        if (!CryptographicOperations.FixedTimeEquals(code, said))
        {
            return false;
        }

        Advance(code);
        return true;
    }

    /// <summary>What a line says of its own number and kind. Trust it only after <see cref="TryFollow"/>.</summary>
    internal static (long? Number, string? What) Peek(ReadOnlySpan<byte> line)
    {
        if (!TrySplit(line, stackalloc byte[HMACSHA384.HashSizeInBytes], out var content))
        {
            return default;
        }

        try
        {
            using var document = JsonDocument.Parse(content.ToArray());
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("n", out var n) && n.ValueKind == JsonValueKind.Number && n.TryGetInt64(out var number)
                && document.RootElement.TryGetProperty("what", out var what) && what.ValueKind == JsonValueKind.String
                    ? (number, what.GetString())
                    : ((long?)null, null);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return default;
        }
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_key);

    private static bool TrySplit(ReadOnlySpan<byte> line, scoped Span<byte> code, out ReadOnlySpan<byte> content)
    {
        content = default;
        if (line.Length <= CodeTextLength + 1 || line[CodeTextLength] != ' ')
        {
            return false;
        }

        content = line[(CodeTextLength + 1)..];
        var text = line[..CodeTextLength];
        return !text.ContainsAnyExcept(s_digits) && Convert.FromHexString(text, code, out _, out _) == OperationStatus.Done;
    }

    private static byte[] Encode(AuditEvent what, DateTimeOffset at, long number)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("n", number);
            json.WriteString("at", at.UtcDateTime);
            json.WriteString("what", Bounded(what.What, MaxWhatLength));
            if (what.Connection is { } connection)
            {
                json.WriteString("connection", Bounded(connection, MaxConnectionLength));
            }

            json.WriteString("text", Bounded(what.Text, MaxTextLength));
            if (!what.Details.IsEmpty)
            {
                json.WriteStartObject("details");
                foreach (var (name, value) in what.Details.Take(MaxDetails))
                {
                    json.WriteString(Bounded(name, MaxDetailNameLength), Bounded(value, MaxDetailLength));
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <summary>Well-formed, and no longer than so many characters; what is longer says how long it was.</summary>
    private static string Bounded(string text, int most)
    {
        var kept = text.Length <= most ? text : text[..most];
        var wellFormed = new StringBuilder(kept.Length);
        foreach (var rune in kept.EnumerateRunes())
        {
            wellFormed.Append(rune.ToString()); // a half of a pair becomes the replacement character
        }

        return kept.Length == text.Length ? wellFormed.ToString() : $"{wellFormed}… ({text.Length} characters)";
    }

    private byte[] CodeOf(ReadOnlySpan<byte> content) => HMACSHA384.HashData(_key, (byte[])[1, .. LastCode, .. content]);

    private void Advance(byte[] code)
    {
        var next = HMACSHA384.HashData(_key, (byte[])[2]);
        next.CopyTo(_key, 0);
        CryptographicOperations.ZeroMemory(next);
        LastCode = code;
        Count++;
    }
}
