using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using MutualAuth.Caching;
using MutualAuth.Connections;
using MutualAuth.Handshake;
using MutualAuth.Telemetry;
using MutualAuth.Transport;

namespace MutualAuth;

/// <summary>Accepts sockets and returns mutually authenticated connections; slow, silent or hostile peers do not block the accept loop.</summary>
/// <remarks>
/// Safe for use from many threads. Stop it with <see cref="StopAsync"/>; disposal stops it at once. Exceptions from the application's loggers,
/// callbacks, selectors, sources and clocks do not stop it.
/// </remarks>
public sealed class MutualTlsListener : IAsyncDisposable
{
    private const int AddressesRemembered = 4096;

    // How long stopping waits, at its end, for handshakes that code of the application's keeps from ending.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_maxDrainTimeout = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    private readonly MutualTlsListenerOptions _options;
    private readonly ListeningSocket _socket;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly PendingPool _pending;
    private readonly PendingPool _waiting;
    private readonly HandshakeSlots _slots;
    private readonly UnfinishedHandshakeCounts _unfinished;
    private readonly Channel<MutualTlsConnection> _ready;
    private readonly OpenConnections _open = new();
    private readonly TaskTracker _handshakes = new();
    private readonly CancellationTokenSource _stopAccepting = new();
    private readonly CancellationTokenSource _stopHandshakes = new();
    private readonly CancellationTokenSource _stopDraining = new();
    private readonly Task _acceptLoop;
    private Task? _stop;
    private int _lingering;

    private MutualTlsListener(MutualTlsListenerOptions options, ListeningSocket socket)
    {
        _options = options;
        _socket = socket;
        LocalEndPoint = socket.LocalEndPoint;
        _time = options.Server.Options.TimeProvider;
        _logger = MutualAuthTelemetry.CreateLogger(options.Server.Options.LoggerFactory);
        _pending = new PendingPool(options.MaxPendingHellos, options.MaxPendingHellosPerAddress, attempt => new Rejection(
            RejectionReason.EvictedBeforeHello, "a ClientHello before the pool of silent sockets was full", $"{attempt.Transport.Received} bytes of one"));
        _waiting = new PendingPool(options.MaxWaitingHandshakes, options.MaxWaitingHandshakesPerAddress, _ => new Rejection(
            RejectionReason.Overloaded, "the peer's next message before too many handshakes waited for theirs", "none"));
        _slots = new HandshakeSlots(options.MaxConcurrentHandshakes, options.MaxQueuedHandshakes);
        _unfinished = new UnfinishedHandshakeCounts(AddressesRemembered, _time);
        _ready = Channel.CreateBounded<MutualTlsConnection>(options.MaxReadyConnections);
        WarnOfDescriptors();

        // Do not capture the caller's ExecutionContext, in particular its activity, in the handshakes of all clients.
        using (ExecutionContext.SuppressFlow())
        {
            _acceptLoop = Task.Run(AcceptLoopAsync);
        }
    }

    /// <summary>The end point that we listen on; if the options have port 0, it has the assigned port.</summary>
    public EndPoint LocalEndPoint { get; }

    /// <summary>Binds, listens and begins to accept.</summary>
    /// <exception cref="ArgumentException">The options contradict themselves; the message lists every problem.</exception>
    /// <exception cref="SocketException">The end point cannot be bound.</exception>
    public static MutualTlsListener Start(MutualTlsListenerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var problems = string.Join(' ', options.Problems());
        return problems.Length == 0
            ? new MutualTlsListener(options, ListeningSocket.Open(options.EndPoint, options.Backlog, options.TakesOverStaleUnixSocket))
            : throw new ArgumentException(problems, nameof(options));
    }

