using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using MutualAuth.Audit;
using MutualAuth.Connections;
using MutualAuth.Credentials;
using MutualAuth.Evidence;
using MutualAuth.Handshake;
using MutualAuth.Hello;
using MutualAuth.Telemetry;
using MutualAuth.Transport;
using MutualAuth.Validation;

namespace MutualAuth;

/// <summary>A connection with an authenticated peer. Every connection has an <see cref="AuthenticatedPeer"/>.</summary>
/// <remarks>
/// It owns its stream and transport; dispose of it to close both. One reader and one writer may be active at a time, as on any
/// <see cref="SslStream"/>; the other members are safe to call from any thread, at any time, beside both. A connection without references is
/// reclaimed like a forgotten <see cref="SslStream"/>; a reference to the stream keeps the connection alive.
/// A read that returns zero does not distinguish the peer's close from an attacker's truncation; <see cref="EndedCleanly"/> does, as far as possible.
/// Give your messages a length or an end marker.
/// </remarks>
public sealed class MutualTlsConnection : IAsyncDisposable, IRevalidated, ICountedSession, ITlsOwner, IEndListener
{
    private readonly AuthenticatedTls _tls;
    private readonly Socket? _socket;
    private readonly TimeProvider _time;
    private CancellationTokenSource? _drain; // made when it is asked for; without a timer it need not be disposed of
    private CancellationTokenSource? _noLongerValid;
    private readonly Lock _ending = new();
    private IEndListener? _endListener; // the registry, which nearly all have
    private ImmutableArray<IEndListener> _furtherEndListeners = [];
    private bool _isOver;
    private volatile Invalidation? _invalidation;
    private volatile AuthenticatedPeer _peer;
    private volatile ILiveEntry? _entry;
    private bool _isListenerStopping;
    private readonly Unforgotten _unforgotten;
    private readonly long _openedAt;
    private Task _recorded = Task.CompletedTask;
    private TaskCompletionSource? _closed; // where more than one waits for it
    private bool _isClosing;
    private bool _isClosed;

    internal MutualTlsConnection(AuthenticatedTls tls, Socket? socket, EndPoint? remoteEndPoint, TimeProvider time)
    {
        _tls = tls;
        Stream = tls.Stream;
        _peer = tls.Peer;
        OpenedAt = UtcNow(time);
        _openedAt = tls.Audit is null ? 0 : Timestamp(time);
        Session = tls.Session;
        IsConfirmed = tls.IsConfirmed;
        RemoteEndPoint = remoteEndPoint;
        _socket = socket;
        _time = time;
        _unforgotten = new Unforgotten(this);
        MutualAuthTelemetry.Try(1, static delta => MutualAuthTelemetry.OpenConnections.Add(delta));
        tls.Stream.CountFromHere();
        tls.Stream.Owner = this; // a reference to the stream keeps the connection, and so its revalidation, alive
        tls.Transport.EndListener = this;
    }

    /// <summary>
    /// The application's stream. Its asynchronous disposal disposes of the connection; <see cref="IDisposable.Dispose"/> closes at
    /// once, after a close_notify if that can be written without waiting. Once our side has ended the connection every call, pending
    /// or later, throws a <see cref="ConnectionEndedException"/>, which has the reason; failures that the peer or the transport
    /// causes are other <see cref="IOException"/>s.
    /// </summary>
    /// <example><code>await connection.Stream.WriteAsync("hello"u8.ToArray(), cancellationToken);</code></example>
    public SslStream Stream { get; }

    /// <summary>
    /// The authenticated peer. After its user has authenticated again it has the user's new claims, and after a validator was asked again the new
    /// facts; otherwise it is the same.
    /// </summary>
    /// <example><code>Console.WriteLine($"connected with {connection.Peer.Name}");</code></example>
    public AuthenticatedPeer Peer => _peer;

    /// <summary>
    /// The name of this connection in the log events (<c>ConnectionId</c>), the activity and the audit, from its first octet on. It differs from
    /// that of every other connection, also of other processes.
    /// </summary>
    /// <example><code>Console.WriteLine($"connection {connection.Id}");</code></example>
    public string Id => _tls.Id.ToString();

    /// <summary>When the handshake was complete.</summary>
    /// <example><code>Console.WriteLine($"open since {connection.OpenedAt:O}");</code></example>
    public DateTimeOffset OpenedAt { get; }

