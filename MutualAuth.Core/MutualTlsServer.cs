using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using MutualAuth.Connections;
using MutualAuth.Errors;
using MutualAuth.Handshake;
using MutualAuth.Hello;
using MutualAuth.Identities;
using MutualAuth.Platforms;
using MutualAuth.Reloading;
using MutualAuth.Revalidation;
using MutualAuth.Telemetry;
using MutualAuth.Transport;
using MutualAuth.Validation;

namespace MutualAuth;

/// <summary>Performs the server's side of the handshake on accepted sockets or connected streams, and returns authenticated connections.</summary>
/// <remarks>
/// Immutable and safe for use from many threads: make one and keep it. <see cref="MutualTlsListener"/> is an accept loop that uses it.
/// </remarks>
public sealed class MutualTlsServer
{
    private readonly Handshaker _handshaker;
    private readonly ConnectionRevalidator _live;

    /// <summary>Prepares a server.</summary>
    /// <exception cref="ArgumentException">The options contradict themselves; the message lists every problem.</exception>
    /// <exception cref="PlatformException">
    /// The platform does not meet <see cref="Handshake.HandshakeOptions.RequirePlatform"/>; the exception lists everything that is beyond it.
    /// </exception>
    /// <example>
    /// <code>
    /// var mutualTls = new MutualTlsServer(new MutualTlsServerOptions
    /// {
    ///     Identity = Identity.FromPemFiles("server.pem", "server.key"),
    ///     Trust = TrustAnchors.FromPemFiles("authority.pem"),
    ///     Authorization = Authorize.Dns("client.example"),
    /// });
    /// </code>
    /// </example>
    public MutualTlsServer(MutualTlsServerOptions options)
    {
        _handshaker = new Handshaker(options);
        _handshaker.JudgePlatform(PeerRole.Server);
        _live = new ConnectionRevalidator(_handshaker.Stage, options, options.Revalidation, PeerRole.Server);
        Options = options;
        _handshaker.AnnounceContext();
        _handshaker.WarnOfOwnIdentity(ServerIdentities.AtHand(options.Identity), PeerRole.Server);
        IHasFileRemarks.Log(MutualAuthTelemetry.CreateLogger(options.LoggerFactory), ServerIdentities.AtHand(options.Identity));
        AuditedMaterial.Begin(options, PeerRole.Server, [options.Identity]);
    }

    internal MutualTlsServerOptions Options { get; }

    /// <summary>The open connections that this server authenticated.</summary>
    internal ConnectionRevalidator Live => _live;

    /// <summary>
    /// The open connections that this server authenticated, as of now, to look at; the list holds on to them. Those of servers that
    /// <see cref="MutualTlsServerOptions.SelectServer"/> chooses are theirs.
    /// </summary>
    /// <example><code>Console.WriteLine($"{server.Connections.Length} connections");</code></example>
    public ImmutableArray<MutualTlsConnection> Connections => [.. _live.Connections];

    /// <summary>Ends the open connections whose peer matches, for what no source announces.</summary>
    /// <remarks>
    /// Connections whose handshake is under way are ended too, when they match at their end: those whose client hello has arrived by the time of
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
    /// <example><code>var count = server.EndWhere(peer => peer.User?.Name == "alice", "laptop stolen");</code></example>
    public int EndWhere(Func<AuthenticatedPeer, bool> matches, string reason, InvalidationAction action = InvalidationAction.Abort)
    {
        EndRules.Check(matches, reason, action);
        return _live.EndWhere(matches, reason, action);
    }

    /// <summary>Authenticates the client at the other end of a connected socket.</summary>
    /// <param name="socket">
    /// The socket. This call takes ownership: the connection owns it, and every failure closes it. An unusable socket (not connected, listening, of
    /// datagrams, non-blocking, closed) fails the task with <see cref="RejectionReason.TransportUnusable"/>, and is closed too.
    /// </param>
    /// <param name="cancellationToken">Cancels the handshake.</param>
    /// <exception cref="ArgumentNullException"><paramref name="socket"/> is null.</exception>
    /// <exception cref="HandshakeException">The handshake failed; the exception holds the reason.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <example><code>await using var connection = await server.AcceptAsync(socket, cancellationToken);</code></example>
    public Task<MutualTlsConnection> AcceptAsync(Socket socket, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(socket);
        return AcceptAsync(HandshakeAttempt.Begin(socket, PeerRole.Server, Options, cancellationToken), AdmitsAll.Instance).AsTask();
    }

    /// <summary>Authenticates the client at the other end of a connected stream, which may have carried another protocol first (STARTTLS).</summary>
    /// <param name="stream">
    /// The stream, of which no octet of the client's TLS has been read. This call takes ownership: the connection owns it, and every failure closes
    /// it.
    /// </param>
    /// <param name="cancellationToken">Cancels the handshake.</param>
    /// <exception cref="HandshakeException">The handshake failed; the exception holds the reason.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <example><code>await using var connection = await server.AcceptAsync(stream, cancellationToken);</code></example>
    public Task<MutualTlsConnection> AcceptAsync(Stream stream, CancellationToken cancellationToken = default) =>
        AcceptAsync(stream, null, cancellationToken);

