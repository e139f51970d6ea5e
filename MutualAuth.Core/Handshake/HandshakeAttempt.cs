using System.Collections.Immutable;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography;
using MutualAuth.Audit;
using MutualAuth.Collections;
using MutualAuth.Errors;
using MutualAuth.Evidence;
using MutualAuth.Hello;
using MutualAuth.Telemetry;
using MutualAuth.Transport;
using MutualAuth.Validation;

namespace MutualAuth.Handshake;

/// <summary>
/// One transport on its way to a connection: owns it, holds the one deadline, and sees to it that there is exactly one outcome and that
/// every outcome but a connection closes the transport.
/// </summary>
internal sealed class HandshakeAttempt : IDisposable
{
    private readonly HandshakeOptions _options;
    private readonly HandshakeRecorder _recorder;
    private readonly CancellationToken _callerToken;
    private readonly CancellationTokenSource _end;
    private readonly CancellationTokenRegistration _callerGivesUp;
    private readonly Exception? _unusable;
    private readonly Exception? _clockFault;
    private bool _tlsIsCut;
    private Rejection? _abortReason;
    private volatile string? _asked;

    private HandshakeAttempt(
        Stream stream, Socket? socket, EndPoint? remoteEndPoint, PeerRole ourRole, HandshakeOptions options, Exception? unusable,
        CancellationTokenSource? stopped, CancellationToken callerToken)
    {
        _unusable = unusable;
        _options = options;
        _callerToken = callerToken;
        Socket = socket;
        OurRole = ourRole;
        RemoteEndPoint = remoteEndPoint;
        Transport = new HandshakeTransport(stream, options.HandshakeLimits.MaxHandshakeBytes);
        var logger = MutualAuthTelemetry.CreateLogger(options.LoggerFactory, LogArea.Handshake);
        Id = ConnectionId.Next();
        _recorder = new HandshakeRecorder(logger, options.TimeProvider, ourRole, RemoteEndPoint, Id);
        RecordFor(options);
        try
        {
            _end = stopped ?? new CancellationTokenSource(options.HandshakeTimeout, options.TimeProvider);
            stopped?.CancelAfter(options.HandshakeTimeout);
        }
        catch (Exception exception)
        {
            // The handshake ends at once for it; until then the system's clock holds the deadline.
            _clockFault = exception;
            _end = new CancellationTokenSource(options.HandshakeTimeout);
        }

        _callerGivesUp = callerToken.UnsafeRegister(static end => HandedToken.CancelAside((CancellationTokenSource)end!), _end);
    }

    internal Socket? Socket { get; }

    /// <summary>Names this attempt, and the connection that comes of it.</summary>
    internal ConnectionId Id { get; }

    /// <summary>Tells the auditor; null where nothing is recorded.</summary>
    internal ConnectionAudit? Audit { get; private set; }

    /// <summary>What the peer has shown, once it has: a claim.</summary>
    internal PeerEvidence? ShownByPeer => Judge?.Evidence;

    /// <summary>What judges the peer; null until there is one.</summary>
    internal PeerValidationCallback? Judge { get; set; }

    internal PeerRole OurRole { get; }

    internal HandshakeOptions Options => _options;

    internal EndPoint? RemoteEndPoint { get; private set; }

    internal HandshakeTransport Transport { get; }

    /// <summary>Where it stands among others; the transport tells it when we wait for the peer.</summary>
    internal IAdmission Admission
    {
        get => Transport.Admission;
        set => Transport.Admission = value;
    }

    /// <summary>The TLS engine, once it exists. It is disposed of with the transport.</summary>
    internal GuardedSslStream? Tls { get; set; }

    /// <summary>What we wait for that code of the application's has to give, in words for the outcome; null while we wait for none.</summary>
    internal string? Asked
    {
        set => _asked = value;
    }

    /// <summary>
    /// While a header of a proxy's is awaited: what to say of a peer that goes away or silent after so many octets. Null: what is awaited is the
    /// ClientHello.
    /// </summary>
    internal Func<long, Rejection>? IncompleteHeader { get; set; }

    /// <summary>What we have to show to the peer; default until that is known.</summary>
    internal ImmutableArray<Identity> Shown { get; set; }

    /// <summary>The place among the sessions of the peer, as long as it is this attempt's.</summary>
    internal SessionPlace? Session { get; set; }

