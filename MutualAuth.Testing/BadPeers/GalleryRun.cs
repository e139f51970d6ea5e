using System.Net;
using System.Net.Sockets;
using MutualAuth.Testing.Responders;
using MutualAuth.Testing.Transports;

namespace MutualAuth.Testing.BadPeers;

/// <summary>
/// Runs the gallery against a server or client of yours, whatever library it uses, and reports which bad peers it wrongly accepted.
/// </summary>
/// <remarks>
/// Every bad peer shakes hands for itself, after its good neighbour, which is the control. The peers do not speak the confirmation protocol: a side
/// that requires it turns the good ones away as well, so let it be preferred for the run.
/// </remarks>
public static class GalleryRun
{
    private static readonly byte[] s_line = "GET /mutualauth-gallery HTTP/1.0\r\n\r\n"u8.ToArray();

    /// <summary>Plays clients to a server that listens on an end point.</summary>
    /// <param name="authority">The root that the server trusts.</param>
    /// <param name="server">Where it listens.</param>
    /// <param name="options">What to know of it; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentNullException"><paramref name="server"/> is null.</exception>
    public static Task<GalleryReport> AgainstServerAsync(
        TestAuthority authority, EndPoint server, GalleryRunOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(server);
        return AgainstServerAsync(authority, token => DialAsync(server, token), options, cancellationToken);
    }

    /// <summary>Plays clients to a server that is reached by a stream of yours.</summary>
    /// <param name="authority">The root that the server trusts.</param>
    /// <param name="connect">Opens a new connection; the run owns the stream.</param>
    /// <param name="options">What to know of the server; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentNullException"><paramref name="connect"/> is null.</exception>
    public static Task<GalleryReport> AgainstServerAsync(
        TestAuthority authority,
        Func<CancellationToken, Task<Stream>> connect,
        GalleryRunOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(connect);
        var known = options ?? new GalleryRunOptions();
        return RunAsync(
            authority,
            PeerRole.Client,
            known,
            [RequiredCheck.Nothing],
            (_, shown, token) => PlayClientAsync(connect, shown, known, token),
            cancellationToken);
    }

