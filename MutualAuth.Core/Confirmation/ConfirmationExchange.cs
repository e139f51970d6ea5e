using System.Runtime.CompilerServices;

namespace MutualAuth.Confirmation;

/// <summary>The result of an exchange of verdicts, as far as the peer is concerned.</summary>
/// <param name="Peer">The peer's verdict; null when it sent none that is valid.</param>
/// <param name="Problem">What the peer sent instead of a verdict.</param>
/// <param name="Fault">The exception of the transport or the TLS engine.</param>
internal readonly record struct PeerAnswer(Verdict? Peer, Rejection? Problem = null, Exception? Fault = null);

/// <summary>
/// The whole protocol. As soon as a side has its own verdict, it writes it; then it reads the other's. If both accept, the stream belongs
/// to the application.
/// </summary>
internal static class ConfirmationExchange
{
    private static readonly ReadOnlyMemory<byte> s_accepted = Frame.Encode(Verdict.Accepted); // read by all, written by none

    /// <summary>Writes our verdict and reads the peer's, which is read even if ours could not be written: it may be the reason why.</summary>
    /// <exception cref="OperationCanceledException">The deadline passed.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal static async ValueTask<PeerAnswer> RunAsync(Stream stream, Verdict own, CancellationToken cancellationToken)
    {
        Exception? writeFault = null;
        try
        {
            await stream.WriteAsync(own.IsAccepted ? s_accepted : Frame.Encode(own), cancellationToken).ConfigureAwait(false);
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            writeFault = exception;
        }

        var answer = await ReadAnswerAsync(stream, cancellationToken).ConfigureAwait(false);

        // If our verdict cannot reach the peer, its acceptance is not a confirmation. And where nothing more can be read, the write's fault says
        // what happened: a socket reports a reset once, and after that only that the stream has ended.
        return writeFault is not null
            && (answer.Peer is { IsAccepted: true } || answer.Problem is { Reason: RejectionReason.ConfirmationTruncated })
            ? new PeerAnswer(null, Fault: writeFault)
            : answer;
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