    /// <summary>The ClientHello of a client is complete.</summary>
    internal bool HelloSeen { get; set; }

    /// <summary>Ends at the deadline, when the caller gives up, and when the attempt is aborted.</summary>
    internal CancellationToken Token => _end.Token;

    /// <summary>What the peer calls itself, once it has shown a certificate: a claim until the attempt has succeeded.</summary>
    internal string? ClaimedName { get; set; }

    /// <summary>
    /// Takes a socket over. It never throws: what is wrong with the socket is told by <see cref="Enter"/>, and has its outcome like everything else.
    /// </summary>
    /// <param name="socket">The transport.</param>
    /// <param name="ourRole">The part that we play.</param>
    /// <param name="options">What we want.</param>
    /// <param name="callerToken">The caller gives it up.</param>
    /// <param name="stopped">
    /// What held the deadline of the dial by the system's clock, stopped, and known to no one else: it holds that of the attempt. Null where there is
    /// none.
    /// </param>
    internal static HandshakeAttempt Begin(
        Socket socket, PeerRole ourRole, HandshakeOptions options, CancellationToken callerToken, CancellationTokenSource? stopped = null)
    {
        Stream stream;
        Exception? unusable = null;
        try
        {
            stream = new NetworkStream(socket, ownsSocket: true);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException)
        {
            unusable = exception;
            stream = new ClosedSocket(socket);
        }

        return new HandshakeAttempt(stream, socket, EndPointOf(socket), ourRole, options, unusable, stopped, callerToken);
    }

    /// <summary>Takes a stream over. It never throws: what is wrong with the stream is told by <see cref="Enter"/>.</summary>
    /// <param name="stream">The transport.</param>
    /// <param name="ourRole">The part that we play.</param>
    /// <param name="options">What we want.</param>
    /// <param name="callerToken">The caller gives it up.</param>
    /// <param name="remoteEndPoint">Where the peer is, when the caller knows; else what a socket under the stream says.</param>
    internal static HandshakeAttempt Begin(
        Stream stream, PeerRole ourRole, HandshakeOptions options, CancellationToken callerToken, EndPoint? remoteEndPoint = null) => new(
        stream,
        null,
        remoteEndPoint ?? EndPointOf((stream as NetworkStream)?.Socket),
        ourRole,
        options,
        ObjectionTo(stream),
        null,
        callerToken);

    /// <summary>
    /// The first step of every handshake, in an asynchronous method: the activity becomes the current one, and the transport is made ready.
    /// </summary>
    /// <exception cref="HandshakeException">The transport cannot be used, or the application's hook threw.</exception>
    /// <exception cref="SocketException">The peer has reset the connection already.</exception>
    internal void Enter()
    {
        _recorder.Enter();
        if (_clockFault is not null)
        {
            throw ApplicationCalls.Fault("a clock that holds the deadline", _clockFault);
        }

        if (_unusable is not null)
        {
            var rejection = new Rejection(
                RejectionReason.TransportUnusable,
                "a connected socket or stream that blocks and carries octets both ways",
                SafeText.Quote(_unusable.Message));
            throw new HandshakeException(HandshakeFailure.OurFault, rejection, _unusable);
        }

        if (Socket is { ProtocolType: ProtocolType.Tcp } socket)
        {
            // Verdicts and handshake messages are small and waited for.
            socket.NoDelay = true;
            _options.KeepAlive.ApplyTo(socket);
        }
    }

    /// <summary>The second step: the application's ConfigureSocket callback configures the socket.</summary>
    /// <exception cref="HandshakeException">It threw.</exception>
    /// <exception cref="OperationCanceledException">The attempt ended before it came back.</exception>
    internal ValueTask ConfigureAsync()
    {
        return Socket is { } socket && _options.ConfigureSocket is { } configure ? AskHookAsync(socket, configure) : default;

        async ValueTask AskHookAsync(Socket socket,
            Action<Socket> configure) => await AskAsync($"a socket that {nameof(HandshakeOptions.ConfigureSocket)} has configured", () =>
        {
            configure(socket);
            return new ValueTask<bool>(true);
        }).ConfigureAwait(false);
    }

