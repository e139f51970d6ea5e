using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using MutualAuth.Audit;
using MutualAuth.Collections;
using MutualAuth.Connections;
using MutualAuth.Handshake;
using MutualAuth.Telemetry;
using MutualAuth.Transport;
using MutualAuth.Validation;

namespace MutualAuth;

/// <summary>An accept loop that slow, silent or hostile peers cannot block. It yields connections on which both ends are authenticated.</summary>
/// <remarks>
/// Safe for use from many threads. Stop it with <see cref="StopAsync"/>; disposal stops it at once. Exceptions of the application's logger, observer,
/// selector, sources or clock do not end it.
/// </remarks>
public sealed class MutualTlsListener : IAsyncDisposable
{
    // How long the end of a stop waits for handshakes that application code blocks.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_maxDrainTimeout = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    private readonly MutualTlsListenerOptions _options;
    private readonly ListeningSocket _socket;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Auditor? _auditor;
    private readonly AdmissionControl _admission;
    private readonly Channel<MutualTlsConnection> _ready;
    private readonly OpenConnections _open = new();
    private readonly RunningWork _handshakes = new();
    private readonly CancellationTokenSource _stopAccepting = new();
    private readonly CancellationTokenSource _stopHandshakes = new();
    private readonly CancellationTokenSource _stopDraining = new();
    private readonly Task _acceptLoop;
    private Task? _stop;

    private MutualTlsListener(MutualTlsListenerOptions options, ListeningSocket socket)
    {
        _options = options;
        _socket = socket;
        LocalEndPoint = socket.LocalEndPoint;
        _time = options.Server.Options.TimeProvider;
        _logger = MutualAuthTelemetry.CreateLogger(options.Server.Options.LoggerFactory, LogArea.Listener);
        _auditor = Auditor.For(options.Server.Options.Audit, options.Server.Options.LoggerFactory, _time);
        _auditor?.Tell(Event(AuditKinds.ListenerStarted, "the listener has begun to accept"));
        _admission = new AdmissionControl(options.ToAdmissionBounds(), _time);
        _ready = Channel.CreateBounded<MutualTlsConnection>(options.MaxReadyConnections);
        WarnOfDescriptors();

        // The handshakes must not inherit the ExecutionContext (in particular the activity) of the caller of Start.
        using (ExecutionContext.SuppressFlow())
        {
            _acceptLoop = Task.Run(AcceptLoopAsync);
        }
    }

    /// <summary>The end point on which the listener listens. With port 0 in the options it has the port that the system assigned.</summary>
    /// <example><code>Console.WriteLine($"listening on {listener.LocalEndPoint}");</code></example>
    public EndPoint LocalEndPoint { get; }

    /// <summary>
    /// The open connections that this listener accepted, as of now, to look at; the list holds on to them. Those that wait to be accepted are among
    /// them.
    /// </summary>
    /// <example><code>Console.WriteLine($"{listener.Connections.Length} connections");</code></example>
    public ImmutableArray<MutualTlsConnection> Connections => [.. _open.Connections];

    /// <summary>Ends the open connections whose peer matches, for what no source announces.</summary>
    /// <remarks>
    /// Connections whose handshake is under way are ended too, when they match at their end: those whose socket has been accepted by the time of
    /// the call.
    /// Who begins later is not concerned: change first what accepts peers, and call this then. It is safe to call at any time from any thread, also
    /// from within the predicate.
    /// </remarks>
    /// <param name="matches">
    /// Pure and quick; it is called for each peer on the caller's thread, and for handshakes that are under way on theirs. Where it throws, the
    /// connection stays, all others are still looked at, and then the caller is told; a handshake's connection is ended.
    /// </param>
    /// <param name="reason">
    /// Why, for the log and <see cref="MutualTlsConnection.Invalidation"/>, whose reason is <see cref="RejectionReason.EndedByApplication"/>. The
    /// peer is not told.
    /// </param>
    /// <param name="action">What becomes of the connections.</param>
    /// <returns>How many are ended, drained or notified now, without those that are still under way.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="matches"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="reason"/> is null or empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="action"/> is none.</exception>
    /// <exception cref="AggregateException"><paramref name="matches"/> threw; it has every exception.</exception>
    /// <example><code>var count = listener.EndWhere(peer => peer.User?.Name == "alice", "laptop stolen");</code></example>
    public int EndWhere(Func<AuthenticatedPeer, bool> matches, string reason, InvalidationAction action = InvalidationAction.Abort)
    {
        EndRules.Check(matches, reason, action);
        return _open.EndWhere(matches, reason, action);
    }

