using System.Buffers;

namespace MutualAuth.Hello;

/// <summary>
/// The hello that a client sends after a HelloRetryRequest (RFC 8446 §4.1.4). It comes in the clear, names the key exchange again, and is judged like
/// the first before the TLS engine computes with it.
/// </summary>
internal static class HelloAfterRetry
{
    private const byte ChangeCipherSpec = 20;
    private const int ChangeCipherSpecLength = 6;
    private const int RandomAt = 11;

    // RFC 8446 §4.1.3: the SHA-256 of "HelloRetryRequest", in the place of the server's random.
    private static ReadOnlySpan<byte> RetryRandom =>
    [
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
        0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
    ];

    /// <summary>Whether our first flight asks for another hello.</summary>
    internal static bool IsAskedFor(ReadOnlySpan<byte> flight) =>
        flight is [ClientHelloRecords.HandshakeRecord, _, _, _, _, 2, ..]
        && flight.Length >= RandomAt + RetryRandom.Length
        && IsRetry(flight.Slice(RandomAt, RetryRandom.Length));

    /// <summary>Whether the random of a ServerHello is the one that makes it a HelloRetryRequest.</summary>
    internal static bool IsRetry(ReadOnlySpan<byte> random) => random.SequenceEqual(RetryRandom);

    /// <summary>
    /// Reads it, and puts it back. Returns what is wrong with it; null for nothing, and for what is no hello: the TLS engine judges that.
    /// </summary>
    /// <exception cref="OperationCanceledException">The deadline passed, or the caller gave up.</exception>
    /// <exception cref="IOException">The transport failed.</exception>
    internal static async ValueTask<HelloReading?> ReadAsync(IHelloSource source, int maxBytes, CancellationToken cancellationToken)
    {
        var limit = ClientHelloReader.LimitOf(maxBytes);
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Max(4096, source.ReadAheadLength));
        var length = 0;
        var records = default(ClientHelloRecords);
        var start = -1;
        try
        {
            while (true)
            {
                var count = await source.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
                length += count;
                if (start < 0 && (start = StartIn(buffer.AsSpan(0, length))) >= 0)
                {
                    records = new ClientHelloRecords(start);
                }

                var isAnother = start >= 0 && start < length && buffer[start] != ClientHelloRecords.HandshakeRecord;
                var reading = start < 0 || isAnother ? default : Examine(ref records, buffer.AsSpan(0, length), start, maxBytes);
                if (reading.Problem is not null)
                {
                    return reading;
                }

                if (reading.Hello is not null || isAnother || count == 0)
                {
                    source.PutBack(buffer, length);
                    buffer = [];
                    return null;
                }

                if (length >= limit)
                {
                    return ClientHelloReader.TooManyRecords(limit, length);
                }

                buffer = ClientHelloReader.Grow(buffer, length, limit);
            }
        }
        finally
        {
            if (buffer.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }

    private static HelloReading Examine(ref ClientHelloRecords records, ReadOnlySpan<byte> received, int start, int maxBytes) =>
        records.Advance(received, maxBytes) ?? (records.IsComplete ? ClientHelloParser.Read(received, start, records) : default);

    /// <summary>Where the first record that is no change_cipher_spec begins (RFC 8446 §D.4); -1 while it has not come.</summary>
    private static int StartIn(ReadOnlySpan<byte> received)
    {
        for (var at = 0; at < received.Length; at += ChangeCipherSpecLength)
        {
            if (received[at] != ChangeCipherSpec)
            {
                return at;
            }
        }

        return -1;
    }
}