    /// <summary>
    /// When the connection ends by what is known now: the token or other credentials expire, the peer's certificate path does (or ours, where that
    /// counts), or the maximum age is reached; null when none of them applies. Re-authentication may move it, and a change may end the connection
    /// before it.
    /// </summary>
    /// <example><code>Console.WriteLine($"until {connection.ValidUntil:O}");</code></example>
    public DateTimeOffset? ValidUntil => _entry?.ValidUntil;

    /// <summary>The parameters that the two sides negotiated.</summary>
    /// <example><code>Console.WriteLine(connection.Session);</code></example>
    public SessionFacts Session { get; }

    /// <summary>
    /// True when the peer has confirmed, in band, that it accepted us. False with a peer that does not support the confirmation protocol: then the
    /// guarantee is that of plain TLS, and a refusal by the peer appears only as a failed read; see <see cref="TryGetRefusal"/>.
    /// </summary>
    /// <example>
    /// <code>
    /// Console.WriteLine(connection.IsConfirmed ? "the peer has accepted us" : "no confirmation: as with plain TLS");
    /// </code>
    /// </example>
    public bool IsConfirmed { get; }

    /// <summary>The peer's address; null when the transport has none.</summary>
    /// <example><code>Console.WriteLine($"from {connection.RemoteEndPoint}");</code></example>
    public EndPoint? RemoteEndPoint { get; }

    /// <summary>
    /// Cancelled when the listener that accepted the connection is being stopped, or when the connection is no longer valid and is to end: finish the
    /// work that is in progress, then dispose. Callbacks run on threads of the pool.
    /// </summary>
    /// <remarks>
    /// A user that authenticates again while the connection drains for that reason takes the request back: this is then another token, which is not
    /// cancelled.
    /// </remarks>
    /// <example><code>var read = await connection.Stream.ReadAsync(buffer, connection.DrainRequested);</code></example>
    public CancellationToken DrainRequested
    {
        get
        {
            ShowLoss();
            return SourceOf(ref _drain).Token;
        }
    }

    /// <summary>
    /// Cancelled when the peer would no longer be accepted, or the connection reached its maximum age or idle time; <see cref="Invalidation"/> has
    /// the reason.
    /// Callbacks run on threads of the pool.
    /// </summary>
    /// <remarks>
    /// <see cref="RevalidationPolicy"/> decides whether the connection ends. The token stays cancelled, even if the peer would be accepted again
    /// later; only re-authentication makes another one. Who sees it cancelled finds <see cref="Invalidation"/>, and <see cref="DrainRequested"/>
    /// cancelled where the connection is to end.
    /// </remarks>
    /// <example>
    /// <code>
    /// using var registration = connection.NoLongerValid.Register(
    ///     () =&gt; Console.WriteLine($"no longer valid: {connection.Invalidation?.Rejection}"));
    /// </code>
    /// </example>
    public CancellationToken NoLongerValid
    {
        get
        {
            ShowLoss();
            return SourceOf(ref _noLongerValid).Token;
        }
    }

    /// <summary>The reason why the connection is no longer valid, the latest and most severe one; null while the connection is valid.</summary>
    /// <example>
    /// <code>
    /// if (connection.Invalidation is { } invalidation)
    /// {
    ///     Console.WriteLine($"{invalidation.Action}: {invalidation.Rejection}");
    /// }
    /// </code>
    /// </example>
    public Invalidation? Invalidation => _invalidation;

    /// <summary>
    /// How the peer ended its side: true with close_notify (RFC 8446 §6.1), false when its transport ended or failed without it, null while it has
    /// not ended or we have not read that far. False may be an attacker's truncation, or a peer that closes without close_notify, as many do.
    /// </summary>
    /// <remarks>It reports the end that a read reached; a truncation after the last read is not detected.</remarks>
    /// <example>
    /// <code>
    /// if (await connection.Stream.ReadAsync(buffer, cancellationToken) == 0 &amp;&amp; connection.EndedCleanly != true)
    /// {
    ///     throw new IOException("The stream may have been truncated.");
    /// }
    /// </code>
    /// </example>
    public bool? EndedCleanly => _tls.Stream.PeerEndedCleanly;

    /// <summary>
    /// Sends close_notify (RFC 8446 §6.1) as soon as a write in progress has ended: this side sends no more. The peer may continue to send, and this
    /// side may continue to read; a waiting read is not disturbed. A second call has no further effect and completes like the first one.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait; writes stay completed, and close_notify is sent once the peer reads again.</param>
    /// <exception cref="IOException">
    /// The transport failed, the TLS session has ended already, or the peer read nothing within <see cref="HandshakeOptions.CloseTimeout"/>; dispose
    /// of the connection, or abort it.
    /// </exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <example><code>await connection.CompleteWritesAsync(cancellationToken);</code></example>
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

