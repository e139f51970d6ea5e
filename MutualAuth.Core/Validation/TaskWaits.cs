using MutualAuth.Collections;

namespace MutualAuth.Validation;

/// <summary>Waits for work that cannot be stopped.</summary>
internal static class TaskWaits
{
    /// <summary>Waits until the work is done or the token ends, and then abandons it; later exceptions are ignored.</summary>
    /// <param name="work">The work.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="late">Receives the result of abandoned work; null to ignore it.</param>
    /// <exception cref="OperationCanceledException">The token ended first.</exception>
    internal static async Task<T> OrLeaveAsync<T>(this Task<T> work, CancellationToken cancellationToken, Action<T>? late = null)
    {
        try
        {
            return await work.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!work.IsCompleted || (late is not null && work.IsCompletedSuccessfully))
        {
            _ = ObserveAsync(work, late);
            throw;
        }
    }

    /// <summary>Runs code of the application's on a thread that it may block, until it is done or the token ends.</summary>
    /// <exception cref="OperationCanceledException">The token ended first.</exception>
    internal static Task<T> RunOrLeaveAsync<T>(Func<ValueTask<T>> work, CancellationToken cancellationToken, Action<T>? late = null) =>
        Task.Run(async () => await work().ConfigureAwait(false), CancellationToken.None).OrLeaveAsync(cancellationToken, late);

    /// <summary>The same for code that is given a token.</summary>
    /// <exception cref="OperationCanceledException">The token ended first.</exception>
    internal static Task<T> RunOrLeaveAsync<T>(Func<CancellationToken, ValueTask<T>> work, CancellationToken cancellationToken) =>
        RunOrLeaveAsync(() => HandedToken.RunAsync(work, cancellationToken), cancellationToken);

    private static async Task ObserveAsync<T>(Task<T> work, Action<T>? late)
    {
        await ((Task)work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (work.IsCompletedSuccessfully)
        {
            late?.Invoke(await work.ConfigureAwait(false));
        }
        else
        {
            _ = work.Exception;
        }
    }
}
