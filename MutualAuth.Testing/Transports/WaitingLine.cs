namespace MutualAuth.Testing.Transports;

/// <summary>What is tried under the lock of a pair.</summary>
/// <param name="wait">How long nothing can change by itself when it did not succeed.</param>
/// <returns>Whether it is done.</returns>
internal delegate bool WireAttempt(out TimeSpan wait);

/// <summary>Those who wait to read, or to write, in one direction: each has its turn when all who came before it are done.</summary>
internal sealed class WaitingLine(object gate, TimeProvider clock)
{
    private readonly LinkedList<object> _line = new();
    private TaskCompletionSource _changed = NewSignal();

    /// <summary>Has the first in the line try again. Under the lock.</summary>
    internal void Wake()
    {
        _changed.TrySetResult();
        _changed = NewSignal();
    }

    /// <summary>Tries until it is done; several callers one after the other.</summary>
    internal async ValueTask InTurnAsync(WireAttempt attempt, CancellationToken cancellationToken)
    {
        LinkedListNode<object> turn;
        lock (gate)
        {
            turn = _line.AddLast(new object());
        }

        try
        {
            while (true)
            {
                Task change;
                var wait = Timeout.InfiniteTimeSpan;
                lock (gate)
                {
                    if (turn == _line.First && attempt(out wait))
                    {
                        return;
                    }

                    change = _changed.Task;
                }

                await WaitAsync(change, wait, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            lock (gate)
            {
                _line.Remove(turn);
                Wake();
            }
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Waits for a change, or for a time down to the tick: <see cref="Task.Delay(TimeSpan)"/> knows milliseconds only.</summary>
    private async Task WaitAsync(Task change, TimeSpan wait, CancellationToken cancellationToken)
    {
        var elapsed = NewSignal();
        await using var timer = clock.CreateTimer(
            static state => ((TaskCompletionSource)state!).TrySetResult(), elapsed, wait, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
        Task ended = Task.WhenAny(change, elapsed.Task).WaitAsync(cancellationToken);
        await ended.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // its exception is not the one that sockets throw
        cancellationToken.ThrowIfCancellationRequested();
    }
}
