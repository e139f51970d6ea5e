using System.Buffers;
using System.Runtime.CompilerServices;

namespace MutualAuth.Hello;

/// <summary>Reads from a fresh connection until its ClientHello is complete, and puts back every byte for the TLS engine.</summary>
internal static class ClientHelloReader
{
    /// <summary>Reads the ClientHello, or says why there is none. A silent peer holds no buffer while it is silent.</summary>
    /// <exception cref="OperationCanceledException">The deadline passed, or the caller gave up.</exception>
    /// <exception cref="IOException">The transport failed.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal static async ValueTask<HelloReading> ReadAsync(
        IHelloSource source, int maxBytes, CancellationToken cancellationToken)
    {
        // On a socket a read of nothing waits for the first byte without a buffer; other streams may return at once.
        await source.ReadAsync(Memory<byte>.Empty, cancellationToken).ConfigureAwait(false);

        var limit = LimitOf(maxBytes);
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Min(limit, 4096));
        var length = 0;
        var records = default(ClientHelloRecords);
        try
        {
            while (true)
            {
                var count = await source.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
                length += count;
                var reading = ClientHelloParser.Parse(ref records, buffer.AsSpan(0, length), maxBytes, final: count == 0);
                if (reading.Hello is not null)
                {
                    source.PutBackHello(buffer, length, reading.Length, maxBytes);
                    buffer = [];
                    return reading;
                }

                if (reading.Problem is not null)
                {
                    return reading;
                }

                if (count == 0)
                {
                    return HelloReading.Refused(null, Incomplete(length));
                }

                if (length >= limit)
                {
                    return TooManyRecords(limit, length);
                }

                buffer = Grow(buffer, length, limit);
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

    /// <summary>The message, and the headers of the records that carry it.</summary>
    internal static int LimitOf(int maxBytes) => (2 * maxBytes) + 1024;

    internal static HelloReading TooManyRecords(int limit, int received) => HelloReading.Refused(
        TlsAlerts.DecodeError,
        new Rejection(RejectionReason.ClientHelloTooLarge, $"a ClientHello within {limit} bytes of records", $"{received} bytes without one"));

    /// <summary>The same buffer while there is room in it; else a larger one with what is in it.</summary>
    internal static byte[] Grow(byte[] buffer, int length, int limit)
    {
        if (length < buffer.Length)
        {
            return buffer;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Min(limit, 2 * length));
        buffer.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }

    /// <summary>What to say of a peer that went away, or went silent, after <paramref name="received"/> bytes and no ClientHello.</summary>
    internal static Rejection Incomplete(long received) => received == 0
        ? new Rejection(RejectionReason.NoClientHello, "a ClientHello", "nothing")
        {
            Hint = "Port scanners and health checks look like this; if it is a real client, it may be waiting for the server to speak first.",
        }
        : new Rejection(RejectionReason.IncompleteClientHello, "a complete ClientHello", $"{received} bytes of one");
}
