namespace MutualAuth.Collections;

/// <summary>
/// A token for code of the application's, which follows one of ours. What that code registers on it runs on a thread of the pool: it may block or
/// throw, and neither who cancels our token nor what waits for that is concerned.
/// </summary>
internal sealed class HandedToken : IDisposable
{
    private readonly CancellationTokenSource _source = new(); // without a timer it need not be disposed of
    private readonly CancellationTokenRegistration _follows;

    /// <param name="ours">The token that it follows until it is disposed of.</param>
    internal HandedToken(CancellationToken ours) =>
        _follows = ours.UnsafeRegister(static source => CancelAside((CancellationTokenSource)source!), _source);

    internal CancellationToken Token => _source.Token;

    /// <summary>Gives the work a token of its own, for as long as it runs.</summary>
    internal static async ValueTask<T> RunAsync<T>(Func<CancellationToken, ValueTask<T>> work, CancellationToken ours)
    {
        using var handed = new HandedToken(ours);
        return await work(handed.Token).ConfigureAwait(false);
    }

    /// <summary>Cancels at once, and has the callbacks called on the pool. What they throw is lost, as what a late answer throws.</summary>
    /// <exception cref="ObjectDisposedException">The source has been disposed of.</exception>
    internal static void CancelAside(CancellationTokenSource source) => _ = source.CancelAsync().ContinueWith(
        static failed => _ = failed.Exception,
        CancellationToken.None,
        TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
        TaskScheduler.Default);

    public void Dispose() => _follows.Dispose();
}
