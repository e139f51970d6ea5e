using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using MutualAuth.Connections;
using MutualAuth.Credentials;
using MutualAuth.Handshake;
using MutualAuth.Hello;
using MutualAuth.Telemetry;
using MutualAuth.Transport;

namespace MutualAuth;

/// <summary>An authenticated connection. Every connection has an <see cref="AuthenticatedPeer"/>.</summary>
/// <remarks>
/// It owns its stream and transport; dispose it to close both. One reader and one writer may be active at a time, as on any
/// <see cref="SslStream"/>; the other members are safe to call from any thread, at any time. An unreferenced connection is reclaimed like an
/// unreferenced <see cref="SslStream"/>; a reference to the stream keeps the connection alive. A read that returns zero bytes does not distinguish
/// the peer's close from an attacker's truncation; <see cref="EndedCleanly"/> does, as far as possible. Delimit your messages.
/// </remarks>
public sealed class MutualTlsConnection : IAsyncDisposable, IRevalidated, ITlsOwner
{
    private readonly AuthenticatedTls _tls;
    private readonly Socket? _socket;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _drain = new(); // has no timer, so that there is nothing to dispose of
    private readonly CancellationTokenSource _noLongerValid = new();
    private readonly Lock _ending = new();
    private Action? _onEnded;
    private bool _isOver;
    private volatile Invalidation? _invalidation;
    private readonly Unforgotten _unforgotten;
    private TaskCompletionSource? _closed;

    internal MutualTlsConnection(AuthenticatedTls tls, Socket? socket, EndPoint? remoteEndPoint, TimeProvider time)
    {
        _tls = tls;
        Stream = tls.Stream;
        Peer = tls.Peer;
        Session = tls.Session;
        IsConfirmed = tls.IsConfirmed;
        RemoteEndPoint = remoteEndPoint;
        _socket = socket;
        _time = time;
        _unforgotten = new Unforgotten(this);
        MutualAuthTelemetry.Try(1, static delta => MutualAuthTelemetry.OpenConnections.Add(delta));
        tls.Stream.Owner = this; // a reference to the stream keeps the connection, and its revalidation, alive
        tls.Transport.OnClosed = End;
    }

    /// <summary>
    /// The application's stream. Its asynchronous disposal is the connection's; <see cref="IDisposable.Dispose"/> closes at once, after a
    /// close_notify if that can be written without waiting. After our side has ended the connection, every pending or later call throws a
    /// <see cref="ConnectionEndedException"/>, which says why; failures caused by the peer or the transport throw a different
    /// <see cref="IOException"/>.
    /// </summary>
    public SslStream Stream { get; }

    /// <summary>The authenticated peer.</summary>
    public AuthenticatedPeer Peer { get; }

    /// <summary>The negotiated parameters of the TLS session.</summary>
    public SessionFacts Session { get; }

    /// <summary>
    /// True if the peer has confirmed, in band, that it accepted us. False with a peer that does not speak the confirmation protocol: then the
    /// guarantee is that of plain TLS, and a rejection by the peer shows only when a read fails; see <see cref="TryGetRefusal"/>.
    /// </summary>
    public bool IsConfirmed { get; }

    /// <summary>The peer's address; null when the transport has none.</summary>
    public EndPoint? RemoteEndPoint { get; }

    /// <summary>
    /// Cancelled when the listener that accepted the connection is being stopped, or when the connection is no longer valid and must end: finish
    /// current work, then dispose the connection. Callbacks run on thread-pool threads.
    /// </summary>
    public CancellationToken DrainRequested => _drain.Token;

    /// <summary>
    /// Cancelled when the peer is no longer authorized, or the connection reached its maximum age or idle timeout; <see cref="Invalidation"/> says
    /// why. Callbacks run on thread-pool threads.
    /// </summary>
    /// <remarks>
    /// <see cref="RevalidationPolicy"/> determines whether the connection ends. The token stays cancelled even if the peer becomes authorized again.
    /// </remarks>
    public CancellationToken NoLongerValid => _noLongerValid.Token;

    /// <summary>Why the connection is no longer valid: the most recent and most severe reason. Null while it is valid.</summary>
    public Invalidation? Invalidation => _invalidation;

    /// <summary>
    /// How the peer ended its side: true with close_notify (RFC 8446 §6.1), false when its transport ended or failed without, null while it has not
    /// ended or we have not read that far. False may mean a truncation by an attacker, or a peer that closes without close_notify, as many do.
    /// </summary>
    /// <remarks>It reports the end that a read encountered; a truncation after the last read is not detected.</remarks>
    public bool? EndedCleanly => _tls.Stream.PeerEndedCleanly;

