using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using MutualAuth.Collections;
using MutualAuth.Connections;
using MutualAuth.Handshake;
using MutualAuth.Telemetry;
using MutualAuth.Transport;

namespace MutualAuth;

/// <summary>An accept loop that no slow, silent or hostile peer can hold up, and that gives ready connections, authenticated both ways.</summary>
/// <remarks>
/// Safe for use from many threads. Stop it with <see cref="StopAsync"/>; disposing of it stops at once. Nothing that a logger, an observer, a selector, a
/// source or a clock of the application's throws ends it.
/// </remarks>
public sealed class MutualTlsListener : IAsyncDisposable
{
    // How long stopping waits, at its end, for handshakes that code of the application's keeps from ending.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_maxDrainTimeout = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    private readonly MutualTlsListenerOptions _options;
    private readonly ListeningSocket _socket;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly AdmissionControl _admission;
    private readonly Channel<MutualTlsConnection> _ready;
    private readonly OpenConnections _open = new();
    private readonly TaskTracker _handshakes = new();
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
        _logger = MutualAuthTelemetry.CreateLogger(options.Server.Options.LoggerFactory);
        _admission = new AdmissionControl(options.ToAdmissionBounds(), _time);
        _ready = Channel.CreateBounded<MutualTlsConnection>(options.MaxReadyConnections);
        WarnOfDescriptors();

        // Nothing of whoever starts us, its activity least of all, goes into the handshakes of all clients for ever.
        using (ExecutionContext.SuppressFlow())
        {
            _acceptLoop = Task.Run(AcceptLoopAsync);
        }
    }

    /// <summary>Where we listen; with port 0 in the options, the port that was given.</summary>
    public EndPoint LocalEndPoint { get; }

    /// <summary>Binds, listens and begins to accept.</summary>
    /// <exception cref="ArgumentException">The options contradict themselves; the message lists every problem.</exception>
    /// <exception cref="SocketException">The end point cannot be listened on.</exception>
    public static MutualTlsListener Start(MutualTlsListenerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var problems = string.Join(' ', options.Problems());
        return problems.Length == 0
            ? new MutualTlsListener(options, ListeningSocket.Open(options.EndPoint, options.Backlog, options.TakesOverStaleUnixSocket))
            : throw new ArgumentException(problems, nameof(options));
    }

    /// <summary>Gives the next connection; the caller owns it.</summary>
    /// <exception cref="ListenerStoppedException">The listener was stopped, or has failed, and no connection is left.</exception>
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

    /// <summary>Gives connections as they become ready. The caller owns each. It ends when the listener is stopped.</summary>
    /// <exception cref="ListenerStoppedException">The listener has failed; one that was stopped ends the enumeration without.</exception>
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
    /// Stops: no new sockets; handshakes under way may end and live connections are asked to drain (<see cref="MutualTlsConnection.DrainRequested"/>);
    /// what is left at the deadline is aborted, first of all, and then nothing is waited for longer than a second.
    /// </summary>
    /// <param name="drainTimeout">How long to wait. Zero: not at all. <see cref="Timeout.InfiniteTimeSpan"/>: until all have ended. At most 49 days.</param>
    /// <param name="cancellationToken">Ends the waiting as the deadline does: what is left is aborted, and the call returns as usual.</param>
    /// <remarks>
    /// Further calls join the first one; the earliest of their deadlines counts. It returns although callbacks of the application's do not, and never
    /// throws but for its argument.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="drainTimeout"/> is negative or longer than 49 days; the listener goes on.</exception>
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

    /// <summary>With nothing of the context of whoever is the first to ask: others join, and connections hear of it.</summary>
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
                // The listening socket itself is gone: nothing will come any more, and whoever waits must hear of it.
                ListenerLog.Ended(_logger, LocalEndPoint, exception);
                _ready.Writer.TryComplete(exception);
                return;
            }
            catch (Exception exception)
            {
                // Out of descriptors or memory, or a peer that left again: the oldest silent ones make room, and it goes on.
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
    /// A descriptor's number is the lowest that is free, and so tells how many are in use. Near the limit two of those that wait make room for each newcomer,
    /// and accepting waits a moment for their closes; a newcomer is turned away only when nobody waits and hardly any descriptor is left.
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

    /// <summary>Ends the oldest of those that wait: the silent first. False when nobody waits.</summary>
    private bool MakeRoom(int count) => _admission.Evict(count);

    private static async ValueTask PauseAsync(TimeSpan pause) => await Task.Delay(pause).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <param name="socket">What was accepted.</param>
    /// <param name="serving">Ends with the handshake, whatever the application's observer does after it.</param>
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
        var attempt = HandshakeAttempt.Begin(socket, PeerRole.Server, _options.Server.Options, _stopHandshakes.Token);
        var admission = _admission.Admit(attempt);
        try
        {
            var connection = await _options.Server.AcceptAsync(attempt, admission).ConfigureAwait(false);
            admission.Leave();
            admission.Succeeded();
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
            admission.Leave();
        }
    }

    /// <summary>The application is slow: what waits for it keeps a slot, so that it slows handshakes down, and memory stays bounded.</summary>
    private async ValueTask HandOverAsync(MutualTlsConnection connection, HandshakeAttempt attempt)
    {
        var slot = await _admission.HoldSlotAsync(attempt).ConfigureAwait(false);
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
        Step(() => _admission.AbortSilent(new Rejection(RejectionReason.ListenerStopped, "a ClientHello before the listener was stopped", "none")));
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
}