    /// <summary>
    /// Asks code of the application's, which may hold the thread that asks it: it has one that it may hold, and when the attempt ends first it is
    /// left where it is.
    /// </summary>
    /// <param name="what">What is asked for, in words for the outcome.</param>
    /// <param name="ask">Asks.</param>
    /// <param name="late">Receives an answer that arrives after the wait has ended.</param>
    /// <exception cref="HandshakeException">It threw: a fault on our own account.</exception>
    /// <exception cref="OperationCanceledException">The attempt ended first.</exception>
    internal async ValueTask<T> AskAsync<T>(string what, Func<ValueTask<T>> ask, Action<T>? late = null)
    {
        _asked = what;
        var answer = await ApplicationCalls.AskAsync<T>(what, () => new(TaskWaits.RunOrLeaveAsync(ask, Token, late)), Token).ConfigureAwait(false);
        _asked = null;
        return answer;
    }

    /// <summary>
    /// Waits for a handshake of the TLS engine, which ends with the attempt by itself. Only where it is held by what the judge asks is it left
    /// where it is, and cut off from the transport.
    /// </summary>
    /// <param name="tls">The engine.</param>
    /// <param name="settings">As a server or as a client.</param>
    /// <param name="judge">Who judges the peer.</param>
    /// <exception cref="OperationCanceledException">The attempt ended first.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    internal async ValueTask RunEngineAsync(GuardedSslStream tls, object settings, PeerValidationCallback judge)
    {
        var wait = judge.Wait = EngineWait.Take(Transport, Token);
        var handshake = StartEngine(tls, settings);
        if (!await wait.UntilEndAsync(handshake).ConfigureAwait(false))
        {
            _asked = "a judgement of the peer by its sources, rules and validators";
            throw new OperationCanceledException(Token);
        }

        judge.Wait = null;
        wait.GiveBack();
        if (Token.IsCancellationRequested)
        {
            // That is why it has ended, or it has ended too late.
            _ = handshake.Exception;
            throw new OperationCanceledException(Token);
        }

        await handshake.ConfigureAwait(false);
    }

    /// <summary>Comes back before the engine can have come as far as the judge, which may hold its thread: for that it has to read.</summary>
    private Task StartEngine(GuardedSslStream tls, object settings)
    {
        Transport.BeginStart();
        try
        {
            return settings is SslServerAuthenticationOptions asServer
                ? tls.AuthenticateAsServerAsync(asServer, Token)
                : tls.AuthenticateAsClientAsync((SslClientAuthenticationOptions)settings, Token);
        }
        finally
        {
            Transport.EndStart();
        }
    }

    /// <summary>
    /// Ends the attempt from outside, for a reason of ours. Without effect when it has an outcome already. What the end brings about is not done on
    /// the thread of the caller, which may be that of another attempt.
    /// </summary>
    internal void Abort(Rejection reason)
    {
        Interlocked.CompareExchange(ref _abortReason, reason, null);
        try
        {
            HandedToken.CancelAside(_end);
        }
        catch (ObjectDisposedException)
        {
            // It has just ended by itself.
        }
    }

    /// <summary>
    /// Has this attempt recorded as these options say, from its beginning. Those of a server that was selected come after those of the server that
    /// selected it; where they record nothing, nothing changes. In one sink the beginning is recorded once.
    /// </summary>
    internal void RecordFor(HandshakeOptions options)
    {
        if (options.Audit is not { } policy || ReferenceEquals(policy, Audit?.Auditor.Policy))
        {
            return;
        }

        var hasBegun = ReferenceEquals(policy.Sink, Audit?.Auditor.Policy.Sink);
        Audit = new ConnectionAudit(Auditor.For(policy, options.LoggerFactory, options.TimeProvider)!, Id);
        if (!hasBegun)
        {
            HandshakeEvents.Begun(Audit, OurRole, RemoteEndPoint, EndPointOf(Socket, static socket => socket.LocalEndPoint));
        }
    }

    /// <summary>A proxy has said where the peer is. From here on it is at this address, for every bound and every log.</summary>
    internal void PeerIsAt(EndPoint address)
    {
        RemoteEndPoint = address;
        _recorder.Remote = address;
    }

