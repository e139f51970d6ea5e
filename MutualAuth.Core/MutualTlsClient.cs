using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using MutualAuth.Audit;
using MutualAuth.Connections;
using MutualAuth.Errors;
using MutualAuth.Handshake;
using MutualAuth.Platforms;
using MutualAuth.Reloading;
using MutualAuth.Revalidation;
using MutualAuth.Telemetry;

namespace MutualAuth;

/// <summary>Connects to servers, or upgrades connected sockets and streams, with mutual authentication.</summary>
/// <remarks>Immutable and safe for use from many threads: make one and keep it.</remarks>
public sealed class MutualTlsClient
{
    private readonly MutualTlsClientOptions _options;
    private readonly Handshaker _handshaker;
    private readonly ConnectionRevalidator _live;

    /// <summary>The open connections that this client authenticated.</summary>
    internal ConnectionRevalidator Live => _live;

    /// <summary>The servers with which it shares a TLS context.</summary>
    internal SharingServers Sharing => _handshaker.Sharing;

    /// <summary>Prepares a client.</summary>
    /// <exception cref="ArgumentException">The options contradict themselves; the message lists every problem.</exception>
    /// <exception cref="PlatformException">
    /// The platform does not meet <see cref="Handshake.HandshakeOptions.RequirePlatform"/>; the exception lists everything that is beyond it.
    /// </exception>
    /// <example>
    /// <code>
    /// var mutualTls = new MutualTlsClient(new MutualTlsClientOptions
    /// {
    ///     Identity = Identity.FromPemFiles("client.pem", "client.key"),
    ///     Trust = TrustAnchors.FromPemFiles("authority.pem"),
    ///     Authorization = Authorize.ServerName,
    /// });
    /// </code>
    /// </example>
    public MutualTlsClient(MutualTlsClientOptions options)
    {
        _handshaker = new Handshaker(options);
        _handshaker.JudgePlatform(PeerRole.Client);
        _live = new ConnectionRevalidator(_handshaker.Stage, options, options.Revalidation, PeerRole.Client);
        _options = options;
        _handshaker.WarnOfOwnIdentity(options.Identity.AtHand, PeerRole.Client);
        IHasFileRemarks.Log(MutualAuthTelemetry.CreateLogger(options.LoggerFactory), options.Identity.AtHand);
        AuditedMaterial.Begin(options, PeerRole.Client, options.Identity.AtHand);
    }

    private MutualTlsClient(MutualTlsClient other, MutualTlsClientOptions options)
    {
        _handshaker = other._handshaker.Offering(options);
        _live = other._live;
        _options = options;
    }

    /// <summary>
    /// This client, offering other application protocols (RFC 7301): for a library that speaks more than one over it, such as HTTP/1.1 and HTTP/2.
    /// </summary>
    /// <remarks>
    /// The two share everything else: what they present and accept, their bounds, <see cref="Connections"/>, <see cref="EndWhere"/> and revalidation.
    /// The call is cheap.
    /// </remarks>
    /// <param name="applicationProtocols">As <see cref="HandshakeOptions.ApplicationProtocols"/>, whose place they take; empty for none.</param>
    /// <exception cref="ArgumentException">One of them is not possible; the message lists every problem.</exception>
    /// <example>
    /// <code>
    /// await using var connection = await client.WithApplicationProtocols(["h2"]).ConnectAsync("server.example", 8443);
    /// </code>
    /// </example>
    public MutualTlsClient WithApplicationProtocols(ImmutableArray<string> applicationProtocols)
    {
        var options = _options with { ApplicationProtocols = applicationProtocols };
        return string.Join(' ', options.ApplicationProtocolProblems()) is { Length: > 0 } problems
            ? throw new ArgumentException(problems, nameof(applicationProtocols))
            : new MutualTlsClient(this, options);
    }

    /// <summary>
    /// The open connections that this client authenticated, as of now, to look at; the list holds on to them.
    /// </summary>
    /// <example><code>Console.WriteLine($"{client.Connections.Length} connections");</code></example>
    public ImmutableArray<MutualTlsConnection> Connections => [.. _live.Connections];

