using System.Buffers;
using System.Runtime.CompilerServices;
using MutualAuth.Handshake;
using MutualAuth.Hello;

namespace MutualAuth.Connections;

/// <summary>Reads the header with which a trusted proxy begins, and leaves what follows it to the reader of the ClientHello.</summary>
internal static class ProxyHeaderReader
{
    /// <summary>Reads the header, and puts the attempt where the header says. A silent proxy holds no buffer.</summary>
    /// <param name="attempt">The transport.</param>
    /// <param name="maxLength">The longest header of version 2 accepted, without its preamble.</param>
    /// <exception cref="HandshakeException">There is no header, or none that can be read.</exception>
    /// <exception cref="OperationCanceledException">The deadline passed, or the attempt was ended.</exception>
    /// <exception cref="IOException">The transport failed.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    internal static async ValueTask ReadAsync(HandshakeAttempt attempt, int maxLength)
    {
        attempt.IncompleteHeader = Incomplete;
        var transport = attempt.Transport;
        await transport.ReadAsync(Memory<byte>.Empty, attempt.Token).ConfigureAwait(false);

        // Never more than the header of version 2, nor than the longest of version 1: what is read beyond a header is a hello's first few octets.
        var wanted = ProxyHeader.BinaryPreambleLength;
        var buffer = ArrayPool<byte>.Shared.Rent(ProxyHeader.MaxTextLength);
        var length = 0;
        try
        {
            while (true)
            {
                var count = await transport.ReadAsync(
                    buffer.AsMemory(length, Math.Min(wanted, buffer.Length) - length), attempt.Token).ConfigureAwait(false);
                if (count == 0)
                {
                    throw Refused(Incomplete(length));
                }

                length += count;
                var header = ProxyHeader.Parse(buffer.AsSpan(0, length), maxLength);
                if (header.Problem is { } problem)
                {
                    // A client that speaks TLS is not at fault, and is told so.
                    int? alert = buffer[0] == ClientHelloRecords.HandshakeRecord ? TlsAlerts.InternalError : null;
                    throw await HelloNegotiation.RefuseAsync(attempt, alert, problem).ConfigureAwait(false);
                }

                if (header.Length > 0)
                {
                    transport.SkipHeader(buffer, length, header.Length);
                    buffer = [];
                    attempt.IncompleteHeader = null;
                    if (header.Source is { } source)
                    {
                        attempt.PeerIsAt(source);
                    }

                    return;
                }

                wanted = header.Wanted;
                buffer = ClientHelloReader.Grow(buffer, length, wanted);
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

    private static Rejection Incomplete(long received) => received == 0
        ? ClientHelloReader.Incomplete(0)
        : new Rejection(RejectionReason.ProxyHeaderIncomplete, "a complete PROXY protocol header", $"{received} octets of one");

    private static HandshakeException Refused(Rejection problem) => new(HelloNegotiation.FailureOf(problem), problem);
}