    /// <summary>Returns the next connection; the caller owns it.</summary>
    /// <exception cref="ListenerStoppedException">The listener was stopped, or has failed, and no connection remains.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended.</exception>
    public async ValueTask<MutualTlsConnection> AcceptAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return await _ready.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException exception)
        {
            throw new ListenerStoppedException(LocalEndPoint, exception.InnerException);
        }
    }

    /// <summary>Returns connections as they become ready. The caller owns each. The enumeration ends when the listener is stopped.</summary>
    /// <exception cref="ListenerStoppedException">The listener has failed. A stop ends the enumeration without an exception.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended.</exception>
    public async IAsyncEnumerable<MutualTlsConnection> AcceptAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (await WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            while (_ready.Reader.TryRead(out var connection))
            {
                yield return connection;
            }
        }
    }

    /// <summary>
    /// Stops accepting sockets, lets current handshakes finish, and asks live connections to drain
    /// (<see cref="MutualTlsConnection.DrainRequested"/>). At the deadline, remaining connections and handshakes are aborted; after that the call
    /// returns within about one second.
    /// </summary>
    /// <param name="drainTimeout">
    /// How long to wait. Zero: do not wait. <see cref="Timeout.InfiniteTimeSpan"/>: until all have ended. At most 49 days.
    /// </param>
    /// <param name="cancellationToken">Acts like the deadline: remaining connections are aborted, and the call returns without an exception.</param>
    /// <remarks>
    /// Further calls join the first one; the earliest of their deadlines applies. The call returns even if application callbacks
    /// do not, and throws only for its argument.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="drainTimeout"/> is negative or longer than 49 days; the listener continues.
    /// </exception>
    public async Task StopAsync(TimeSpan drainTimeout, CancellationToken cancellationToken = default)
    {
        if (drainTimeout != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(drainTimeout, TimeSpan.Zero);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(drainTimeout, s_maxDrainTimeout);
        }

        var stop = BeginStop();
        using var cancelled = cancellationToken.UnsafeRegister(static state => Cancel(((MutualTlsListener)state!)._stopDraining), this);
        using var deadline = StartDeadline(drainTimeout);
        await stop.ConfigureAwait(false);
    }

    /// <summary>Stops without draining. Never throws.</summary>
    public async ValueTask DisposeAsync() => await StopAsync(TimeSpan.Zero).ConfigureAwait(false);

    /// <summary>Does not capture the first caller's ExecutionContext: other callers join, and callbacks of connections run in it.</summary>
    private Task BeginStop()
    {
        lock (_stopAccepting)
        {
            if (_stop is null)
            {
                using var nothingOfTheCallers = ExecutionContext.SuppressFlow();
                _stop = Task.Run(StopOnceAsync, CancellationToken.None);
            }

            return _stop;
        }
    }

    private async ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _ready.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ListenerStoppedException(LocalEndPoint, exception);
        }
    }

    private async Task AcceptLoopAsync()
    {
        while (!_stopAccepting.IsCancellationRequested)
        {
            try
            {
                await ServeAsync(await _socket.AcceptAsync(_stopAccepting.Token).ConfigureAwait(false)).ConfigureAwait(false);
            }
            catch (Exception) when (_stopAccepting.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (exception is ObjectDisposedException || exception is SocketException { SocketErrorCode: SocketError.NotSocket or SocketError.InvalidArgument })
            {
                // The listening socket itself is gone: no connection will follow, and waiting callers must be told.
                ListenerLog.Ended(_logger, LocalEndPoint, exception);
                _ready.Writer.TryComplete(exception);
                return;
            }
            catch (Exception exception)
            {
                // Out of descriptors or memory, or a peer that closed early: evict the oldest silent sockets and continue.
                ListenerLog.AcceptFailed(_logger, LocalEndPoint, (exception as SocketException)?.SocketErrorCode ?? SocketError.SocketError, exception);
                MakeRoom(16);
                await PauseAsync(TimeSpan.FromMilliseconds(20)).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask ServeAsync(Socket socket)
    {
        if (DescriptorLimit.Current is { } limit && !OperatingSystem.IsWindows() && !await HasRoomAsync(socket, limit).ConfigureAwait(false))
        {
            ListenerLog.OutOfDescriptors(_logger, LocalEndPoint, limit);
            socket.Dispose();
            return;
        }

        var serving = new TaskCompletionSource();
        _handshakes.Track(serving.Task);
        _ = Task.Run(() => ServeAsync(socket, serving), CancellationToken.None);
    }

    /// <summary>
    /// A new descriptor gets the lowest free number, which so shows how many are in use. Near the limit two pending handshakes are evicted for each
    /// newcomer, and accepting waits briefly for their closes; a newcomer is rejected only when no handshake is pending and hardly any descriptor is
    /// left.
    /// </summary>
    private async ValueTask<bool> HasRoomAsync(Socket socket, int limit)
    {
        const int AtOnce = 2;
        var inUse = socket.SafeHandle.DangerousGetHandle();
        if (inUse < DescriptorLimit.KeepFrom(limit))
        {
            return true;
        }

        var hasEvicted = MakeRoom(AtOnce);
        if (inUse >= DescriptorLimit.HurryFrom(limit))
        {
            await PauseAsync(TimeSpan.FromMilliseconds(2)).ConfigureAwait(false);
        }

        return hasEvicted || inUse < DescriptorLimit.RefuseFrom(limit);
    }

    /// <summary>Evicts the oldest pending handshake, silent ones first. False when none is pending.</summary>
    private bool MakeRoom(int count) => _pending.Evict(count) > 0 || _waiting.Evict(count) > 0;

    private static async ValueTask PauseAsync(TimeSpan pause) => await Task.Delay(pause).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <param name="socket">The accepted socket.</param>
    /// <param name="serving">Completes with the handshake, independently of the application's callback after it.</param>
    private async Task ServeAsync(Socket socket, TaskCompletionSource serving)
    {
        HandshakeException? failure = null;
        try
        {
            failure = await ShakeAsync(socket).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            socket.Dispose();
            if (exception is not (OperationCanceledException or SocketException or ObjectDisposedException))
            {
                // Neither are we being stopped, nor has the peer reset the socket before we looked at it: this is a fault of ours.
                ListenerLog.ServingFaulted(_logger, exception);
            }
        }
        finally
        {
            serving.SetResult();
        }

        if (failure is not null)
        {
            Report(failure);
        }
    }

    private async ValueTask<HandshakeException?> ShakeAsync(Socket socket)
    {
        var attempt = HandshakeAttempt.Begin(socket, PeerRole.Client, _options.Server.Options, _stopHandshakes.Token);
        var gate = new Gate(this, attempt);
        try
        {
            var connection = await _options.Server.AcceptAsync(attempt, gate).ConfigureAwait(false);
            gate.Leave();
            gate.Succeeded();
            _open.Add(connection);
            if (!_ready.Writer.TryWrite(connection))
            {
                await HandOverAsync(connection, attempt).ConfigureAwait(false);
            }

            return null;
        }
        catch (HandshakeException exception)
        {
            return exception;
        }
        finally
        {
            gate.Leave();
        }
    }

    /// <summary>A slow application: a connection that waits for it keeps its slot, which slows handshakes down and bounds memory.</summary>
    private async ValueTask HandOverAsync(MutualTlsConnection connection, HandshakeAttempt attempt)
    {
        var slot = await _slots.EnterAsync(attempt, AddressKey.Of(attempt.RemoteEndPoint), unfinished: 0, isNew: false).ConfigureAwait(false);
        try
        {
            await _ready.Writer.WriteAsync(connection, _stopHandshakes.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is ChannelClosedException or OperationCanceledException)
        {
            connection.Abort(ConnectionEnd.ListenerStopped, null);
        }
        finally
        {
            slot.GiveBack();
        }
    }

    private void Report(HandshakeException failure)
    {
        try
        {
            _options.OnHandshakeFailed?.Invoke(failure);
        }
        catch (Exception exception)
        {
            ListenerLog.ObserverFaulted(_logger, exception);
        }
    }

    /// <summary>Every step is taken, whatever another one throws; connections are aborted before anything is waited for that may not end.</summary>
    private async Task StopOnceAsync()
    {
        Cancel(_stopAccepting);
        Step(_socket.Dispose);
        Step(() => _pending.AbortAll(new Rejection(RejectionReason.ListenerStopped, "a ClientHello before the listener was stopped", "none")));
        Step(_open.RequestDrain);
        await WaitAsync(_handshakes.WhenAllEnded).ConfigureAwait(false);
        _ready.Writer.TryComplete();
        await WaitAsync(_open.WhenAllEnded).ConfigureAwait(false);

        Step(_open.AbortAll);
        Cancel(_stopHandshakes);
        await Task.WhenAny(_handshakes.WhenAllEnded, Task.Delay(s_patience)).ConfigureAwait(false);
        while (_ready.Reader.TryRead(out var untaken))
        {
            untaken.Abort(ConnectionEnd.ListenerStopped, null);
        }

        await Task.WhenAny(_acceptLoop, Task.Delay(s_patience)).ConfigureAwait(false);

        Task WaitAsync(Task task) => Task.WhenAny(task, Task.Delay(Timeout.InfiniteTimeSpan, _stopDraining.Token));
    }

    private void Step(Action step)
    {
        try
        {
            step();
        }
        catch (Exception exception)
        {
            ListenerLog.StopFaulted(_logger, LocalEndPoint, exception);
        }
    }

    /// <summary>By the clock of the options, or by the system's where that one fails.</summary>
    private ITimer StartDeadline(TimeSpan drainTimeout)
    {
        static void End(object? listener) => Cancel(((MutualTlsListener)listener!)._stopDraining);
        if (drainTimeout == TimeSpan.Zero)
        {
            End(this);
        }

        using var nothingOfTheCallers = ExecutionContext.SuppressFlow();
        try
        {
            return _time.CreateTimer(End, this, drainTimeout, Timeout.InfiniteTimeSpan);
        }
        catch (Exception exception)
        {
            ListenerLog.StopFaulted(_logger, LocalEndPoint, exception);
            return TimeProvider.System.CreateTimer(End, this, drainTimeout, Timeout.InfiniteTimeSpan);
        }
    }

    private static void Cancel(CancellationTokenSource source) => source.Cancel();

    private void WarnOfDescriptors()
    {
        var held = (long)_options.MaxPendingHellos + _options.MaxWaitingHandshakes + _options.MaxQueuedHandshakes + _options.MaxReadyConnections;
        if (DescriptorLimit.Current is { } limit && held > DescriptorLimit.KeepFrom(limit))
        {
            ListenerLog.BoundsExceedDescriptors(_logger, LocalEndPoint, held, limit);
        }
    }

    /// <summary>Where one handshake stands; see <see cref="IAdmission"/>. Its own steps come one after the other.</summary>
    private sealed class Gate : IAdmission
    {
        private readonly MutualTlsListener _listener;
        private readonly HandshakeAttempt _attempt;
        private readonly IPAddress? _address;
        private PendingPool.Entry? _seat;
        private HandshakeSlots.Slot? _slot;
        private bool _isNew = true;
        private bool _workIsDone;

        internal Gate(MutualTlsListener listener, HandshakeAttempt attempt)
        {
            _listener = listener;
            _attempt = attempt;
            _address = AddressKey.Of(attempt.RemoteEndPoint);
            _seat = listener._pending.Add(attempt);
        }

        public void HelloIsComplete()
        {
            _seat?.Leave();
            _seat = _listener._waiting.Add(_attempt);
        }

        public async ValueTask EnterAsync()
        {
            LeaveSeat();
            var isNew = _isNew;
            _isNew = false;
            var unfinished = _address is null ? 0 : isNew ? _listener._unfinished.Begin(_address) : _listener._unfinished.CountOf(_address);
            _slot = await _listener._slots.EnterAsync(_attempt, _address, unfinished, isNew).ConfigureAwait(false);
        }

        public void BeginWait()
        {
            if (!_workIsDone)
            {
                _seat = _listener._waiting.Add(_attempt);
                LeaveSlot();
            }
        }

        public ValueTask EndWaitAsync() => _workIsDone ? default : EnterAsync();

        public void WorkIsDone()
        {
            _workIsDone = true;
            _seat ??= _listener._waiting.Add(_attempt);
            LeaveSlot();
        }

        public void Leave()
        {
            _workIsDone = true;
            LeaveSeat();
            LeaveSlot();
        }

        internal void Succeeded()
        {
            if (_address is not null)
            {
                _listener._unfinished.Clear(_address);
            }
        }

        public bool TryBeginLinger()
        {
            if (Interlocked.Increment(ref _listener._lingering) <= _listener._options.MaxLingeringCloses)
            {
                return true;
            }

            EndLinger();
            return false;
        }

        public void EndLinger() => Interlocked.Decrement(ref _listener._lingering);

        private void LeaveSeat()
        {
            _seat?.Leave();
            _seat = null;
        }

        private void LeaveSlot()
        {
            _slot?.GiveBack();
            _slot = null;
        }
    }
}
