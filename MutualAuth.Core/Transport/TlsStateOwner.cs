using System.Diagnostics.CodeAnalysis;

namespace MutualAuth.Transport;

/// <summary>
/// Knows who is inside the TLS engine of one connection, so that the engine's own end (<c>SSL_shutdown</c>) never runs beside a read or a write. An
/// engine is not thread-safe, and <c>SslStream</c> guards reads and writes against each other, but not against its shutdown.
/// </summary>
/// <remarks>
/// A read that waits for the peer is parked in the transport, outside the engine, so that our half can end beside it. What is run when no call is
/// inside runs under the lock: it must be short, and must not wait.
/// </remarks>
internal sealed class TlsStateOwner
{
    private readonly Lock _lock = new();
    private int _inside;
    private int _reads;
    private bool _writesCompleted;
    private volatile bool _hasEnded;
    private ConnectionEnd _end;
    private Rejection? _rejection;
    private Action? _whenFree;
    private TaskCompletionSource? _noReads;

    /// <summary>Our side has ended the connection.</summary>
    internal bool HasEnded => _hasEnded;

    /// <summary>How our side has ended the connection, and why; null while it has not.</summary>
    internal (ConnectionEnd? End, Rejection? Rejection) Ended
    {
        get
        {
            lock (_lock)
            {
                return (_hasEnded ? _end : null, _rejection);
            }
        }
    }

    /// <summary>From here on no call may enter. The first reason counts.</summary>
    internal void End(ConnectionEnd end, Rejection? rejection)
    {
        lock (_lock)
        {
            if (!_hasEnded)
            {
                _rejection = rejection;
                _end = end;
                _hasEnded = true;
            }
        }
    }

    /// <summary>From here on no write may enter.</summary>
    internal void CompleteWrites()
    {
        lock (_lock)
        {
            _writesCompleted = true;
        }
    }

    /// <exception cref="ConnectionEndedException">Our side has ended the connection.</exception>
    internal void EnterToRead()
    {
        lock (_lock)
        {
            if (_hasEnded)
            {
                throw ToException(null)!;
            }

            _inside++;
            _reads++;
        }
    }

    /// <summary>To read on behalf of the one who ends the connection.</summary>
    internal void EnterToDrain()
    {
        lock (_lock)
        {
            _inside++;
            _reads++;
        }
    }

    /// <exception cref="ConnectionEndedException">Our side has ended the connection, or its writes.</exception>
    internal void EnterToWrite()
    {
        lock (_lock)
        {
            if (_hasEnded || _writesCompleted)
            {
                throw ToException(null)!;
            }

            _inside++;
        }
    }

    internal void LeaveRead()
    {
        TaskCompletionSource? noReads = null;
        lock (_lock)
        {
            if (--_reads == 0)
            {
                (noReads, _noReads) = (_noReads, null);
            }

            LeaveLocked();
        }

        noReads?.TrySetResult();
    }

    internal void LeaveWrite()
    {
        lock (_lock)
        {
            LeaveLocked();
        }
    }

    /// <summary>The transport begins to wait for the peer. False when the waiting call is not a read but a handshake in progress.</summary>
    internal bool TryPark()
    {
        lock (_lock)
        {
            if (_reads == 0)
            {
                return false;
            }

            LeaveLocked();
            return true;
        }
    }

    /// <summary>The peer's data has arrived, and the read continues inside the engine.</summary>
    internal void Unpark()
    {
        lock (_lock)
        {
            _inside++;
        }
    }

    /// <summary>Runs <paramref name="action"/> once, as soon as no call is inside: now, or when the last call leaves.</summary>
    internal void RunWhenFree(Action action)
    {
        lock (_lock)
        {
            if (_inside == 0)
            {
                action();
            }
            else
            {
                _whenFree += action;
            }
        }
    }

    /// <summary>Runs <paramref name="action"/> now if no call is inside.</summary>
    /// <returns>False when one is, and nothing was run.</returns>
    internal bool TryRun<TState, TResult>(TState state, Func<TState, TResult> action, [MaybeNullWhen(false)] out TResult result)
    {
        lock (_lock)
        {
            result = _inside == 0 ? action(state) : default;
            return _inside == 0;
        }
    }

    /// <summary>Completes as soon as no read of the application's is left, parked ones included.</summary>
    internal Task WhenNoReads()
    {
        lock (_lock)
        {
            return _reads == 0
                ? Task.CompletedTask
                : (_noReads ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>What to tell the application in place of what the engine or the transport threw; null while our side has ended nothing.</summary>
    internal ConnectionEndedException? ToException(Exception? inner)
    {
        lock (_lock)
        {
            return _hasEnded
                ? new ConnectionEndedException(_end, _rejection, inner)
                : _writesCompleted ? new ConnectionEndedException(ConnectionEnd.WritesCompleted, null, inner) : null;
        }
    }

    private void LeaveLocked()
    {
        if (--_inside == 0 && _whenFree is { } action)
        {
            _whenFree = null;
            action();
        }
    }
}