    /// <summary>Binds the socket, listens and begins to accept.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="ArgumentException">The options contradict themselves; the message lists every problem.</exception>
    /// <exception cref="SocketException">The end point cannot be bound.</exception>
    /// <example><code>await using var started = MutualTlsListener.Start(listenerOptions);</code></example>
    public static MutualTlsListener Start(MutualTlsListenerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var problems = string.Join(' ', options.Problems());
        return problems.Length == 0
            ? new MutualTlsListener(options, options.BoundSocket is { } bound
                ? ListeningSocket.TakeOver(bound, options.Backlog)
                : ListeningSocket.Open(options.EndPoint!, options.Backlog, options.TakesOverStaleUnixSocket))
            : throw new ArgumentException(problems, nameof(options));
    }

    /// <summary>Waits for the next connection. The caller owns it.</summary>
    /// <exception cref="ListenerStoppedException">The listener was stopped or has failed, and no connection is left.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <example><code>await using var connection = await listener.AcceptAsync(cancellationToken);</code></example>
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

    /// <summary>Yields connections as they become ready. The caller owns each of them. The enumeration ends when the listener is stopped.</summary>
    /// <exception cref="ListenerStoppedException">The listener has failed. After a normal stop the enumeration ends without an exception.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <example>
    /// <code>
    /// await foreach (var connection in listener.AcceptAllAsync(cancellationToken))
    /// {
    ///     Console.WriteLine(connection.Peer.Name);
    ///     await connection.DisposeAsync();
    /// }
    /// </code>
    /// </example>
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
    /// Stops accepting sockets. Handshakes in progress may finish, and live connections are asked to drain
    /// (<see cref="MutualTlsConnection.DrainRequested"/>);
    /// the rest is aborted at the deadline, and then the call returns within about a second.
    /// </summary>
    /// <param name="drainTimeout">
    /// How long to wait. Zero: do not wait. <see cref="Timeout.InfiniteTimeSpan"/>: until all have ended. At most 49 days.
    /// </param>
    /// <param name="cancellationToken">Has the effect of the deadline: the rest is aborted, and the call returns normally.</param>
    /// <remarks>
    /// Further calls join the first one; the earliest deadline counts. The call returns even if application callbacks do not return, and
    /// it throws only for its argument.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="drainTimeout"/> is negative or longer than 49 days; the listener continues.
    /// </exception>
    /// <example><code>await listener.StopAsync(TimeSpan.FromSeconds(20), cancellationToken);</code></example>
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
    /// <example><code>await listener.DisposeAsync();</code></example>
    public async ValueTask DisposeAsync() => await StopAsync(TimeSpan.Zero).ConfigureAwait(false);

    /// <summary>Runs without the ExecutionContext of the first caller: other callers join, and callbacks of connections run inside.</summary>
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

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
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
            catch (Exception exception) when (exception is ObjectDisposedException
                || exception is SocketException { SocketErrorCode: SocketError.NotSocket or SocketError.InvalidArgument })
            {
                // The listening socket was lost: no connection will arrive, and waiting callers must be told.
                ListenerLog.Ended(_logger, LocalEndPoint, exception);
                _ready.Writer.TryComplete(exception);
                return;
            }
            catch (Exception exception)
            {
                // Descriptors or memory are exhausted, or the peer disconnected: evict the oldest silent sockets and continue.
                ListenerLog.AcceptFailed(
                    _logger, LocalEndPoint, (exception as SocketException)?.SocketErrorCode ?? SocketError.SocketError, exception);
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

        _handshakes.Begin();
        ThreadPool.QueueUserWorkItem(static accepted => _ = accepted.Listener.ShakeAndReportAsync(accepted.Socket), (Listener: this, Socket: socket),
            preferLocal: false);
    }

