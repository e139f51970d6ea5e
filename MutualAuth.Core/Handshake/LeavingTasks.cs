namespace MutualAuth.Handshake;

/// <summary>Waits for work that cannot be stopped.</summary>
internal static class LeavingTasks
{
    /// <summary>Waits until the work is done or the token ends, and then leaves it to itself; what it throws after that concerns nobody.</summary>
    /// <exception cref="OperationCanceledException">The token ended first.</exception>
    internal static async Task<T> OrLeaveAsync<T>(this Task<T> work, CancellationToken cancellationToken)
    {
        try
        {
            return await work.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!work.IsCompleted)
        {
            _ = work.ContinueWith(static left => _ = left.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            throw;
        }
    }
}
