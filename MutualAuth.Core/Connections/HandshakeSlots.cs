using MutualAuth.Errors;

namespace MutualAuth.Connections;

/// <summary>Bounds how many handshakes run, and how many wait to.</summary>
internal sealed class HandshakeSlots
{
    private readonly SemaphoreSlim _slots;
    private readonly int _maxRunning;
    private readonly int _maxWaiting;
    private int _waiting;

    internal HandshakeSlots(int maxRunning, int maxWaiting)
    {
        _slots = new SemaphoreSlim(maxRunning, maxRunning);
        _maxRunning = maxRunning;
        _maxWaiting = maxWaiting;
    }

    /// <summary>Returns null when a slot has been taken; else so many wait already that another must not.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended.</exception>
    internal async ValueTask<Rejection?> EnterAsync(CancellationToken cancellationToken)
    {
        if (_slots.Wait(0, CancellationToken.None))
        {
            return null;
        }

        if (Interlocked.Increment(ref _waiting) > _maxWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            return new Rejection(RejectionReason.Overloaded, $"at most {_maxRunning} handshakes at once and {_maxWaiting} waiting", "one more")
            {
                Hint = "If the load is honest, raise MaxConcurrentHandshakes or add servers.",
            };
        }

        try
        {
            await _slots.WaitAsync(cancellationToken).ConfigureAwait(false);
            return null;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>Waits for a slot again, for a handshake that had one: what has been spent on it is not thrown away.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended.</exception>
    internal Task ReenterAsync(CancellationToken cancellationToken) => _slots.WaitAsync(cancellationToken);

    internal void Leave() => _slots.Release();
}
