namespace MutualAuth.Tests.Support;

internal static class CancellationTokens
{
    /// <summary>Waits, with the deadline of the tests, until the token is cancelled.</summary>
    internal static async Task WaitHandleAsync(this CancellationToken token)
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = token.Register(cancelled.SetResult);
        await cancelled.Task.WaitAsync(ConnectedPair.Deadline, CancellationToken.None);
    }
}
