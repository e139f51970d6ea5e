using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using MutualAuth.Connections;
using MutualAuth.Errors;
using MutualAuth.Evidence;
using MutualAuth.Handshake;
using MutualAuth.Telemetry;

namespace MutualAuth;

/// <summary>An accept loop that no slow, silent or hostile peer can hold up, and that gives ready connections, authenticated both ways.</summary>
/// <remarks>Safe for use from many threads. Stop it with <see cref="StopAsync"/>; disposing of it stops at once.</remarks>
public sealed class MutualTlsListener : IAsyncDisposable
{
    private readonly MutualTlsListenerOptions _options;
    private readonly Socket _socket;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly WaitingRoom _pending;
    private readonly WaitingRoom _loggingIn;
    private readonly HandshakeSlots _slots;
    private readonly Channel<MutualTlsConnection> _ready;
    private readonly LiveConnections _live = new();
    private readonly TaskTracker _handshakes = new();
    private readonly CancellationTokenSource _stopAccepting = new();
    private readonly CancellationTokenSource _stopHandshakes = new();
    private readonly Task _acceptLoop;
    private Task? _stop;

    private MutualTlsListener(MutualTlsListenerOptions options, Socket socket)
    {
        _options = options;
        _socket = socket;
        LocalEndPoint = socket.LocalEndPoint!;
        _time = options.Server.Options.TimeProvider;
        _logger = MutualAuthTelemetry.CreateLogger(options.Server.Options.LoggerFactory);
        _pending = new WaitingRoom(options.MaxPendingHellos, options.MaxPendingHellosPerAddress, attempt => new Rejection(
            RejectionReason.EvictedBeforeHello, "a ClientHello before the pool of silent sockets was full", $"{attempt.Transport.Received} bytes of one"));
        _loggingIn = new WaitingRoom(options.MaxPendingLogins, options.MaxPendingLoginsPerAddress, _ => new Rejection(
            RejectionReason.Overloaded, "the next message of the login before too many waited for theirs", "none"));
        _slots = new HandshakeSlots(options.MaxConcurrentHandshakes, options.MaxQueuedHandshakes);
        _ready = Channel.CreateBounded<MutualTlsConnection>(options.MaxReadyConnections);
        _acceptLoop = Task.Run(AcceptLoopAsync);
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
        return problems.Length == 0 ? new MutualTlsListener(options, Listen(options)) : throw new ArgumentException(problems, nameof(options));
    }

    /// <summary>Gives the next connection; the caller owns it.</summary>
    /// <exception cref="ChannelClosedException">The listener was stopped, and no connection is left.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended.</exception>
    public ValueTask<MutualTlsConnection> AcceptAsync(CancellationToken cancellationToken = default) => _ready.Reader.ReadAsync(cancellationToken);

    /// <summary>Gives connections as they become ready, until the listener is stopped. The caller owns each.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended.</exception>
    public IAsyncEnumerable<MutualTlsConnection> AcceptAllAsync(CancellationToken cancellationToken = default) => _ready.Reader.ReadAllAsync(cancellationToken);

    /// <summary>
    /// Stops: no new sockets; handshakes under way may end and live connections are asked to drain (<see cref="MutualTlsConnection.DrainRequested"/>);
    /// what is left at the deadline is aborted.
    /// </summary>
    /// <param name="drainTimeout">How long to wait. Zero: not at all.</param>
    /// <param name="cancellationToken">Ends the waiting as the deadline does.</param>
    /// <remarks>Further calls wait for the first one.</remarks>
    public Task StopAsync(TimeSpan drainTimeout, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(drainTimeout, TimeSpan.Zero);
        lock (_stopAccepting)
        {
            return _stop ??= StopOnceAsync(drainTimeout);
        }
    }

    /// <summary>Stops without draining.</summary>
    public async ValueTask DisposeAsync() => await StopAsync(TimeSpan.Zero).ConfigureAwait(false);

