using System.Runtime.CompilerServices;

namespace MutualAuth.Confirmation;

/// <summary>What came of an exchange of verdicts, as far as the peer is concerned.</summary>
/// <param name="Peer">What the peer said; null when it said nothing that counts.</param>
/// <param name="Problem">What came instead of a verdict.</param>
/// <param name="Fault">What the transport or the TLS engine threw instead.</param>
internal readonly record struct PeerAnswer(Verdict? Peer, Rejection? Problem = null, Exception? Fault = null);

/// <summary>
/// The whole protocol. Each side, as soon as it has its own verdict, writes it; then it reads the other's. Both accepted: the stream is the application's.
/// </summary>
internal static class ConfirmationExchange
{
    /// <summary>Writes our verdict and reads the peer's, which is read even when ours could not be written: it may be the reason why.</summary>
    /// <exception cref="OperationCanceledException">The deadline passed.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal static async ValueTask<PeerAnswer> RunAsync(Stream stream, Verdict own, CancellationToken cancellationToken)
    {
        Exception? writeFault = null;
        try
        {
            await stream.WriteAsync(Frame.Encode(own), cancellationToken).ConfigureAwait(false);
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            writeFault = exception;
        }

        var answer = await ReadAnswerAsync(stream, cancellationToken).ConfigureAwait(false);

        // Accepted by a peer that our own verdict cannot reach is not a confirmation.
        return writeFault is not null && answer.Peer is { IsAccepted: true } ? new PeerAnswer(null, Fault: writeFault) : answer;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<PeerAnswer> ReadAnswerAsync(Stream stream, CancellationToken cancellationToken)
    {
        try
        {
            var (verdict, problem) = await FrameReader.ReadVerdictAsync(stream, cancellationToken).ConfigureAwait(false);
            return problem is null ? new PeerAnswer(verdict) : new PeerAnswer(null, problem);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return new PeerAnswer(null, Fault: exception);
        }
    }
}
