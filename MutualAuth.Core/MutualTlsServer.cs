using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using MutualAuth.Errors;
using MutualAuth.Handshake;
using MutualAuth.Hello;
using MutualAuth.Identities;
using MutualAuth.Revalidation;
using MutualAuth.Transport;
using MutualAuth.Validation;

namespace MutualAuth;

/// <summary>Authenticates clients on accepted sockets or connected streams and returns authenticated connections.</summary>
/// <remarks>
/// Immutable and safe for use from many threads: make one and keep it. <see cref="MutualTlsListener"/> puts an accept loop around it.
/// </remarks>
public sealed class MutualTlsServer
{
    private readonly Handshaker _handshaker;
    private readonly ConnectionRevalidator _live;

    /// <summary>Prepares a server.</summary>
    /// <exception cref="ArgumentException">The options contradict themselves; the message lists every problem.</exception>
    public MutualTlsServer(MutualTlsServerOptions options)
    {
        _handshaker = new Handshaker(options);
        _live = new ConnectionRevalidator(_handshaker.Stage, options, options.Revalidation, PeerRole.Client);
        Options = options;
    }

    internal MutualTlsServerOptions Options { get; }

    /// <summary>The connections that this server authenticated and that are not over.</summary>
    internal ConnectionRevalidator Live => _live;

    /// <summary>Authenticates the client at the other end of a connected socket.</summary>
    /// <param name="socket">
    /// The socket. It is ours from here on: the connection owns it, and every failure closes it. One that cannot be used (not connected, listening,
    /// of datagrams, non-blocking, closed) fails as <see cref="RejectionReason.TransportUnusable"/>, by the task, and is closed too.
    /// </param>
    /// <param name="cancellationToken">Gives the handshake up.</param>
    /// <exception cref="HandshakeException">There is no connection; it says why.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended.</exception>
    public Task<MutualTlsConnection> AcceptAsync(Socket socket, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(socket);
        return AcceptAsync(HandshakeAttempt.Begin(socket, PeerRole.Client, Options, cancellationToken), AdmitsAll.Instance);
    }

    /// <summary>
    /// Authenticates the client at the other end of a connected stream, including one on which another protocol came first (STARTTLS).
    /// </summary>
    /// <param name="stream">
    /// The stream, with nothing of the client's TLS read yet. It is ours from here on: the connection owns it, and every failure closes it.
    /// </param>
    /// <param name="cancellationToken">Gives the handshake up.</param>
    /// <exception cref="HandshakeException">There is no connection; it says why.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended.</exception>
    public Task<MutualTlsConnection> AcceptAsync(Stream stream, CancellationToken cancellationToken = default) => AcceptAsync(stream, null, cancellationToken);

    /// <summary>Authenticates a client on a connected stream, with an address that the caller knows, for example from a PROXY header.</summary>
    /// <param name="stream">
    /// The stream, with nothing of the client's TLS read yet. It is ours from here on: the connection owns it, and every failure closes it.
    /// </param>
    /// <param name="remoteEndPoint">
    /// The client's address. Null: the address of the socket of a <see cref="NetworkStream"/>; other streams then have no address, and limits per
    /// address do not apply.
    /// </param>
    /// <param name="cancellationToken">Gives the handshake up.</param>
    /// <exception cref="HandshakeException">There is no connection; it says why.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended.</exception>
    public Task<MutualTlsConnection> AcceptAsync(Stream stream, EndPoint? remoteEndPoint, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return AcceptAsync(HandshakeAttempt.Begin(stream, PeerRole.Client, Options, cancellationToken, remoteEndPoint), AdmitsAll.Instance);
    }

    /// <summary>The whole sequence: hello, server selection, admission, TLS, certificate stage, confirmation, connection, revalidation.</summary>
    internal async Task<MutualTlsConnection> AcceptAsync(HandshakeAttempt attempt, IAdmission gate)
    {
        using (attempt)
        {
            try
            {
                attempt.Enter();
                await attempt.ConfigureAsync().ConfigureAwait(false);
                var hello = await ReadHelloAsync(attempt).ConfigureAwait(false);
                attempt.Gate = gate;
                gate.HelloIsComplete();
                var server = await SelectAsync(attempt, hello).ConfigureAwait(false);
                using var ticket = await server._live.BeginAsync(attempt).ConfigureAwait(false);
                var identity = await server.IdentityForAsync(attempt, hello).ConfigureAwait(false);
                var tls = await server._handshaker.AsServerAsync(attempt, hello, identity).ConfigureAwait(false);
                attempt.Succeeded(tls);
                var connection = new MutualTlsConnection(tls, attempt.Socket, attempt.RemoteEndPoint, Options.TimeProvider);
                await ticket.RegisterAsync(connection, identity.Certificate.NotAfter, attempt).ConfigureAwait(false);
                return connection;
            }
            catch (Exception exception)
            {
                throw await attempt.FailedAsync(exception).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Our own sources answer at once. Other sources may block, so they are called on a separate thread.</summary>
    private ValueTask<Identity> IdentityForAsync(HandshakeAttempt attempt, ClientHello hello) => Options.Identity switch
    {
        Identity or IdentityFiles or ReplaceableIdentity => ValueTask.FromResult(Options.Identity.Current),
        ServerIdentities several => attempt.AskAsync("our identity", () => ValueTask.FromResult(several.For(hello.ServerName))),
        var source => attempt.AskAsync("our identity", () => ValueTask.FromResult(source.Current)),
    };

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ClientHello> ReadHelloAsync(HandshakeAttempt attempt)
    {
        var reading = await ClientHelloReader.ReadAsync(attempt.Transport, Options.HandshakeLimits.MaxClientHelloBytes, attempt.Token).ConfigureAwait(false);
        if (reading.Hello is null)
        {
            throw await HelloNegotiation.RefuseAsync(attempt, reading.Alert, reading.Problem!).ConfigureAwait(false);
        }

        attempt.HelloSeen = true;
        return reading.Hello;
    }

    private async ValueTask<MutualTlsServer> SelectAsync(HandshakeAttempt attempt, ClientHello hello)
    {
        if (Options.SelectServer is not { } select)
        {
            return this;
        }

        MutualTlsServer? selected;
        attempt.Asked = "a server for this client";
        try
        {
            // On its own thread, so that the deadline applies even if the selector blocks.
            selected = await TaskWaits.RunOrLeaveAsync(() => select(hello, this, attempt.Token), attempt.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (!attempt.Token.IsCancellationRequested)
        {
            var fault = new Rejection(RejectionReason.ValidatorFaulted, "a server for this client", $"an exception of {nameof(MutualTlsServerOptions.SelectServer)}, {exception.GetType().Name}");
            throw await HelloNegotiation.RefuseAsync(attempt, TlsAlerts.InternalError, fault, exception).ConfigureAwait(false);
        }

        attempt.Asked = null;
        if (selected is null)
        {
            var unknown = new Rejection(RejectionReason.UnrecognizedServerName, "a server name that we serve", SafeText.Quote(hello.ServerName)) { Rule = "RFC 6066 §3" };
            throw await HelloNegotiation.RefuseAsync(attempt, TlsAlerts.UnrecognizedName, unknown).ConfigureAwait(false);
        }

        return selected;
    }
}
