using MutualAuth.Collections;

namespace MutualAuth.Credentials;

/// <summary>A bounded number of threads outside the pool, which stores, validators and rules may block for as long as they like.</summary>
/// <remarks>
/// A store that is synchronous behind an asynchronous interface, as SQLite's provider is, blocks the thread that calls it. On the pool,
/// some dozens of logins would stop everything else in the process; on the caller's thread, no deadline would hold. Threads are created on
/// demand, and end when they have been idle for a time. Safe for concurrent use.
/// </remarks>
internal sealed class BlockingCallThreads
{
    private const int IdleMilliseconds = 10_000;

    private readonly int _max;
    private readonly Action<Thread> _start;
    private readonly object _lock = new(); // of Monitor, which can wait
    private readonly LinkedList<Action> _waiting = new();
    private int _threads;
    private int _idle;

    /// <param name="max">How many threads.</param>
    /// <param name="start">Starts a thread; null for <see cref="Thread.Start()"/>. For tests.</param>
    internal BlockingCallThreads(int max, Action<Thread>? start = null) => (_max, _start) = (max, start ?? (static thread => thread.Start()));

    /// <summary>How many threads there are.</summary>
    internal int Threads
    {
        get
        {
            lock (_lock)
            {
                return _threads;
            }
        }
    }

    /// <summary>Starts a check on one of these threads, and waits for its end.</summary>
    /// <exception cref="OperationCanceledException">
    /// <paramref name="cancellationToken"/> was cancelled. A check that has begun continues, and its result is ignored.
    /// </exception>
    internal async ValueTask<T> RunAsync<T>(Func<ValueTask<T>> check, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var begun = new TaskCompletionSource<Task<T>>(TaskCreationOptions.RunContinuationsAsynchronously);
        var context = ExecutionContext.Capture();
        var place = Enqueue(() => Begin(check, context, begun, cancellationToken));
        try
        {
            var running = await begun.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            return await running.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Forget(place);
            throw;
        }
    }

    /// <summary>The same for a check that is given a token.</summary>
    /// <exception cref="OperationCanceledException">As above.</exception>
    internal ValueTask<T> RunAsync<T>(Func<CancellationToken, ValueTask<T>> check, CancellationToken cancellationToken) =>
        RunAsync(() => HandedToken.RunAsync(check, cancellationToken), cancellationToken);

    private static void Begin<T>(
        Func<ValueTask<T>> check, ExecutionContext? context, TaskCompletionSource<Task<T>> begun, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            begun.TrySetCanceled(cancellationToken);
            return;
        }

        if (context is null)
        {
            Invoke();
        }
        else
        {
            ExecutionContext.Run(context, static state => ((Action)state!)(), (Action)Invoke);
        }

        void Invoke()
        {
            try
            {
                begun.TrySetResult(check().AsTask());
            }
            catch (Exception exception)
            {
                begun.TrySetException(exception);
            }
        }
    }

    private LinkedListNode<Action> Enqueue(Action work)
    {
        lock (_lock)
        {
            var place = _waiting.AddLast(work);
            if (_idle >= _waiting.Count || _threads >= _max)
            {
                Monitor.Pulse(_lock);
                return place;
            }

            try
            {
                using (ExecutionContext.SuppressFlow())
                {
                    _start(new Thread(Work) { IsBackground = true, Name = "MutualAuth credential check" });
                }

                _threads++; // the thread has to wait for the lock
            }
            catch (Exception) when (_threads > 0)
            {
                // Of memory or threads there are no more. Those that run take the call in its turn.
                Monitor.Pulse(_lock);
            }
            catch
            {
                _waiting.Remove(place); // no thread would take it, or one much later, for a caller who has left
                throw;
            }

            return place;
        }
    }

    private void Forget(LinkedListNode<Action> place)
    {
        lock (_lock)
        {
            if (place.List == _waiting)
            {
                _waiting.Remove(place);
            }
        }
    }

    private void Work()
    {
        while (Next() is { } work)
        {
            work();
        }
    }

    /// <returns>Null when the thread is to end.</returns>
    private Action? Next()
    {
        lock (_lock)
        {
            while (_waiting.First is null)
            {
                _idle++;
                var isPulsed = Monitor.Wait(_lock, IdleMilliseconds);
                _idle--;
                if (!isPulsed && _waiting.First is null)
                {
                    _threads--;
                    return null;
                }
            }

            var work = _waiting.First.Value;
            _waiting.RemoveFirst();
            return work;
        }
    }
}