    /// <summary>
    /// A new descriptor has the lowest free number, which shows how many are in use. Near the limit each new socket evicts two pending ones,
    /// and accepting waits briefly until they are closed. A new socket is closed only if none is pending and hardly any descriptor is left.
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

    /// <summary>Evicts the oldest pending handshakes, silent ones first. Returns false when none is pending.</summary>
    private bool MakeRoom(int count) => _admission.Evict(count);

    private static async ValueTask PauseAsync(TimeSpan pause) => await Task.Delay(pause).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>Counts as running for as long as the handshake, whatever the application's observer does afterwards. Never throws.</summary>
    private async Task ShakeAndReportAsync(Socket socket)
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
                // Neither a stop nor a reset by the peer: this is a fault of ours.
                ListenerLog.ServingFaulted(_logger, exception);
            }
        }
        finally
        {
            _handshakes.End();
        }

        if (failure is not null)
        {
            Report(failure);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<HandshakeException?> ShakeAsync(Socket socket)
    {
        var attempt = HandshakeAttempt.Begin(socket, PeerRole.Server, _options.Server.Options, _stopHandshakes.Token);
        var isFromProxy = _options.ProxyProtocol?.Trusts(attempt.RemoteEndPoint) == true;
        var admission = _admission.Admit(attempt, isFromProxy);
        var began = _open.Enter();
        try
        {
            var connection = await _options.Server.AcceptAsync(attempt, admission, isFromProxy).ConfigureAwait(false);
            admission.Leave();
            admission.Succeeded();
            _open.Add(connection, began);
            if (!_ready.Writer.TryWrite(connection))
            {
                await HandOverAsync(connection).ConfigureAwait(false);
            }

            return null;
        }
        catch (HandshakeException exception)
        {
            return exception;
        }
        finally
        {
            _open.Leave(began);
            admission.Leave();
        }
    }

    /// <summary>The application is slow to accept: the waiting connection holds a slot, which slows handshakes down and bounds memory.</summary>
    private async ValueTask HandOverAsync(MutualTlsConnection connection)
    {
        var slot = _admission.HoldSlot();
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

    /// <summary>Takes every step, even if another one throws. Connections are aborted before any wait that may not end.</summary>
    private async Task StopOnceAsync()
    {
        Cancel(_stopAccepting);
        Step(_socket.Dispose);
        Step(() => _admission.EndSilent(new Rejection(RejectionReason.ListenerStopped, "a ClientHello before the listener was stopped", "none")));
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
        if (_auditor?.Tell(Event(AuditKinds.ListenerStopped, "the listener has stopped")) is { } recorded)
        {
            await Task.WhenAny(recorded, Task.Delay(s_patience)).ConfigureAwait(false);
        }

        Task WaitAsync(Task task) => Task.WhenAny(task, Task.Delay(Timeout.InfiniteTimeSpan, _stopDraining.Token));
    }

    private AuditEvent Event(string kind, string text) =>
        new(kind, $"{text} on {LocalEndPoint}") { Details = [new("local_address", LocalEndPoint.ToString() ?? string.Empty)] };

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

    /// <summary>Uses the clock of the options, or the system clock if that one throws.</summary>
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
        if (!_options.Server.Options.AcknowledgedWarnings.HasFlag(ConfigurationWarnings.BoundsExceedDescriptors)
            && DescriptorLimit.Current is { } limit && held > DescriptorLimit.KeepFrom(limit))
        {
            ListenerLog.BoundsExceedDescriptors(_logger, LocalEndPoint, held, limit);
        }
    }
}