    /// <summary>Ends the open connections whose peer matches, for what no source announces.</summary>
    /// <remarks>
    /// Connections whose handshake is under way are ended too, when they match at their end: those that have reached the server by the time of the
    /// call.
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
    /// <example><code>var count = client.EndWhere(peer => peer.User?.Name == "alice", "laptop stolen");</code></example>
    public int EndWhere(Func<AuthenticatedPeer, bool> matches, string reason, InvalidationAction action = InvalidationAction.Abort)
    {
        EndRules.Check(matches, reason, action);
        return _live.EndWhere(matches, reason, action);
    }

    /// <summary>Connects to the address of a host that answers first (RFC 8305), and authenticates both ends.</summary>
    /// <param name="host">
    /// A DNS name or an IP address; an IPv6 address may have a scope, as in <c>fe80::1%eth0</c>, which is used for dialling and is not part of the
    /// name. It is also the name that <see cref="Authorize.ServerName"/> demands.
    /// </param>
    /// <param name="port">The TCP port.</param>
    /// <param name="cancellationToken">Cancels the attempt.</param>
    /// <exception cref="ArgumentException"><paramref name="host"/> is neither a DNS name nor an IP address.</exception>
    /// <exception cref="HandshakeException">The handshake failed; the exception holds the reason.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <example><code>await using var connection = await client.ConnectAsync("server.example", 8443, cancellationToken);</code></example>
    public Task<MutualTlsConnection> ConnectAsync(string host, int port, CancellationToken cancellationToken = default)
    {
        var (endPoint, serverName) = HostOf(host, port);
        return ConnectAsync(endPoint, serverName, cancellationToken);
    }

    /// <summary>Connects to an end point and authenticates both ends.</summary>
    /// <param name="endPoint">An IP, DNS or Unix domain socket end point.</param>
    /// <param name="serverName">The name that the server must have; null when the authorization rule does not ask for one.</param>
    /// <param name="cancellationToken">Cancels the attempt.</param>
    /// <exception cref="ArgumentNullException"><paramref name="endPoint"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="serverName"/> is neither a DNS name nor an IP address.</exception>
    /// <exception cref="HandshakeException">The handshake failed; the exception holds the reason.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <example>
    /// <code>
    /// var endPoint = new IPEndPoint(IPAddress.Loopback, 8443);
    /// await using var connection = await client.ConnectAsync(endPoint, "server.example", cancellationToken);
    /// </code>
    /// </example>
    public Task<MutualTlsConnection> ConnectAsync(EndPoint endPoint, string? serverName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        return ConnectAsync(endPoint, ParseName(serverName), cancellationToken);
    }

    /// <summary>Authenticates both ends of a connected socket.</summary>
    /// <param name="socket">
    /// The socket. This call takes ownership: the connection owns it, and every failure closes it. An unusable socket (not connected, listening, of
    /// datagrams, non-blocking, closed) fails the task with <see cref="RejectionReason.TransportUnusable"/>, and is closed too.
    /// </param>
    /// <param name="serverName">The name that the server must have; null when the authorization rule does not ask for one.</param>
    /// <param name="cancellationToken">Cancels the handshake.</param>
    /// <exception cref="ArgumentNullException"><paramref name="socket"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="serverName"/> is neither a DNS name nor an IP address; the
    /// socket is not touched.</exception>
    /// <exception cref="HandshakeException">The handshake failed; the exception holds the reason.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <example>
    /// <code>
    /// await using var connection = await client.UpgradeAsync(socket, "server.example", cancellationToken);
    /// </code>
    /// </example>
    public Task<MutualTlsConnection> UpgradeAsync(Socket socket, string? serverName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(socket);
        var name = ParseName(serverName);
        return UpgradeAsync(HandshakeAttempt.Begin(socket, PeerRole.Client, _options, cancellationToken), name).AsTask();
    }

    /// <summary>Authenticates both ends of a connected stream, which may have carried another protocol first (STARTTLS).</summary>
    /// <param name="stream">The stream. This call takes ownership: the connection owns it, and every failure closes it.</param>
    /// <param name="serverName">The name that the server must have; null when the authorization rule does not ask for one.</param>
    /// <param name="cancellationToken">Cancels the handshake.</param>
    /// <exception cref="ArgumentNullException"><paramref name="stream"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="serverName"/> is neither a DNS name nor an IP address; the
    /// stream is not touched.</exception>
    /// <exception cref="HandshakeException">The handshake failed; the exception holds the reason.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <example>
    /// <code>
    /// await using var connection = await client.UpgradeAsync(stream, "server.example", cancellationToken);
    /// </code>
    /// </example>
    public Task<MutualTlsConnection> UpgradeAsync(Stream stream, string? serverName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var name = ParseName(serverName);
        return UpgradeAsync(HandshakeAttempt.Begin(stream, PeerRole.Client, _options, cancellationToken), name).AsTask();
    }

