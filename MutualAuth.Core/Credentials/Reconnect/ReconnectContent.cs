using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace MutualAuth.Credentials;

/// <summary>What a reconnect credential says to the server that sealed it. No one else can read it.</summary>
internal sealed record ReconnectContent
{
    internal const int MaxLength = 1024;

    private const byte Version = 1;
    private const int DigestLength = SHA256.HashSizeInBytes;
    private const int MaxFactors = SaslLimits.MaxExchanges;

    /// <summary>The user, as SASLprep writes the name.</summary>
    internal required string UserName { get; init; }

    /// <summary>As whom the user acts.</summary>
    internal required string ActsAs { get; init; }

    /// <summary>When the full login was.</summary>
    internal required DateTimeOffset LoginAt { get; init; }

    /// <summary>When it is over.</summary>
    internal required DateTimeOffset NotAfter { get; init; }

    /// <summary>What the full login proved.</summary>
    internal required PeerProofs Proofs { get; init; }

    /// <summary>SHA-256 of the client's public key.</summary>
    internal required ImmutableArray<byte> ClientKey { get; init; }

    /// <summary>SHA-256 of the name of the service.</summary>
    internal required ImmutableArray<byte> Server { get; init; }

    /// <summary>SHA-256 of the verifier that the password was checked against.</summary>
    internal required ImmutableArray<byte> Verifier { get; init; }

    /// <summary>A digest of all second factors that the user had.</summary>
    internal required ImmutableArray<byte> Factors { get; init; }

    /// <summary>The identifiers of the second factors that were shown.</summary>
    internal required ImmutableArray<string> ShownFactors { get; init; }

    /// <summary>What the client proves to have, and the server with it.</summary>
    internal required ImmutableArray<byte> Secret { get; init; }

    /// <summary>Writes it; the caller wipes the octets.</summary>
    internal byte[] Write()
    {
        using var octets = new MemoryStream(MaxLength);
        octets.WriteByte(Version);
        Span<byte> number = stackalloc byte[sizeof(long)];
        foreach (var value in (ReadOnlySpan<long>)[LoginAt.ToUnixTimeMilliseconds(), NotAfter.ToUnixTimeMilliseconds(), (long)Proofs])
        {
            BinaryPrimitives.WriteInt64BigEndian(number, value);
            octets.Write(number);
        }

        foreach (var digest in (ReadOnlySpan<ImmutableArray<byte>>)[ClientKey, Server, Verifier, Factors, Secret])
        {
            octets.Write(digest.AsSpan());
        }

        octets.WriteByte((byte)ShownFactors.Length);
        foreach (var text in (IEnumerable<string>)[UserName, ActsAs, .. ShownFactors])
        {
            var utf8 = Encoding.UTF8.GetBytes(text);
            octets.WriteByte(checked((byte)utf8.Length));
            octets.Write(utf8);
        }

        var written = octets.ToArray();
        CryptographicOperations.ZeroMemory(octets.GetBuffer());
        return written;
    }

    /// <summary>Reads what <see cref="Write"/> wrote; null for anything else. Only octets that our own key opened come here.</summary>
    internal static ReconnectContent? Read(ReadOnlySpan<byte> octets)
    {
        const int FixedLength = 1 + (3 * sizeof(long)) + (5 * DigestLength) + 1;
        if (octets.Length is < FixedLength or > MaxLength || octets[0] != Version || octets[FixedLength - 1] > MaxFactors)
        {
            return null;
        }

        var numbers = octets[1..];
        var digests = numbers[(3 * sizeof(long))..];
        if (!TryReadTime(numbers, out var loginAt) || !TryReadTime(numbers[sizeof(long)..], out var notAfter))
        {
            return null;
        }

        var texts = new string[2 + octets[FixedLength - 1]];
        var rest = octets[FixedLength..];
        for (var index = 0; index < texts.Length; index++)
        {
            if (rest.IsEmpty || rest[0] == 0 || rest.Length <= rest[0])
            {
                return null;
            }

            texts[index] = Encoding.UTF8.GetString(rest.Slice(1, rest[0]));
            rest = rest[(1 + rest[0])..];
        }

        return !rest.IsEmpty ? null : new ReconnectContent
        {
            UserName = texts[0],
            ActsAs = texts[1],
            LoginAt = loginAt,
            NotAfter = notAfter,
            Proofs = (PeerProofs)BinaryPrimitives.ReadInt64BigEndian(numbers[(2 * sizeof(long))..]),
            ClientKey = Digest(digests, 0),
            Server = Digest(digests, 1),
            Verifier = Digest(digests, 2),
            Factors = Digest(digests, 3),
            Secret = Digest(digests, 4),
            ShownFactors = [.. texts[2..]],
        };
    }

    private static ImmutableArray<byte> Digest(ReadOnlySpan<byte> digests, int index) =>
        [.. digests.Slice(index * DigestLength, DigestLength)];

    private static bool TryReadTime(ReadOnlySpan<byte> octets, out DateTimeOffset time)
    {
        var milliseconds = BinaryPrimitives.ReadInt64BigEndian(octets);
        var isTime = milliseconds >= DateTimeOffset.MinValue.ToUnixTimeMilliseconds()
            && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();
        time = isTime ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : default;
        return isTime;
    }
}