    /// <summary>
    /// Extracts, from an exception of a read or write, the refusal of a peer that validated our certificate after our side had completed the
    /// handshake.
    /// </summary>
    /// <param name="exception">The exception that the stream threw.</param>
    /// <param name="refusal">The refusal; null without one.</param>
    /// <returns>True when the exception contains the peer's alert.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="exception"/> is null.</exception>
    /// <example>
    /// <code>
    /// try
    /// {
    ///     await connection.Stream.ReadExactlyAsync(buffer, cancellationToken);
    /// }
    /// catch (IOException exception) when (connection.TryGetRefusal(exception, out var refusal))
    /// {
    ///     Console.WriteLine($"refused: {refusal.PeerReason}");
    /// }
    /// </code>
    /// </example>
    public bool TryGetRefusal(Exception exception, [NotNullWhen(true)] out HandshakeException? refusal)
    {
        ArgumentNullException.ThrowIfNull(exception);
        refusal = null;
        if (exception is not IOException || TlsAlerts.Find(exception).Received is not { } alert)
        {
            return false;
        }

        var reason = TlsAlerts.ToPublicReason(alert);
        var rejection = new Rejection(
            RejectionReason.RefusedByPeer, "the peer's acceptance", $"the TLS alert {alert} ({reason.ToCode()}) after the handshake");
        var ourRole = Peer.Role == PeerRole.Server ? PeerRole.Client : PeerRole.Server;
        var refused = new HandshakeException(HandshakeFailure.RefusedByPeer, rejection, exception)
        {
            PeerReason = reason,
            PeerName = Peer.Name,
            RemoteEndPoint = RemoteEndPoint,
        };
        refusal = OwnEvidence.Explain(refused, _tls.Shown, ourRole);
        return true;
    }

    /// <summary>
    /// On the server: begins a step-up, in which the user shows its credentials again for one transaction. The application carries the messages.
    /// <see cref="Peer"/> does not change; the result is a <see cref="StepUpProof"/>.
    /// </summary>
    /// <param name="transaction">The transaction to confirm, in exactly the octets that the client computes for itself; at most 1 MiB.</param>
    /// <param name="factors">What the user must prove for this transaction; null for <see cref="CredentialPolicy.StepUpFactors"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="transaction"/> is longer than 1 MiB.</exception>
    /// <exception cref="ArgumentException">The mechanisms of the policy can never prove <paramref name="factors"/>.</exception>
    /// <exception cref="InvalidOperationException">
    /// No user has logged in, this side is the client, or the server's certificate has no channel binding.
    /// </exception>
    /// <example>
    /// <code>
    /// await using var stepUp = connection.BeginStepUp(transaction);
    /// await SendAsync(stepUp.FirstMessage);
    /// while (!stepUp.IsOver &amp;&amp; await stepUp.AnswerAsync(await ReceiveAsync()) is { } reply)
    /// {
    ///     await SendAsync(reply);
    /// }
    /// </code>
    /// </example>
    public StepUpVerifier BeginStepUp(ReadOnlySpan<byte> transaction, FactorRequirement? factors = null)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(transaction.Length, StepUpBinding.MaxTransactionLength);
        var peer = Peer;
        if (peer.User is not { } user || _tls.Channel.EndPoint is null)
        {
            throw new InvalidOperationException("A step-up needs a user that has logged in, and a server certificate that has a channel binding.");
        }

        var policy = _tls.Options.RequiredCredentials;
        if (factors is not null && !policy.CanStepUpWith(factors))
        {
            throw new ArgumentException($"The policy has no mechanisms that can prove {factors}.", nameof(factors));
        }

