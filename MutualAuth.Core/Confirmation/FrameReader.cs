using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace MutualAuth.Confirmation;

/// <summary>Reads confirmation frames and not one byte more: everything that follows belongs to the application.</summary>
internal static class FrameReader
{
    /// <summary>Reads one verdict, or returns what came instead.</summary>
    /// <exception cref="IOException">The transport failed, or the peer sent an alert.</exception>
    /// <exception cref="OperationCanceledException">The deadline passed.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal static async ValueTask<(Verdict? Verdict, Rejection? Problem)> ReadVerdictAsync(Stream stream, CancellationToken cancellationToken)
    {
        // A verdict has a fixed length, so usually one read is enough; any other header is checked before more is read.
        var buffer = new byte[Frame.HeaderLength + Frame.VerdictPayloadLength];
        var read = await stream.ReadAtLeastAsync(buffer, Frame.HeaderLength, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        if (read < Frame.HeaderLength)
        {
            return (null, Truncated(read));
        }

        if (Frame.CheckHeader(buffer.AsSpan(0, Frame.HeaderLength), FrameType.Verdict) is { } problem)
        {
            return (null, problem);
        }

        if (read < buffer.Length)
        {
            read += await stream.ReadAtLeastAsync(
                buffer.AsMemory(read), buffer.Length - read, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        }

        return read < buffer.Length ? (null, Truncated(read)) : (Frame.DecodeVerdict(buffer.AsSpan(Frame.HeaderLength)), null);
    }

    /// <summary>Reads one frame of one of these types, or returns what came instead. The payload may hold a secret; the caller wipes it.</summary>
    /// <exception cref="IOException">The transport failed, or the peer sent an alert.</exception>
    /// <exception cref="OperationCanceledException">The deadline passed.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal static async ValueTask<(FrameType Type, byte[] Payload, Rejection? Problem)> ReadAsync(
        Stream stream, FrameType[] expected, CancellationToken cancellationToken)
    {
        var header = new byte[Frame.HeaderLength];
        var read = await stream.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        if (read < header.Length)
        {
            return (default, [], Truncated(read));
        }

        if (Frame.CheckHeader(header, expected) is { } problem)
        {
            return (default, [], problem);
        }

        var payload = new byte[BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(1))];
        read = await stream.ReadAtLeastAsync(payload, payload.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        return read < payload.Length ? (default, [], Truncated(header.Length + read)) : ((FrameType)header[0], payload, null);
    }

    private static Rejection Truncated(int received) =>
        new(
            RejectionReason.ConfirmationTruncated,
            "the peer's verdict",
            received == 0 ? "the end of the stream" : $"the end of the stream after {received}");
}
