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

/// <summary>A connection whose peer is known. There is none without an <see cref="AuthenticatedPeer"/>.</summary>
/// <remarks>
/// It owns its stream and transport; dispose of it to close both. One reader and one writer may be active at a time, as on any
/// <see cref="SslStream"/>; the other members are safe to call from any thread, at any time, beside both. A connection that nobody holds any more is
/// reclaimed like a forgotten <see cref="SslStream"/>; whoever holds the stream holds the connection.
/// A read that returns nothing does not tell the peer's end from an attacker's cut; <see cref="EndedCleanly"/> does, as far as it can be known. Give your
/// messages an end of their own.
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
        tls.Stream.Owner = this; // whoever holds the stream keeps the connection, and so its watch
        tls.Transport.OnClosed = End;
    }

    /// <summary>
    /// The application's stream. Its asynchronous disposal is the connection's; <see cref="IDisposable.Dispose"/> closes at once, after a close_notify if that
    /// can be written without waiting. Once our side has ended the connection every call, pending or later, throws a
    /// <see cref="ConnectionEndedException"/>, which says why; what the peer or the transport does shows as another <see cref="IOException"/>.
    /// </summary>
    public SslStream Stream { get; }

    /// <summary>Who is at the other end.</summary>
    public AuthenticatedPeer Peer { get; }

    /// <summary>What the two sides agreed on.</summary>
    public SessionFacts Session { get; }

    /// <summary>
    /// True when the peer has said, in band, that it accepted us. False with a peer that does not speak the confirmation protocol: then the
    /// guarantee is that of plain TLS, and a refusal by the peer shows only when reading fails; see <see cref="TryGetRefusal"/>.
    /// </summary>
    public bool IsConfirmed { get; }

    /// <summary>The peer's address; null when the transport has none.</summary>
    public EndPoint? RemoteEndPoint { get; }

    /// <summary>
    /// Cancelled when the listener that accepted the connection is being stopped, or when the connection has lost its ground and is to end: finish what is
    /// under way, then dispose. Callbacks run on threads of the pool.
    /// </summary>
    public CancellationToken DrainRequested => _drain.Token;

    /// <summary>
    /// Cancelled when the peer would no longer be let in, or the connection has lasted or been idle long enough; <see cref="Invalidation"/> says why.
    /// Callbacks run on threads of the pool.
    /// </summary>
    /// <remarks>Whether the connection ends is for <see cref="RevalidationPolicy"/> to say. It stays cancelled, even if the peer would be let in again later.</remarks>
    public CancellationToken NoLongerValid => _noLongerValid.Token;

    /// <summary>Why the connection has lost its ground since it was made, the latest and worst of the reasons; null while it has not.</summary>
    public Invalidation? Invalidation => _invalidation;

    /// <summary>
    /// How the peer ended its side: true with close_notify (RFC 8446 §6.1), false when its transport ended or failed without, null while it has not
    /// ended or we have not read that far. False may be an attacker's cut, and may be a peer that closes without a word, as many do.
    /// </summary>
    /// <remarks>It tells of the end that a read met; a cut that comes after the last read is not seen.</remarks>
    public bool? EndedCleanly => _tls.Stream.PeerEndedCleanly;

    /// <summary>
    /// Says that we send no more (close_notify, RFC 8446 §6.1), as soon as a write that is under way has ended. The peer may go on sending, and we may
    /// go on reading; a read that waits is not disturbed. A second call has no further effect, and ends as the first one.
    /// </summary>
    /// <param name="cancellationToken">Gives the waiting up; writes stay completed, and close_notify goes out once the peer takes it.</param>
    /// <exception cref="IOException">
    /// The transport failed, the TLS session has ended already, or the peer took nothing within <see cref="HandshakeOptions.CloseTimeout"/>; dispose of
    /// the connection, or abort it.
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
            throw new IOException($"The peer took nothing within {_tls.Options.CloseTimeout}, so that it could not be told of our end.", exception);
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
    /// On the server: begins a step-up, in which the user shows its credentials once more for one transaction. The application carries the messages.
    /// <see cref="Peer"/> does not change; what comes of it is a <see cref="StepUpProof"/>.
    /// </summary>
    /// <param name="transaction">What is to be confirmed, in the very octets that the client is to compute for itself; at most 1 MiB.</param>
    /// <exception cref="InvalidOperationException">Nobody has logged in here, we are the client, or the server's certificate has no channel binding.</exception>
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
    /// <param name="credentials">The credentials; ask the user for them anew, or a program that holds them can confirm in the user's place.</param>
    /// <param name="transaction">What is to be confirmed, as this side understands it: what was shown to the user.</param>
    /// <param name="mechanisms">What the server's <see cref="StepUpVerifier.Mechanisms"/> said.</param>
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
    /// Ends the connection at once: when it returns, the transport is closed. A peer on a socket sees a reset; what was under way is lost. It works at
    /// any time, also beside a <see cref="DisposeAsync"/> that waits, and does nothing more when the connection is over.
    /// </summary>
    public void Abort() => Abort(ConnectionEnd.Aborted, null);

    /// <summary>
    /// Ends TLS (close_notify) and closes the transport, so that what was written reaches the peer although it may still be sending: waits for the peer
    /// to end its side, for <see cref="HandshakeOptions.CloseTimeout"/> at most. When it returns, the transport is closed. Further calls wait for the
    /// first one. Never throws.
    /// </summary>
    /// <remarks>Where a write is under way that the peer does not take in that time, the transport is cut: by a reset, on a socket.</remarks>
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

    /// <summary>What the application does in its callbacks neither holds us up nor throws at us.</summary>
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

    /// <summary>Notices that nobody holds the connection or its stream any more; the platform reclaims the transport as that of any forgotten stream.</summary>
    private sealed class Unforgotten(MutualTlsConnection connection) : IDisposable
    {
        ~Unforgotten() => connection.End();

        public void Dispose() => GC.SuppressFinalize(this);
    }
}