    /// <summary>Where to dial for a host, and the name that the server must have.</summary>
    internal static (EndPoint EndPoint, ServerName ServerName) HostOf(string host, int port)
    {
        // RFC 4007 §11: the scope names the local interface to a link-local address. The peer does not know it, and no certificate contains it.
        var text = host is not null && host.IndexOf('%', StringComparison.Ordinal) is > 0 and var scope ? host[..scope] : host;
        ArgumentNullException.ThrowIfNull(text, nameof(host));
        var serverName = ServerName.ParseArgument(text, nameof(host));

        if (ReferenceEquals(text, host))
        {
            return (serverName.Address is { } address ? new IPEndPoint(address, port) : new DnsEndPoint(serverName.ToString(), port), serverName);
        }

        return serverName.Address is { AddressFamily: AddressFamily.InterNetworkV6 }
            && IPAddress.TryParse(host, out var scoped)
            && scoped.ScopeId != 0
            ? (new IPEndPoint(scoped, port), serverName)
            : throw new ArgumentException($"{SafeText.Quote(host)} is not an IPv6 address with an interface of this machine.", nameof(host));
    }

    private async Task<MutualTlsConnection> ConnectAsync(EndPoint endPoint, ServerName? serverName, CancellationToken cancellationToken)
    {
        Socket socket;
        CancellationTokenSource? stopped;
        try
        {
            (socket, stopped) = await Dialer.ConnectAsync(
                endPoint, _options.ConnectTimeout, _options.TimeProvider, _options.LoggerFactory, cancellationToken).ConfigureAwait(false);
        }
        catch (HandshakeException outcome) when (Auditor.For(_options.Audit, _options.LoggerFactory, _options.TimeProvider) is { } auditor)
        {
            HandshakeEvents.Unreachable(auditor, outcome);
            throw;
        }

        var attempt = HandshakeAttempt.Begin(socket, PeerRole.Client, _options, cancellationToken, stopped);
        return await UpgradeAsync(attempt, serverName).ConfigureAwait(false);
    }

    /// <summary>The whole handshake: TLS, certificate stage, confirmation, connection, and its registration for revalidation.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<MutualTlsConnection> UpgradeAsync(HandshakeAttempt attempt, ServerName? serverName)
    {
        using (attempt)
        {
            try
            {
                attempt.Enter();
                await attempt.ConfigureAsync().ConfigureAwait(false);
                using var registration = await _live.BeginAsync(attempt).ConfigureAwait(false);
                var identities = _options.Identity.AnswersAtOnce
                    ? _options.Identity.For(serverName?.ToString())
                    : await AskForIdentitiesAsync(attempt, serverName).ConfigureAwait(false);
                var tls = await _handshaker.AsClientAsync(
                    attempt, serverName, identities, _options.JudgeServerBeforeShowingIdentity).ConfigureAwait(false);
                attempt.Succeeded(tls);
                var connection = new MutualTlsConnection(tls, attempt.Socket, attempt.RemoteEndPoint, _options.TimeProvider);
                await registration.RegisterAsync(connection, FirstEndOf(identities), attempt).ConfigureAwait(false);
                return connection;
            }
            catch (Exception exception)
            {
                throw await attempt.FailedAsync(exception).ConfigureAwait(false);
            }
        }
    }

    private ValueTask<ImmutableArray<Identity>> AskForIdentitiesAsync(HandshakeAttempt attempt, ServerName? serverName) =>
        attempt.AskAsync("our identity", () => ValueTask.FromResult(_options.Identity.For(serverName?.ToString())));

    private static DateTimeOffset? FirstEndOf(ImmutableArray<Identity> identities)
    {
        DateTimeOffset? first = null;
        foreach (var identity in identities)
        {
            first = identity.Certificate.NotAfter is var end && end > first ? first : end;
        }

        return first;
    }

    private static ServerName? ParseName(string? serverName)
    {
        return serverName is null ? null : ServerName.ParseArgument(serverName, nameof(serverName));
    }
}
