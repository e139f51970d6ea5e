using System.Collections.Concurrent;
using System.Threading.Tasks.Sources;
using MutualAuth.Transport;

namespace MutualAuth.Handshake;

/// <summary>
/// The wait of an attempt for a handshake of the TLS engine: over when the engine has ended, or when it is left where it is. It is used again for
/// other attempts, so that waiting takes no memory of its own.
/// </summary>
/// <remarks>
/// It is known to the attempt and, as long as the engine runs, to the judge. The attempt takes it from the judge before it gives it back. One whose
/// engine was left is never given back: the engine may end at any time.
/// </remarks>
internal sealed class EngineWait : IValueTaskSource<bool>
{
    private const int MaxSpares = 64;

    private static readonly ConcurrentQueue<EngineWait> s_spares = new();

    private readonly Action _engineEnds;
    private ManualResetValueTaskSourceCore<bool> _core;
    private HandshakeTransport? _transport;
    private Task? _handshake;
    private bool _isLeft;

    private EngineWait() => _engineEnds = EngineEnds;

    /// <summary>Ends with the attempt.</summary>
    internal CancellationToken AttemptEnds { get; private set; }

    /// <summary>Takes one for an attempt with this transport and this token.</summary>
    internal static EngineWait Take(HandshakeTransport transport, CancellationToken attemptEnds)
    {
        var wait = s_spares.TryDequeue(out var spare) ? spare : new EngineWait();
        (wait._transport, wait.AttemptEnds) = (transport, attemptEnds);
        return wait;
    }

    /// <summary>Waits. Await it once.</summary>
    /// <param name="handshake">The engine's handshake; its exception is the caller's to take, unless the engine was left.</param>
    /// <returns>True when the engine has ended, false when it was left.</returns>
    internal ValueTask<bool> UntilEndAsync(Task handshake)
    {
        _handshake = handshake;
        var engine = handshake.ConfigureAwait(false).GetAwaiter();
        if (engine.IsCompleted)
        {
            EngineEnds();
        }
        else
        {
            engine.UnsafeOnCompleted(_engineEnds);
        }

        return new ValueTask<bool>(this, _core.Version);
    }

    /// <summary>Leaves the engine, which the judge holds: it reads and writes nothing any more, and who waits goes on, on another thread.</summary>
    internal void Leave()
    {
        _transport!.Cut();
        _isLeft = true;
        _core.RunContinuationsAsynchronously = true;
        _core.SetResult(false);
    }

    /// <summary>Gives it back. The engine has ended, the wait for it was awaited, and the judge does not know it any more.</summary>
    internal void GiveBack()
    {
        _core.Reset();
        (_transport, _handshake, AttemptEnds) = (null, null, default);
        if (s_spares.Count < MaxSpares)
        {
            s_spares.Enqueue(this);
        }
    }

    bool IValueTaskSource<bool>.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private void EngineEnds()
    {
        if (_isLeft)
        {
            // The wait is over.
            _ = _handshake!.Exception;
            return;
        }

        _core.SetResult(true);
    }
}