    /// <summary>The same for a client whose address the caller knows, for example from a PROXY header or from the underlying transport.</summary>
    /// <param name="stream">
    /// The stream, of which no octet of the client's TLS has been read. This call takes ownership: the connection owns it, and every failure closes
    /// it.
    /// </param>
    /// <param name="remoteEndPoint">
    /// The client's address. Null: the remote end point of a <see cref="NetworkStream"/>'s socket; with other streams there is none, and limits by
    /// address do not apply.
    /// </param>
    /// <param name="cancellationToken">Cancels the handshake.</param>
    /// <exception cref="ArgumentNullException"><paramref name="stream"/> is null.</exception>
    /// <exception cref="HandshakeException">The handshake failed; the exception holds the reason.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <example><code>await using var connection = await server.AcceptAsync(stream, clientEndPoint, cancellationToken);</code></example>
    public Task<MutualTlsConnection> AcceptAsync(Stream stream, EndPoint? remoteEndPoint, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return AcceptAsync(HandshakeAttempt.Begin(stream, PeerRole.Server, Options, cancellationToken, remoteEndPoint), AdmitsAll.Instance).AsTask();
    }

    /// <summary>
    /// The whole handshake: hello, selection of the server, a slot, TLS, certificate stage, confirmation, connection, and its registration for
    /// revalidation.
    /// </summary>
    /// <param name="attempt">The transport on its way.</param>
    /// <param name="admission">Where it stands among others.</param>
    /// <param name="isFromProxy">Whether it must begin with a PROXY protocol header.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal async ValueTask<MutualTlsConnection> AcceptAsync(HandshakeAttempt attempt, IAdmission admission, bool isFromProxy = false)
    {
        using (attempt)
        {
            try
            {
                attempt.Enter();
                await attempt.ConfigureAsync().ConfigureAwait(false);
                if (isFromProxy)
                {
                    await ProxyHeaderReader.ReadAsync(attempt, Options.HandshakeLimits.MaxClientHelloBytes).ConfigureAwait(false);
                    admission.AddressIsKnown();
                }

                var hello = await ReadHelloAsync(attempt).ConfigureAwait(false);
                attempt.Admission = admission;
                admission.HelloIsComplete();
                var server = await SelectAsync(attempt, hello).ConfigureAwait(false);
                if (!ReferenceEquals(server, this))
                {
                    attempt.RecordFor(server.Options);
                }

                using var registration = await server._live.BeginAsync(attempt).ConfigureAwait(false);
                var identity = await server.IdentityForAsync(attempt, hello).ConfigureAwait(false);
                var tls = await server._handshaker.AsServerAsync(attempt, hello, identity).ConfigureAwait(false);
                attempt.Succeeded(tls);
                var connection = new MutualTlsConnection(tls, attempt.Socket, attempt.RemoteEndPoint, Options.TimeProvider);
                await registration.RegisterAsync(connection, identity.Certificate.NotAfter, attempt).ConfigureAwait(false);
                attempt.PassSessionTo(connection);
                return connection;
            }
            catch (Exception exception)
            {
                attempt.Admission = admission; // also before the hello: it says whether the close may wait for the peer
                throw await attempt.FailedAsync(exception).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Our own sources answer at once. Those of the application may block, and are called on a separate thread.</summary>
    private ValueTask<Identity> IdentityForAsync(HandshakeAttempt attempt, ClientHello hello) => ServerIdentities.IsAtHand(Options.Identity)
        ? ValueTask.FromResult(Options.Identity.Current)
        : AskForIdentityAsync(attempt, hello);

    private ValueTask<Identity> AskForIdentityAsync(HandshakeAttempt attempt, ClientHello hello) => Options.Identity switch
    {
        ServerIdentities several => attempt.AskAsync("our identity", () => ValueTask.FromResult(several.For(hello.ServerName))),
        var source => attempt.AskAsync("our identity", () => ValueTask.FromResult(source.Current)),
    };

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ClientHello> ReadHelloAsync(HandshakeAttempt attempt)
    {
        var reading = await ClientHelloReader.ReadAsync(
            attempt.Transport, Options.HandshakeLimits.MaxClientHelloBytes, attempt.Token).ConfigureAwait(false);
        if (reading.Hello is null)
        {
            throw await HelloNegotiation.RefuseAsync(attempt, reading.Alert, reading.Problem!).ConfigureAwait(false);
        }

        attempt.HelloSeen = true;
        return reading.Hello;
    }

    private ValueTask<MutualTlsServer> SelectAsync(HandshakeAttempt attempt, ClientHello hello) =>
        Options.SelectServer is { } select ? SelectAsync(attempt, hello, select) : ValueTask.FromResult(this);

    private async ValueTask<MutualTlsServer> SelectAsync(HandshakeAttempt attempt, ClientHello hello, ServerSelector select)
    {
        MutualTlsServer? selected;
        attempt.Asked = "a server for this client";
        try
        {
            // On a separate thread: it may block, and the deadline still applies.
            selected = await TaskWaits.RunOrLeaveAsync(token => select(hello, this, token), attempt.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (!attempt.Token.IsCancellationRequested)
        {
            var fault = new Rejection(
                RejectionReason.ValidatorFaulted,
                "a server for this client",
                $"an exception of {nameof(MutualTlsServerOptions.SelectServer)}, {exception.GetType().Name}");
            throw await HelloNegotiation.RefuseAsync(attempt, TlsAlerts.InternalError, fault, exception).ConfigureAwait(false);
        }

        attempt.Asked = null;
        if (selected is null)
        {
            var unknown = new Rejection(RejectionReason.UnrecognizedServerName, "a server name that we serve", SafeText.Quote(hello.ServerName))
            { Rule = "RFC 6066 §3" };
            throw await HelloNegotiation.RefuseAsync(attempt, TlsAlerts.UnrecognizedName, unknown).ConfigureAwait(false);
        }

        return selected;
    }
}