    /// <summary>Records the success. From here on the transport belongs to the connection.</summary>
    internal void Succeeded(AuthenticatedTls tls)
    {
        Transport.PassThrough();
        _recorder.Succeeded(NameForMetrics(tls.Session.KeyExchangeGroup), tls, static tls => new HandshakeSuccess
        {
            Peer = tls.Peer.Name,
            User = tls.Peer.User is { } user ? SafeText.PercentEncode(user.Name) : null,
            Proofs = tls.Peer.Proofs.ToString(),
            SerialNumber = tls.Peer.Certificate?.SerialNumber,
            Fingerprint = tls.Peer.Certificate?.Thumbprint,
            Policies = tls.Peer.Policies.IsEmpty ? null : string.Join(' ', tls.Peer.Policies.Take(8)),
            TlsVersion = tls.Session.TlsVersion.ToText(),
            CipherSuite = tls.Session.CipherSuite.ToString(),
            KeyExchangeGroup = tls.Session.KeyExchangeGroup?.ToText(),
            ApplicationProtocol = tls.Session.ApplicationProtocol,
            IsConfirmed = tls.IsConfirmed,
        });
    }

    /// <summary>The place among the sessions of the peer belongs to the connection from here on.</summary>
    internal void PassSessionTo(ICountedSession connection)
    {
        var place = Session;
        Session = null;
        place?.PassTo(connection);
    }

    /// <summary>One of a closed set: a peer must not be able to make series.</summary>
    private static string NameForMetrics(KeyExchangeGroup? group) =>
        group is not { } known ? "none" : Enum.IsDefined(known) ? known.ToText() : "other";

    /// <summary>Closes the transport, records the failure, and says what to throw.</summary>
    internal async ValueTask<Exception> FailedAsync(Exception exception)
    {
        if (exception is OperationCanceledException && _callerToken.IsCancellationRequested && _abortReason is null)
        {
            DropFlight();
            await CloseAsync(polite: false).ConfigureAwait(false);
            _recorder.Cancelled();
            if (Audit is not null)
            {
                HandshakeEvents.Cancelled(Audit, this);
            }

            return new OperationCanceledException("The caller gave up the handshake.", exception, _callerToken);
        }

        Admission.Leave();
        var outcome = OwnEvidence.Explain(ToOutcome(exception), Shown, OurRole);
        outcome.PeerName ??= ClaimedName;
        outcome.RemoteEndPoint ??= RemoteEndPoint;
        outcome.ConnectionId ??= Id.ToString();
        if (outcome.Failure == HandshakeFailure.OurFault && HelloSeen && !Transport.HasSent)
        {
            await TellOurFaultAsync().ConfigureAwait(false);
        }
        else if (DropFlight())
        {
            // In the clear, as a server takes it until our first protected record (RFC 8446 §6).
            await LingeringClose.SayAsync(Transport, TlsAlerts.ToRecord(TlsAlerts.HandshakeFailure)).ConfigureAwait(false);
        }

        var hasSpoken = Transport.HasRefused || (outcome.Failure == HandshakeFailure.OurFault && Transport.HasSent);
        await CloseAsync(polite: hasSpoken || outcome.Failure is HandshakeFailure.PeerRejected or HandshakeFailure.NoAgreement).ConfigureAwait(false);
        _recorder.Failed(outcome);
        if (Audit is not null)
        {
            HandshakeEvents.Failed(Audit, this, outcome);
        }

        return outcome;
    }

    public void Dispose()
    {
        Session?.Dispose();
        _callerGivesUp.Dispose();
        _end.Dispose();
    }

    private Rejection DescribeLateness()
    {
        if (IncompleteHeader is { } describe && _asked is null)
        {
            return describe(Transport.Received);
        }

        if (CleartextProtocols.Recognise(Transport.FirstBytes, final: true, OurRole) is { } plain)
        {
            return plain;
        }

        return OurRole == PeerRole.Server && !HelloSeen && _asked is null
            ? ClientHelloReader.Incomplete(Transport.Received)
            : new Rejection(
                RejectionReason.HandshakeTimedOut,
                $"a handshake within {_options.HandshakeTimeout}",
                _asked is { } asked ? $"code of ours that had not given {asked}" : $"{Transport.Received} bytes and no end of it")
            {
                Hint = _asked is null ? null : "It is nothing that the peer did: what a handshake asks of the application must not block.",
            };
    }

