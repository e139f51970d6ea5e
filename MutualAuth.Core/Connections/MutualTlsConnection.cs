using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using MutualAuth.Credentials;
using MutualAuth.Errors;
using MutualAuth.Evidence;
using MutualAuth.Handshake;
using MutualAuth.Telemetry;
using MutualAuth.Validation;

namespace MutualAuth.Connections;

/// <summary>A connection whose peer is known. There is none without an <see cref="AuthenticatedPeer"/>.</summary>
/// <remarks>
/// It owns its stream and transport; dispose of it to close both. One reader and one writer may be active at a time, as on any
/// <see cref="SslStream"/>; the other members are safe to call from any thread.
/// TLS 1.3 cannot tell an attacker's cut from the end of the stream, nor does the platform: give your messages an end of their own.
/// </remarks>
public sealed class MutualTlsConnection : IAsyncDisposable, ILiveConnection
{
    private readonly AuthenticatedTls _tls;
    private readonly Socket? _socket;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _drain = new(); // has no timer, so that there is nothing to dispose of
    private readonly CancellationTokenSource _groundLost = new();
    private readonly Lock _ending = new();
    private Action? _onEnded;
    private bool _isOver;
    private volatile LostGround? _lostGround;
    private int _disposed;

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
        MutualAuthTelemetry.OpenConnections.Add(1);
        tls.Transport.OnClosed = End;
    }

    /// <summary>The application's stream: the <see cref="SslStream"/> itself, with nothing in its way.</summary>
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

    /// <summary>Cancelled when the peer would no longer be let in, or the connection has lasted long enough; <see cref="LostGround"/> says why. Callbacks run on threads of the pool.</summary>
    /// <remarks>Whether the connection ends is for <see cref="LiveConnectionPolicy"/> to say. It stays cancelled, even if the peer would be let in again later.</remarks>
    public CancellationToken GroundLost => _groundLost.Token;

    /// <summary>Why the connection has lost its ground since it was made, the latest and worst of the reasons; null while it has not.</summary>
    public LostGround? LostGround => _lostGround;

    /// <summary>
    /// Whether the peer ended its side with close_notify (RFC 8446 §6.1): true when it did, false when its transport ended without, null while it has
    /// not ended or we have not read that far.
    /// </summary>
    public bool? EndedCleanly => null;

    /// <summary>Says that we send no more (close_notify, RFC 8446 §6.1). The peer may go on sending, and we may go on reading.</summary>
    /// <exception cref="IOException">The transport failed.</exception>
    public async Task CompleteWritesAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await Stream.ShutdownAsync().ConfigureAwait(false);
        }
        catch (CryptographicException exception)
        {
            // OpenSSL's word for a session that an alert of the peer's has ended already.
            throw new IOException("The peer has ended the TLS session.", exception);
        }
    }

    /// <summary>Reads, out of what a read or write threw, the refusal of a peer that validates inside TLS and let us finish the handshake first.</summary>
    /// <param name="exception">What the stream threw.</param>
    /// <param name="refusal">What the peer said, when it said something.</param>
    /// <returns>True when the peer's alert was in it.</returns>
    public bool TryGetRefusal(Exception exception, out HandshakeException? refusal)
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

        var logger = _tls.Options.LoggerFactory.CreateLogger(MutualAuthTelemetry.LogCategory);
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

    /// <summary>Ends the connection at once. A peer on a socket sees a reset; what was under way is lost.</summary>
    public void Abort()
    {
        if (TryBeginDispose())
        {
            if (_socket is not null)
            {
                // Before the stream, whose own way to close would say FIN first.
                _socket.Close(timeout: 0);
            }

            Stream.Dispose();
            End();
        }
    }

    /// <summary>Ends TLS (close_notify) and closes the transport. Waits a moment, never long, for what is still to be sent.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!TryBeginDispose())
        {
            return;
        }

        if (_lostGround is not null)
        {
            // It ends before its time: no reset may overtake what the peer is told, and whatever the peer is still sending.
            await PoliteClose.RunAsync(Stream, _tls.Transport, _socket, _time).ConfigureAwait(false);
            await Stream.DisposeAsync().ConfigureAwait(false);
            End();
            return;
        }

        try
        {
            var ending = Stream.ShutdownAsync();
            if (!ending.IsCompletedSuccessfully)
            {
                using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1), _time);
                await ending.WaitAsync(patience.Token).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException or CryptographicException)
        {
            // The peer is gone, has ended the session with an alert, or takes nothing any more.
        }

        await Stream.DisposeAsync().ConfigureAwait(false);
        End();
    }

    void ILiveConnection.Lose(LostGround lost)
    {
        _lostGround = lost;
        _ = _groundLost.CancelAsync();
        if (lost.Action != LostGroundAction.Notify)
        {
            RequestDrain();
        }

        if (lost.Action == LostGroundAction.Abort)
        {
            Abort();
        }
    }

    ValueTask ILiveConnection.EndAsync() => DisposeAsync();

    void ILiveConnection.OnEnded(Action action) => OnEnded(action);

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

    internal void RequestDrain() => _ = _drain.CancelAsync(); // what the application does in its callbacks neither holds us up nor throws at us

    private bool TryBeginDispose() => Interlocked.Exchange(ref _disposed, 1) == 0;

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

        MutualAuthTelemetry.OpenConnections.Add(-1);
        onEnded?.Invoke();
    }
}