    private static Socket Listen(MutualTlsListenerOptions options)
    {
        var socket = new Socket(options.EndPoint.AddressFamily, SocketType.Stream, options.EndPoint is UnixDomainSocketEndPoint ? ProtocolType.Unspecified : ProtocolType.Tcp);
        try
        {
            if (options.EndPoint is IPEndPoint { Address: var address } && address.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }

            socket.Bind(options.EndPoint);
            socket.Listen(options.Backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task AcceptLoopAsync()
    {
        while (!_stopAccepting.IsCancellationRequested)
        {
            try
            {
                var socket = await _socket.AcceptAsync(_stopAccepting.Token).ConfigureAwait(false);
                _handshakes.Track(ServeAsync(socket));
            }
            catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException exception)
            {
                // Out of descriptors or memory, or a peer that left again: wait a moment rather than spin, and go on.
                ListenerLog.AcceptFailed(_logger, LocalEndPoint, exception.SocketErrorCode);
                await Task.Delay(TimeSpan.FromMilliseconds(50), _time, _stopAccepting.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        await Task.Yield(); // the accept loop goes on at once
        Gate? gate = null;
        try
        {
            var attempt = HandshakeAttempt.Begin(socket, PeerRole.Client, _options.Server.Options, _stopHandshakes.Token);
            gate = new Gate(_slots, _pending.Add(attempt), _loggingIn);
            var connection = await _options.Server.AcceptAsync(attempt, gate).ConfigureAwait(false);
            _live.Add(connection);
            await _ready.Writer.WriteAsync(connection, _stopHandshakes.Token).ConfigureAwait(false);
        }
        catch (HandshakeException exception)
        {
            Report(exception);
        }
        catch (Exception exception)
        {
            socket.Dispose();
            if (exception is not (OperationCanceledException or ChannelClosedException or SocketException or ObjectDisposedException))
            {
                // Neither are we being stopped, nor has the peer reset the socket before we looked at it: this is a fault of ours.
                ListenerLog.ServingFaulted(_logger, exception);
            }
        }
        finally
        {
            gate?.Leave();
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

    private async Task StopOnceAsync(TimeSpan drainTimeout)
    {
        using var deadline = new CancellationTokenSource(drainTimeout, _time);
        await _stopAccepting.CancelAsync().ConfigureAwait(false);
        await _acceptLoop.ConfigureAwait(false);
        _socket.Dispose();
        if (_options.EndPoint is UnixDomainSocketEndPoint path)
        {
            File.Delete(path.ToString());
        }

        _pending.AbortAll(new Rejection(RejectionReason.ListenerStopped, "a ClientHello before the listener was stopped", "none"));
        _live.RequestDrain();
        await _handshakes.WhenAllEnded.WaitAsync(deadline.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _stopHandshakes.CancelAsync().ConfigureAwait(false);
        await _handshakes.WhenAllEnded.ConfigureAwait(false);
        _ready.Writer.TryComplete();
        await _live.WhenAllEnded.WaitAsync(deadline.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _live.AbortAll();
    }

    /// <summary>Moves an attempt from the pool of silent sockets to a handshake slot, once its hello is complete, and out of it while it waits for a login.</summary>
    private sealed class Gate(HandshakeSlots slots, WaitingRoom.Seat seat, WaitingRoom loggingIn) : IHandshakeGate
    {
        private WaitingRoom.Seat _seat = seat;
        private bool _hasSlot;

        public async ValueTask<IDisposable?> EnterAsync(HandshakeAttempt attempt)
        {
            _seat.Leave();
            if (await slots.EnterAsync(attempt.Token).ConfigureAwait(false) is { } overload)
            {
                throw await OfferAnswer.RefuseAsync(attempt, TlsAlerts.InternalError, overload).ConfigureAwait(false);
            }

            _hasSlot = true;
            return null; // kept until the application can take the connection: so a slow application slows handshakes, and memory stays bounded
        }

        public void Pause(HandshakeAttempt attempt)
        {
            _seat = loggingIn.Add(attempt);
            LeaveSlot();
        }

        public async ValueTask ResumeAsync(HandshakeAttempt attempt)
        {
            _seat.Leave();
            await slots.ReenterAsync(attempt.Token).ConfigureAwait(false);
            _hasSlot = true;
        }

        internal void Leave()
        {
            _seat.Leave();
            LeaveSlot();
        }

        private void LeaveSlot()
        {
            if (_hasSlot)
            {
                _hasSlot = false;
                slots.Leave();
            }
        }
    }
}
