namespace MutualAuth.Handshake;

/// <summary>Calls what the application has given us. Whatever it throws is a fault on our own account, and never the peer's.</summary>
internal static class ApplicationCalls
{
    internal static T Ask<T>(string what, Func<T> ask)
    {
        try
        {
            return ask();
        }
        catch (Exception exception)
        {
            throw Fault(what, exception);
        }
    }

    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended.</exception>
    internal static async ValueTask<T> AskAsync<T>(string what, Func<ValueTask<T>> ask, CancellationToken cancellationToken)
    {
        try
        {
            return await ask().ConfigureAwait(false);
        }
        catch (Exception exception) when (!(exception is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            throw Fault(what, exception);
        }
    }

    internal static HandshakeException Fault(string what, Exception exception) => new(
        HandshakeFailure.OurFault,
        new Rejection(RejectionReason.SourceFaulted, what, $"an exception, {exception.GetType().Name}")
        {
            Hint = exception is MaterialException material ? material.Message : "It is nothing that the peer did; the inner exception says more.",
        },
        exception);
}