    /// <summary>
    /// Sends close_notify (RFC 8446 §6.1) as soon as a current write has ended: we send no more data. The peer may continue to send, and we may
    /// continue to read; a pending read is not affected. A second call has no further effect and has the result of the first.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait; writes stay completed, and close_notify is sent once the peer accepts data.</param>
    /// <exception cref="IOException">
    /// The transport failed, the TLS session has ended already, or the peer accepted no data within <see cref="HandshakeOptions.CloseTimeout"/>;
    /// dispose the connection, or abort it.
    /// </exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended.</exception>
    public async Task CompleteWritesAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await Stream.ShutdownAsync().WaitAsync(_tls.Options.CloseTimeout, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException exception)
        {
            throw new IOException($"The peer accepted no data within {_tls.Options.CloseTimeout}, so close_notify could not be sent.", exception);
        }
    }

    /// <summary>Reads, out of what a read or write threw, the refusal of a peer that validates inside TLS and let us finish the handshake first.</summary>
    /// <param name="exception">What the stream threw.</param>
    /// <param name="refusal">What the peer said, when it said something.</param>
    /// <returns>True when the peer's alert was in it.</returns>
    public bool TryGetRefusal(Exception exception, [NotNullWhen(true)] out HandshakeException? refusal)
    {
        ArgumentNullException.ThrowIfNull(exception);
        refusal = null;
        if (exception is not IOException || TlsAlerts.Find(exception).Received is not { } alert)
        {
            return false;
        }

        var reason = TlsAlerts.ToPublicReason(alert);
        var rejection = new Rejection(RejectionReason.RefusedByPeer, "the peer's acceptance", $"the TLS alert {alert} ({reason.ToCode()}) after the handshake");
        refusal = new HandshakeException(HandshakeFailure.RefusedByPeer, rejection, exception)
        {
            PeerReason = reason,
            PeerName = Peer.Name,
            RemoteEndPoint = RemoteEndPoint,
        };
        return true;
    }

    /// <summary>
    /// On the server: begins a step-up, in which the user presents its credentials again for one transaction. The application transports the
    /// messages. <see cref="Peer"/> does not change; the result is a <see cref="StepUpProof"/>.
    /// </summary>
    /// <param name="transaction">The transaction to confirm, as the exact octets that the client also computes for itself; at most 1 MiB.</param>
    /// <exception cref="InvalidOperationException">
    /// No user has logged in, we are the client, or the server's certificate has no channel binding.
    /// </exception>
    public StepUpVerifier BeginStepUp(ReadOnlySpan<byte> transaction)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(transaction.Length, StepUpBinding.MaxTransactionLength);
        if (Peer.User is null || _tls.Channel.EndPoint is null)
        {
            throw new InvalidOperationException("A step-up needs a user that has logged in, and a server certificate that has a channel binding.");
        }

        var logger = MutualAuthTelemetry.CreateLogger(_tls.Options.LoggerFactory);
        return new StepUpVerifier(_tls.Options.RequiredCredentials, _tls.Login, _tls.Channel, Peer, transaction, _time, logger);
    }

    /// <summary>On the client: confirms a transaction with the user's credentials.</summary>
    /// <param name="credentials">The credentials; ask the user for them again, since a program that stores them can confirm without the user.</param>
    /// <param name="transaction">The transaction as this side understands it, that is, as it was shown to the user; at most 1 MiB.</param>
    /// <param name="mechanisms">The value of the server's <see cref="StepUpVerifier.Mechanisms"/>.</param>
    /// <exception cref="InvalidOperationException">The server's certificate has no channel binding.</exception>
    public StepUpClaim BeginStepUp(ClientCredentials credentials, ReadOnlySpan<byte> transaction, IEnumerable<string> mechanisms)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        ArgumentNullException.ThrowIfNull(mechanisms);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(transaction.Length, StepUpBinding.MaxTransactionLength);
        return _tls.Channel.EndPoint is null
            ? throw new InvalidOperationException("A step-up needs a server certificate that has a channel binding.")
            : new StepUpClaim(credentials, _tls.Channel, Peer, transaction, mechanisms);
    }

    /// <summary>
    /// Ends the connection at once: when it returns, the transport is closed. A peer on a socket sees a reset; data in transit is lost. It can be
    /// called at any time, also during a <see cref="DisposeAsync"/>, and has no effect when the connection is closed.
    /// </summary>
    public void Abort() => Abort(ConnectionEnd.Aborted, null);

    /// <summary>
    /// Ends TLS (close_notify) and closes the transport, so that written data reaches the peer even if the peer is still sending: it waits for the
    /// peer to end its side, for <see cref="HandshakeOptions.CloseTimeout"/> at most. When it returns, the transport is closed. Further calls wait
    /// for the first. Never throws.
    /// </summary>
    /// <remarks>If the peer does not accept a pending write in that time, the transport is aborted; on a socket, by a reset.</remarks>
    public ValueTask DisposeAsync() => EndAsync(ConnectionEnd.Disposed, null);

    TimeSpan IRevalidated.IdleFor => _tls.Stream.IdleClock?.Elapsed ?? TimeSpan.Zero;

    void IRevalidated.CountIdle(TimeProvider time) => _tls.Stream.IdleClock = new IdleClock(time);

    void IRevalidated.Invalidate(Invalidation lost)
    {
        _invalidation = lost;
        Cancel(_noLongerValid);
        if (lost.Action != InvalidationAction.Notify)
        {
            RequestDrain();
        }

        if (lost.Action == InvalidationAction.Abort)
        {
            Abort(ConnectionEnd.Invalidated, lost.Rejection);
        }
    }

    ValueTask IRevalidated.EndAsync() => EndAsync(ConnectionEnd.Invalidated, _invalidation?.Rejection);

    void IRevalidated.OnEnded(Action action) => OnEnded(action);

    void ITlsOwner.Close()
    {
        _tls.Stream.End(ConnectionEnd.Disposed, null);
        Cut(byReset: !_tls.Stream.TryShutdownNow(_tls.Options.CloseTimeout));
    }

    /// <summary>Has <paramref name="action"/> called once when the connection is over; at once if it is already.</summary>
    internal void OnEnded(Action action)
    {
        lock (_ending)
        {
            if (!_isOver)
            {
                _onEnded += action;
                return;
            }
        }

        action();
    }

    internal void RequestDrain() => Cancel(_drain);

    internal void Abort(ConnectionEnd end, Rejection? rejection)
    {
        _tls.Stream.End(end, rejection);
        Cut(byReset: true);
    }

    private async ValueTask EndAsync(ConnectionEnd end, Rejection? rejection)
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (Interlocked.CompareExchange(ref _closed, closed, null) is { } earlier)
        {
            await earlier.Task.ConfigureAwait(false);
            return;
        }

        _tls.Stream.End(end, rejection);
        var isSaid = await LingeringClose.RunAsync(_tls.Stream, _tls.Transport, _socket, _tls.Options.CloseTimeout, LingeringClose.MaxDrainedFromPeer).ConfigureAwait(false);
        Cut(byReset: !isSaid);
        closed.SetResult();
    }

    /// <summary>Closes, whatever is thrown on the way, and however often it is called.</summary>
    private void Cut(bool byReset)
    {
        try
        {
            if (byReset)
            {
                // Before the stream, whose own way to close would say FIN first.
                _socket?.Close(timeout: 0);
            }
        }
        catch (Exception)
        {
            // It is closed, or about to be.
        }

        try
        {
            _tls.Stream.Release(_tls.Options.CloseTimeout);
        }
        catch (Exception)
        {
            // The transport that the application gave us may throw; the platform has given back its own.
        }

        End();
    }

    /// <summary>Application callbacks neither block us nor throw into our code.</summary>
    private void Cancel(CancellationTokenSource source)
    {
        var callbacks = source.CancelAsync();
        if (!callbacks.IsCompletedSuccessfully)
        {
            _ = LogFaultsAsync(callbacks);
        }
    }

    private async Task LogFaultsAsync(Task callbacks)
    {
        try
        {
            await callbacks.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            RevalidationLog.CallbackFaulted(
                MutualAuthTelemetry.CreateLogger(_tls.Options.LoggerFactory), Peer.Name, RemoteEndPoint, (exception as AggregateException)?.InnerException ?? exception);
        }
    }

    private void End()
    {
        Action? onEnded;
        lock (_ending)
        {
            if (_isOver)
            {
                return;
            }

            _isOver = true;
            onEnded = _onEnded;
            _onEnded = null;
        }

        _unforgotten.Dispose();
        MutualAuthTelemetry.Try(-1, static delta => MutualAuthTelemetry.OpenConnections.Add(delta));
        onEnded?.Invoke();
    }

    /// <summary>
    /// Detects that the connection and its stream are unreferenced; the platform reclaims the transport like that of any unreferenced stream.
    /// </summary>
    private sealed class Unforgotten(MutualTlsConnection connection) : IDisposable
    {
        ~Unforgotten() => connection.End();

        public void Dispose() => GC.SuppressFinalize(this);
    }
}