    private HandshakeException ToOutcome(Exception exception) => exception switch
    {
        HandshakeException known => known,
        _ when _abortReason is { } aborted => new HandshakeException(HandshakeFailure.NoCapacity, aborted, exception),
        OperationCanceledException when Token.IsCancellationRequested =>
            new HandshakeException(HandshakeFailure.TimedOut, DescribeLateness(), exception),
        IOException or SocketException when OurRole == PeerRole.Server && !HelloSeen && Transport.Received == 0 && IsReset(exception) =>
            new HandshakeException(
                HandshakeFailure.TransportLost, ClientHelloReader.Incomplete(0) with { Presented = "a reset and nothing before it" }, exception),
        IOException or SocketException or ObjectDisposedException or AuthenticationException or CryptographicException =>
            TlsFaults.ToOutcome(exception, Transport, OurRole, _options),
        _ => ApplicationCalls.Fault("a handshake", exception),
    };

    private static bool IsReset(Exception exception) => exception.GetBaseException() is SocketException
    {
        SocketErrorCode: SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown or SocketError.NotConnected,
    };

    /// <summary>
    /// On a client whose handshake has failed: our last flight, with our certificate in it, stays here. An alert of the TLS engine's own goes out.
    /// </summary>
    private bool DropFlight()
    {
        if (OurRole != PeerRole.Client || !Transport.HoldsFlight)
        {
            return false;
        }

        Transport.DropHeld();
        _tlsIsCut = true;
        return true;
    }

    /// <summary>To a client that has said its hello and has not heard from us: it is not the one (RFC 8446 §6.2, internal_error).</summary>
    private ValueTask TellOurFaultAsync()
    {
        // The TLS engine may have left a word of its own, which would send the client looking for another version.
        Transport.DropHeld();
        return LingeringClose.SayAsync(Transport, TlsAlerts.ToRecord(TlsAlerts.InternalError));
    }

    private async ValueTask CloseAsync(bool polite)
    {
        try
        {
            if (polite && Admission.TryBeginLinger())
            {
                try
                {
                    await LingeringClose.RunAsync(
                        _tlsIsCut ? null : Tls,
                        Transport,
                        Socket,
                        LingeringClose.StrangersPatience,
                        LingeringClose.MaxDrainedFromStranger).ConfigureAwait(false);
                }
                finally
                {
                    Admission.EndLinger();
                }
            }
            else if (Transport.HoldsSomething)
            {
                // The TLS engine's alert may be in it.
                await LingeringClose.ReleaseAsync(Transport).ConfigureAwait(false);
            }

            await DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception)
        {
            // It is closed, which is all that was wanted; what a stream of the application's throws then changes no outcome.
        }
    }

    /// <summary>
    /// A socket closes at once. A stream of the application's may take its time, or for ever: it is told, and not waited for longer than a moment.
    /// </summary>
    private async ValueTask DisposeAsync()
    {
        if (Socket is not null)
        {
            await DisposeAllAsync().ConfigureAwait(false);
            return;
        }

        using var patience = LingeringClose.ForAMoment(_options.TimeProvider);
        await Task.Run(DisposeAllAsync, CancellationToken.None).OrLeaveAsync(patience.Token).ConfigureAwait(false);
    }

    private async Task<bool> DisposeAllAsync()
    {
        if (Tls is not null)
        {
            await Tls.DisposeAsync().ConfigureAwait(false);
        }

        await Transport.DisposeAsync().ConfigureAwait(false);
        return true;
    }

    /// <summary>What stands in for the stream of a socket that can have none: all it does is to close it.</summary>
    private sealed class ClosedSocket(Socket socket) : MemoryStream([], writable: false)
    {
        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                socket.Dispose();
            }

            base.Dispose(disposing);
        }
    }

    private static Exception? ObjectionTo(Stream stream)
    {
        try
        {
            return stream.CanRead && stream.CanWrite ? null : new IOException("The stream is closed, or not open for both reading and writing.");
        }
        catch (Exception exception)
        {
            return exception;
        }
    }

    private static EndPoint? EndPointOf(Socket? socket) => EndPointOf(socket, static socket => socket.RemoteEndPoint);

    private static EndPoint? EndPointOf(Socket? socket, Func<Socket, EndPoint?> which)
    {
        try
        {
            return socket is null ? null : which(socket);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            return null;
        }
    }
}