        var terms = new StepUpTerms(factors ?? policy.StepUpFactors, user, StepUpBinding.Binds);
        return new StepUpVerifier(
            policy, _tls.Login, peer, StepUpBinding.Of(_tls.Channel, transaction), terms, transaction.ToArray(), null, _time, LoginLogger(),
            RecordOf(peer, isStepUp: true));
    }

    /// <summary>
    /// On the server: begins a re-authentication, in which the user shows once more what the login needs
    /// (<see cref="CredentialPolicy.LoginFactors"/>). The application carries the messages. A success renews what the connection relies on; a
    /// refusal changes nothing, and is counted with the attempt limiter.
    /// </summary>
    /// <remarks>The mechanisms are those that bind to the channel, and <c>OAUTHBEARER</c>, whose token is bound as at the login.</remarks>
    /// <exception cref="InvalidOperationException">No user has logged in, or this side is the client.</exception>
    /// <example><code>await using var again = connection.BeginReauthentication();</code></example>
    public StepUpVerifier BeginReauthentication()
    {
        var peer = Peer;
        if (peer.User is not { } user)
        {
            throw new InvalidOperationException("A re-authentication needs a user that has logged in.");
        }

        var policy = _tls.Options.RequiredCredentials;
        var terms = new StepUpTerms(policy.LoginFactors, user, StepUpBinding.MayReauthenticate);
        return new StepUpVerifier(
            policy, _tls.Login, peer, StepUpBinding.OfReauthentication(_tls.Channel), terms, null, RenewLogin, _time, LoginLogger(),
            RecordOf(peer, isStepUp: false));
    }

    /// <summary>
    /// On the server: makes a reconnect credential for the client, with which its user logs in from elsewhere without password and code for a
    /// few hours. The application sends it to the client on this connection.
    /// </summary>
    /// <remarks>
    /// On a connection that a reconnect credential opened, the new one ends when the old one would have. One that the auditor cannot be told of
    /// is not issued.
    /// </remarks>
    /// <param name="reconnects">The service's reconnect credentials, whose mechanism is in the server's policy.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>
    /// The octets, or the reason why there are none: no certificate, a login of another kind, a connection that is no longer valid.
    /// </returns>
    /// <exception cref="ArgumentNullException"><paramref name="reconnects"/> is null.</exception>
    /// <exception cref="InvalidOperationException">
    /// No user has logged in, this side is the client, or the server's policy does not have the mechanism.
    /// </exception>
    /// <exception cref="ObjectDisposedException"><paramref name="reconnects"/> has been disposed of.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <example><code>var issue = await connection.IssueReconnectCredentialAsync(reconnects, cancellationToken);</code></example>
    public async ValueTask<ReconnectIssue> IssueReconnectCredentialAsync(
        ReconnectCredentials reconnects, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reconnects);
        var (peer, policy) = (Peer, _tls.Options.RequiredCredentials);
        if (peer.User is not { } user || !policy.Mechanisms.Contains(reconnects.Mechanism))
        {
            throw new InvalidOperationException("A reconnect credential needs a user that has logged in, and its mechanism in the server's policy.");
        }

        var issue = await _tls.Login.Checks.RunAsync(
            () => reconnects.IssueAsync(user, peer.Certificate, OpenedAt, policy, cancellationToken), cancellationToken).ConfigureAwait(false);
        var audit = _tls.Audit;
        if (issue.NotAfter is { } notAfter)
        {
            var objection = FindEnd() ?? (audit is null
                ? null
                : await ConnectionEvents.ReconnectIssuedAsync(audit, peer, user, notAfter, cancellationToken).ConfigureAwait(false));
            if (objection is null)
            {
                return issue;
            }

            CryptographicOperations.ZeroMemory(issue.Octets);
            issue = ReconnectIssue.Refused(objection);
        }

        if (audit is not null)
        {
            ConnectionEvents.ReconnectNotIssued(audit, peer, user, issue.Rejection!);
        }

        return issue;
    }

    /// <summary>On the client: answers the server's step-up, and so confirms a transaction with the user's credentials.</summary>
    /// <param name="credentials">
    /// The credentials; ask the user for them again; otherwise a program that stores them can confirm in the user's place.
    /// </param>
    /// <param name="transaction">The transaction to confirm, as this side displayed it to the user; at most 1 MiB.</param>
    /// <exception cref="ArgumentNullException"><paramref name="credentials"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="transaction"/> is longer than 1 MiB.</exception>
    /// <exception cref="InvalidOperationException">The server's certificate has no channel binding, or this side is the server.</exception>
    /// <example>
    /// <code>
    /// using var responder = connection.AnswerStepUp(credentials, transaction);
    /// while (!responder.IsOver &amp;&amp; await responder.AnswerAsync(await ReceiveAsync()) is { } reply)
    /// {
    ///     await SendAsync(reply);
    /// }
    ///
    /// Console.WriteLine(responder.IsConfirmed);
    /// </code>
    /// </example>
    public StepUpResponder AnswerStepUp(ClientCredentials credentials, ReadOnlySpan<byte> transaction)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(transaction.Length, StepUpBinding.MaxTransactionLength);
        return Peer.Role == PeerRole.Client || _tls.Channel.EndPoint is null
            ? throw new InvalidOperationException("A client answers a step-up, and needs a server certificate that has a channel binding.")
            : new StepUpResponder(
                credentials, Peer, StepUpBinding.Of(_tls.Channel, transaction), _tls.OwnIdentity, StepUpBinding.Binds, LoginLogger());
    }

    /// <summary>On the client: answers the server's re-authentication with the user's credentials, or a fresh token.</summary>
    /// <param name="credentials">The credentials.</param>
    /// <exception cref="ArgumentNullException"><paramref name="credentials"/> is null.</exception>
    /// <exception cref="InvalidOperationException">This side is the server.</exception>
    /// <example><code>using var responder = connection.AnswerReauthentication(Login.WithToken(currentToken));</code></example>
    public StepUpResponder AnswerReauthentication(ClientCredentials credentials)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        return Peer.Role == PeerRole.Client
            ? throw new InvalidOperationException("A client answers a re-authentication.")
            : new StepUpResponder(
                credentials, Peer, StepUpBinding.OfReauthentication(_tls.Channel), _tls.OwnIdentity, StepUpBinding.MayReauthenticate, LoginLogger());
    }

    /// <summary>
    /// Says that the user did something just now, such as an order or a key that was pressed: <see cref="RevalidationPolicy.UserInactivityTimeout"/>
    /// counts from here. Do not call it for what a program does by itself: polls, keep-alive messages, what a server pushes.
    /// </summary>
    /// <remarks>
    /// It takes no lock and sets no timer, so that it may be called for each act. Where no such timeout is set it has no effect. It counts for this
    /// connection alone: call it on each connection of a session that has several.
    /// </remarks>
    /// <returns>
    /// True while the user may go on. False when the connection has ended, or when it comes too late and the connection is about to end for
    /// <see cref="RejectionReason.UserInactive"/>: then do not carry out what the user asked for.
    /// </returns>
    /// <example>
    /// <code>
    /// if (!connection.RecordUserActivity())
    /// {
    ///     Console.WriteLine("The user was away for too long.");
    /// }
    /// </code>
    /// </example>
    public bool RecordUserActivity() => _entry is { } entry ? entry.RecordUserActivity() : !Volatile.Read(ref _isOver);

    /// <summary>
    /// A value that both ends of this connection compute, and that ties a protocol above it to the connection: a signature or a message of yours
    /// that holds it is of use on no other one.
    /// </summary>
    /// <remarks>
    /// It is not secret, and no key. It is no <c>tls-exporter</c> (RFC 9266), which the platform cannot compute: <c>docs/protocol.md</c> §13 says how
    /// the other end computes it, and which TLS stacks can. Different labels give unrelated values, and none equals one that logins use. It says
    /// nothing about what lies beyond the other end of this connection.
    /// </remarks>
    /// <param name="label">What it is for: 1 to 128 visible ASCII characters, such as <c>example.org/chat/1</c>. Both ends use the same one.</param>
    /// <param name="scope">What it identifies. Default: this connection alone.</param>
    /// <returns>
    /// The binding, of 32 octets; null where there is nothing to bind to: TLS 1.2, or another platform than OpenSSL, for
    /// <see cref="ChannelBindingScope.Connection"/>; a server certificate without a binding for <see cref="ChannelBindingScope.ServerCertificate"/>.
    /// Treat null as a refusal: never go on without a binding that you meant to have.
    /// </returns>
    /// <exception cref="ArgumentNullException"><paramref name="label"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="label"/> is no label.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="scope"/> does not exist.</exception>
    /// <example>
    /// <code>
    /// var binding = connection.DeriveBinding("example.org/chat/1")
    ///     ?? throw new NotSupportedException("This connection cannot be told from another one.");
    /// </code>
    /// </example>
    public ChannelBinding? DeriveBinding(string label, ChannelBindingScope scope = ChannelBindingScope.Connection)
    {
        DerivedBinding.ThrowUnlessLabel(label);
        return Enum.IsDefined(scope)
            ? DerivedBinding.Of(label, scope, _tls.Channel.EndPoint, _tls.Finished)
            : throw new ArgumentOutOfRangeException(nameof(scope), scope, $"A {nameof(ChannelBindingScope)} that exists.");
    }

    /// <summary>
    /// Ends the connection at once: when it returns, the transport is closed. A peer on a socket sees a reset; data in flight is lost. It works at
    /// any time, also beside a waiting <see cref="DisposeAsync"/>, and has no effect on a connection that has ended.
    /// </summary>
    /// <example><code>connection.Abort();</code></example>
    public void Abort()
    {
        Abort(ConnectionEnd.Aborted, null);
        WaitForRelease();
    }

    /// <summary>
    /// Ends TLS (close_notify) and closes the transport, so that written data reaches the peer even while the peer is still sending: waits for the
    /// peer to end its side, for <see cref="HandshakeOptions.CloseTimeout"/> at most. When it returns, the transport is closed. Further calls wait
    /// for the first one. Never throws.
    /// </summary>
    /// <remarks>If the peer does not read the data of a pending write in that time, the transport is aborted; a socket is reset.</remarks>
    /// <example><code>await connection.DisposeAsync();</code></example>
    public ValueTask DisposeAsync() => EndAsync(ConnectionEnd.Disposed, null);

    /// <summary>Who is at the other end and where, and what was negotiated, for a log.</summary>
    /// <example><code>Console.WriteLine(connection.ToString());</code></example>
    public override string ToString() =>
        $"{Peer}, TLS {Session.TlsVersion.ToText()}, {Session.ApplicationProtocol ?? "no application protocol"}, "
            + (IsConfirmed ? "confirmed" : "not confirmed");

    TimeSpan IRevalidated.IdleFor => _tls.Stream.IdleClock?.Elapsed ?? TimeSpan.Zero;

    void IRevalidated.CountIdle(TimeProvider time) => _tls.Stream.IdleClock = new IdleClock(time);

    void IRevalidated.Invalidate(Invalidation lost)
    {
        _invalidation = lost;
        if (_tls.Audit is { } audit)
        {
            ConnectionEvents.Invalidated(audit, Peer, RemoteEndPoint, lost);
        }

        ShowLoss();
        TryAbortForLoss();
    }

    void IRevalidated.Attach(ILiveEntry entry) => _entry = entry;

    void IRevalidated.Replace(AuthenticatedUser user) => Change(peer => peer.WithUser(user));

    void IRevalidated.Replace(ImmutableArray<FactLease> leases) => Change(peer => peer.WithLeases(leases));

    void IRevalidated.Restore()
    {
        lock (_ending)
        {
            _invalidation = null;
            Volatile.Write(ref _noLongerValid, null);
            if (!_isListenerStopping)
            {
                Volatile.Write(ref _drain, null);
            }
        }
    }

    ValueTask IRevalidated.EndAsync() => EndAsync(ConnectionEnd.Invalidated, _invalidation?.Rejection);

    void IRevalidated.OnEnded(IEndListener listener) => OnEnded(listener);

    void ICountedSession.OnEnded(IEndListener listener) => OnEnded(listener);

    /// <summary>The transport was closed, by us or by the application.</summary>
    void IEndListener.HasEnded() => End();

    void ICountedSession.End(Rejection rejection)
    {
        if (!End(rejection, InvalidationAction.Abort))
        {
            Abort(ConnectionEnd.Invalidated, rejection); // not registered, or about to end in another way
        }
    }

    void ITlsOwner.Close()
    {
        if (!TryAbortForLoss())
        {
            _tls.Stream.End(ConnectionEnd.Disposed, null);
            Cut(byReset: !_tls.Stream.TryShutdownNow(_tls.Options.CloseTimeout));
        }

        WaitForRelease();
    }

    /// <summary>Tells <paramref name="listener"/> once when the connection has ended; at once if it has ended already.</summary>
    internal void OnEnded(IEndListener listener)
    {
        lock (_ending)
        {
            if (!_isOver)
            {
                if (_endListener is null)
                {
                    _endListener = listener;
                }
                else
                {
                    _furtherEndListeners = _furtherEndListeners.Add(listener);
                }

                return;
            }
        }

        Tell(listener);
    }

    /// <summary>
    /// The user, the same one, has authenticated again: its facts and dates, and <see cref="RevalidationPolicy.MaximumAge"/>, count from now.
    /// </summary>
    /// <returns>False when the connection is over, or no longer valid for a reason that this does not remove.</returns>
    internal bool Renew(AuthenticatedUser user) => _entry?.Renew(user) == true;

    /// <summary>Ends the connection for this reason.</summary>
    /// <returns>False when it has ended, or was already to end in this way.</returns>
    internal bool End(Rejection rejection, InvalidationAction action) => _entry?.End(rejection, action) == true;

    /// <summary>The listener stops: this request is not taken back.</summary>
    internal void RequestDrain()
    {
        CancellationTokenSource drain;
        lock (_ending)
        {
            _isListenerStopping = true;
            drain = SourceOf(ref _drain);
        }

        Cancel(drain);
    }

    internal void Abort(ConnectionEnd end, Rejection? rejection)
    {
        if (!TryAbortForLoss())
        {
            _tls.Stream.End(end, rejection);
            Cut(byReset: true);
        }
    }

    /// <summary>
    /// Where the connection is lost and is to be aborted for that, it is, whatever else would end it in this moment: the application is told before.
    /// </summary>
    private bool TryAbortForLoss()
    {
        if (_invalidation is not { Action: InvalidationAction.Abort } lost)
        {
            return false;
        }

        _tls.Stream.End(ConnectionEnd.Invalidated, lost.Rejection);
        Cut(byReset: true);
        return true;
    }

    private async ValueTask EndAsync(ConnectionEnd end, Rejection? rejection)
    {
        if (!TryBeginClose(out var closed))
        {
            await closed.ConfigureAwait(false);
            return;
        }

        if (TryAbortForLoss())
        {
            await WhenReleasedAsync().ConfigureAwait(false);
        }

        _tls.Stream.End(end, rejection);
        var isSaid = await LingeringClose.RunAsync(
            _tls.Stream, _tls.Transport, _socket, _tls.Options.CloseTimeout, LingeringClose.MaxDrainedFromPeer).ConfigureAwait(false);
        Cut(byReset: !isSaid);
        await WhenReleasedAsync().ConfigureAwait(false);
        await WhenRecordedAsync().ConfigureAwait(false);
        lock (_ending)
        {
            _isClosed = true;
        }

        _closed?.SetResult();
    }

    /// <summary>True for the first who closes; another one waits for <paramref name="closed"/>.</summary>
    private bool TryBeginClose(out Task closed)
    {
        lock (_ending)
        {
            var isFirst = !_isClosing;
            _isClosing = true;
            closed = isFirst || _isClosed
                ? Task.CompletedTask
                : (_closed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            return isFirst;
        }
    }

    /// <summary>
    /// The end of the connection is recorded, so that its sink may be closed next; within the time that a close may take, however slow the sink is.
    /// </summary>
    private async ValueTask WhenRecordedAsync()
    {
        if (!_recorded.IsCompleted)
        {
            await Task.WhenAny(_recorded, Task.Delay(_tls.Options.CloseTimeout)).ConfigureAwait(false);
        }
    }

    private StepUpRecord RecordOf(AuthenticatedPeer peer, bool isStepUp) => _tls.Audit is { } audit
        ? new(
            (user, token) => ConnectionEvents.ProvenAgainAsync(audit, isStepUp, user, token),
            rejection => ConnectionEvents.NotProvenAgain(audit, isStepUp, peer, rejection),
            Id)
        : new(null, null, Id);

    private TimeSpan OpenFor()
    {
        try
        {
            return _time.GetElapsedTime(_openedAt);
        }
        catch (Exception)
        {
            return TimeSpan.Zero; // the clock threw
        }
    }

    /// <summary>The transport is closed, or a stream of the application's has had its time. Never throws.</summary>
    private async ValueTask WhenReleasedAsync()
    {
        var released = _tls.Stream.Released;
        if (!released.IsCompleted)
        {
            await released.WaitAsync(_tls.Options.CloseTimeout).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>The same for calls that are synchronous.</summary>
    private void WaitForRelease() => BoundedWait.Wait(_tls.Stream.Released, _tls.Options.CloseTimeout);

    /// <summary>
    /// Closes the transport, or begins to: nothing waits here for a stream of the application's, because the thread that ends one connection may have
    /// others to end. Never throws; further calls have no effect.
    /// </summary>
    private void Cut(bool byReset)
    {
        try
        {
            if (byReset)
            {
                // Close the socket before the stream: the stream's close would send FIN first.
                _socket?.Close(timeout: 0);
            }
        }
        catch (Exception)
        {
            // The socket is closed, or is being closed.
        }

        try
        {
            _tls.Stream.Release();
        }
        catch (Exception)
        {
            // The application's transport may throw; the platform's resources are released already.
        }

        End();
    }

    /// <summary>The user and the facts may change at one time.</summary>
    private void Change(Func<AuthenticatedPeer, AuthenticatedPeer> change)
    {
        lock (_ending)
        {
            _peer = change(_peer);
        }
    }

    /// <summary>
    /// Cancels what a loss cancels. Two tokens cannot be cancelled in one step: who has seen one, or the reason, does it before looking at the other.
    /// </summary>
    private void ShowLoss()
    {
        if (_invalidation is null)
        {
            return;
        }

        lock (_ending)
        {
            if (_invalidation is not { } lost)
            {
                return; // taken back in the meantime
            }

            Cancel(SourceOf(ref _noLongerValid));
            if (lost.Action != InvalidationAction.Notify)
            {
                Cancel(SourceOf(ref _drain));
            }
        }
    }

    /// <summary>Most connections end before their tokens are asked for.</summary>
    private static CancellationTokenSource SourceOf(ref CancellationTokenSource? source)
    {
        if (Volatile.Read(ref source) is { } known)
        {
            return known;
        }

        var made = new CancellationTokenSource();
        return Interlocked.CompareExchange(ref source, made, null) ?? made;
    }

    /// <summary>Application callbacks neither block the caller nor throw into it.</summary>
    private void Cancel(CancellationTokenSource source)
    {
        var callbacks = source.CancelAsync();
        if (!callbacks.IsCompletedSuccessfully)
        {
            _ = LogFaultsAsync(callbacks);
        }
    }

    private Microsoft.Extensions.Logging.ILogger LoginLogger() => MutualAuthTelemetry.CreateLogger(_tls.Options.LoggerFactory, LogArea.Login);

    /// <summary>The user has authenticated again.</summary>
    /// <returns>Why that is worth nothing; null when the connection relies on it now.</returns>
    private Rejection? RenewLogin(AuthenticatedUser user)
    {
        if (_entry is null && !_isOver)
        {
            Change(peer => peer.WithUser(user)); // nothing examines the connection again
            return null;
        }

        return Renew(user) ? null : new Rejection(
            RejectionReason.ReauthenticationTooLate, "a connection that is open, and ends for no other reason",
            _invalidation?.Rejection.ToString() ?? "one that is over");
    }

    /// <summary>Why the connection is over, or about to be; null while it is open and valid.</summary>
    private Rejection? FindEnd() => _invalidation?.Rejection
        ?? (Volatile.Read(ref _isOver)
            ? new Rejection(RejectionReason.ReconnectCredentialUnavailable, "a connection that is open", "one that is over")
            : null);

    /// <summary>A clock of the application's that throws stops no handshake here; others look at it.</summary>
    private static DateTimeOffset UtcNow(TimeProvider time)
    {
        try
        {
            return time.GetUtcNow();
        }
        catch (Exception)
        {
            return TimeProvider.System.GetUtcNow();
        }
    }

    private static long Timestamp(TimeProvider time)
    {
        try
        {
            return time.GetTimestamp();
        }
        catch (Exception)
        {
            return 0;
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
                MutualAuthTelemetry.CreateLogger(_tls.Options.LoggerFactory, LogArea.Connection),
                Peer.Name,
                RemoteEndPoint,
                (exception as AggregateException)?.InnerException ?? exception);
        }
    }

    private void End()
    {
        IEndListener? first;
        ImmutableArray<IEndListener> further;
        lock (_ending)
        {
            if (_isOver)
            {
                return;
            }

            _isOver = true;
            (first, further) = (_endListener, _furtherEndListeners);
            (_endListener, _furtherEndListeners) = (null, []);
        }

        _unforgotten.Dispose();
        MutualAuthTelemetry.Try(-1, static delta => MutualAuthTelemetry.OpenConnections.Add(delta));
        if (_tls.Audit is { } audit)
        {
            _recorded = ConnectionEvents.Ended(audit, Peer, RemoteEndPoint, _tls.Stream, OpenFor());
        }

        Tell(first);
        foreach (var listener in further)
        {
            Tell(listener);
        }
    }

    private void Tell(IEndListener? listener)
    {
        try
        {
            listener?.HasEnded();
        }
        catch (Exception exception)
        {
            // A source of the application's threw. The others must still be told, also where the finalizer tells them.
            RevalidationLog.EndFaulted(MutualAuthTelemetry.CreateLogger(_tls.Options.LoggerFactory, LogArea.Connection), exception);
        }
    }

    /// <summary>
    /// Its finalizer detects that neither the connection nor its stream is referenced; the platform reclaims the transport like that of any forgotten
    /// stream.
    /// </summary>
    private sealed class Unforgotten(MutualTlsConnection connection) : IDisposable
    {
        ~Unforgotten() => connection.End();

        public void Dispose() => GC.SuppressFinalize(this);
    }
}