    /// <summary>Plays servers to a client.</summary>
    /// <param name="authority">The root that the client trusts.</param>
    /// <param name="dial">
    /// Has your client connect to the end point and authenticate the server under the given name, and throws when the client rejects it. The
    /// server sends back what it receives.
    /// </param>
    /// <param name="options">What to know of the client; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentNullException"><paramref name="dial"/> is null.</exception>
    public static Task<GalleryReport> AgainstClientAsync(
        TestAuthority authority,
        Func<IPEndPoint, string, CancellationToken, Task> dial,
        GalleryRunOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dial);
        var known = options ?? new GalleryRunOptions();
        return RunAsync(
            authority,
            PeerRole.Server,
            known,
            [RequiredCheck.Nothing, RequiredCheck.ServerName],
            (exhibit, shown, token) => PlayServerAsync(dial, exhibit.DialledName, shown!, known, token),
            cancellationToken);
    }

    private static async Task<GalleryReport> RunAsync(
        TestAuthority authority,
        PeerRole role,
        GalleryRunOptions options,
        IReadOnlyCollection<RequiredCheck> usual,
        Func<BadPeerCase, TestCertificate?, CancellationToken, Task<(PeerOutcome Outcome, string Detail)>> play,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(authority);
        var demands = options.Demands ?? usual;
        var trap = new AiaTrap();
        await using (trap.ConfigureAwait(false))
        {
            var results = new List<GalleryResult>();
            foreach (var peer in Gallery.As(role).Where(peer => demands.Contains(peer.RequiredCheck) && !options.Except.Contains(peer)))
            {
                using var exhibit = peer.Make(authority, role, options.Names, trap.IssuerUri);
                var good = await WithPatienceAsync(token => play(exhibit, exhibit.Good, token), options, cancellationToken).ConfigureAwait(false);
                var bad = await WithPatienceAsync(token => play(exhibit, exhibit.Bad, token), options, cancellationToken).ConfigureAwait(false);
                results.Add(new GalleryResult(peer, bad.Outcome, good.Outcome, good.Outcome == PeerOutcome.LetIn ? bad.Detail : good.Detail));
            }

            return new GalleryReport(results, trap.Hits);
        }
    }

    private static async Task<(PeerOutcome Outcome, string Detail)> WithPatienceAsync(
        Func<CancellationToken, Task<(PeerOutcome Outcome, string Detail)>> play, GalleryRunOptions options, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(options.Patience);
        try
        {
            return await play(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (PeerOutcome.Unclear, $"nothing within {options.Patience.TotalSeconds:0.#} s");
        }
    }

    private static async Task<(PeerOutcome Outcome, string Detail)> PlayClientAsync(
        Func<CancellationToken, Task<Stream>> connect, TestCertificate? shown, GalleryRunOptions options, CancellationToken token)
    {
        try
        {
            var transport = await connect(token).ConfigureAwait(false);
            using var peer = await LooseTlsPeer.ConnectAsync(transport, shown, TlsOptions(options), token).ConfigureAwait(false);
            using var closing = token.Register(transport.Dispose);
            var served = await (options.Probe ?? AnyAnswerAsync)(peer.Stream, token).ConfigureAwait(false);
            token.ThrowIfCancellationRequested();
            return served ? (PeerOutcome.LetIn, "served") : (PeerOutcome.Refused, "the connection ended");
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or SocketException)
        {
            token.ThrowIfCancellationRequested();
            return (PeerOutcome.Refused, exception.Message);
        }
    }

    private static async Task<bool> AnyAnswerAsync(Stream stream, CancellationToken token)
    {
        // BouncyCastle's stream blocks, so a thread is lent to it; the caller ends it by closing the transport.
        return await Task.Run(
            () =>
            {
                stream.Write(s_line);
                stream.Flush();
                return stream.ReadByte() >= 0;
            },
            token).ConfigureAwait(false);
    }

    private static async Task<(PeerOutcome Outcome, string Detail)> PlayServerAsync(
        Func<IPEndPoint, string, CancellationToken, Task> dial,
        string name,
        TestCertificate shown,
        GalleryRunOptions options,
        CancellationToken token)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(token);
        var echoing = EchoAsync(listener, shown, options, over.Token);
        try
        {
            await dial((IPEndPoint)listener.LocalEndPoint!, name, token).ConfigureAwait(false);
            return (PeerOutcome.LetIn, "accepted");
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !token.IsCancellationRequested)
        {
            return (PeerOutcome.Refused, exception.Message);
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await echoing.ConfigureAwait(false);
        }
    }

    private static async Task EchoAsync(Socket listener, TestCertificate shown, GalleryRunOptions options, CancellationToken token)
    {
        try
        {
            var socket = await listener.AcceptAsync(token).ConfigureAwait(false);
            var transport = new NetworkStream(socket, ownsSocket: true);
            using var peer = await LooseTlsPeer.AcceptAsync(transport, shown, TlsOptions(options), token).ConfigureAwait(false);
            using var closing = token.Register(transport.Dispose);
            await Task.Run(
                () =>
                {
                    var buffer = new byte[4096];
                    for (var count = peer.Stream.Read(buffer); count > 0; count = peer.Stream.Read(buffer))
                    {
                        peer.Stream.Write(buffer.AsSpan(0, count));
                    }
                },
                token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or SocketException or OperationCanceledException)
        {
            // The client has rejected the peer, or is done.
        }
    }

    private static async Task<Stream> DialAsync(EndPoint server, CancellationToken token)
    {
        var socket = server is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(server, token).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static LooseTlsOptions TlsOptions(GalleryRunOptions options) => new()
    {
        ServerName = options.Names.Server,
        ApplicationProtocols = options.ApplicationProtocols,
        Protocols = options.Protocols,
    };
}
