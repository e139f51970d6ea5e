using System.Net;

namespace MutualAuth.Testing.BadPeers;

/// <summary>
/// Runs the gallery against a server or client of yours, whatever library it uses, and reports which bad peers it wrongly accepted.
/// </summary>
/// <remarks>
/// Every bad peer shakes hands for itself, between visits of its good neighbour, which are the control. A refusal is what the other side did to
/// this very peer: a fatal alert or the end of the connection after the peer's certificate was shown, or an answer that the probe takes for one. A
/// refusal by the end of the connection alone, or by the alert <c>internal_error</c>, must happen twice in a row. Everything else is
/// unclear: no connection, an end before the certificate or in the middle of an answer, nothing in time, an exception that is no judgement. The run
/// stops early, and says so, when a plain good peer is not served either; what was seen is kept. The peers do not speak the confirmation protocol: a
/// side that requires it turns the good ones away as well, so let it be preferred for the run.
/// </remarks>
public static class GalleryRun
{
    /// <summary>Plays clients to a server that listens on an end point.</summary>
    /// <param name="authority">The root that the server trusts.</param>
    /// <param name="server">Where it listens.</param>
    /// <param name="options">What to know of it; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentNullException"><paramref name="authority"/> or <paramref name="server"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// An option is one that no run can be made with; the message begins with its name. No peer has been played then.
    /// </exception>
    public static Task<GalleryReport> AgainstServerAsync(
        TestAuthority authority, EndPoint server, GalleryRunOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(server);
        return AgainstServerAsync(authority, token => ServerUnderTest.DialAsync(server, token), options, cancellationToken);
    }

    /// <summary>Plays clients to a server that is reached by a stream of yours.</summary>
    /// <param name="authority">The root that the server trusts.</param>
    /// <param name="connect">Opens a new connection; the run owns the stream.</param>
    /// <param name="options">What to know of the server; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentNullException"><paramref name="authority"/> or <paramref name="connect"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// An option is one that no run can be made with; the message begins with its name. No peer has been played then.
    /// </exception>
    public static Task<GalleryReport> AgainstServerAsync(
        TestAuthority authority,
        Func<CancellationToken, Task<Stream>> connect,
        GalleryRunOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(connect);
        var known = options ?? new GalleryRunOptions();
        var server = new ServerUnderTest(connect, known);
        return RunAsync(
            authority, PeerRole.Client, known, [RequiredCheck.Nothing], (_, shown, token) => server.PlayAsync(shown, token), cancellationToken);
    }

    /// <summary>Plays servers to a client.</summary>
    /// <param name="authority">The root that the client trusts.</param>
    /// <param name="dial">
    /// Has your client connect to the end point and authenticate the server under the given name, and throws when the client rejects it. The
    /// server answers a request of HTTP/1 with 200, and else sends back what it receives.
    /// </param>
    /// <param name="options">What to know of the client; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentNullException"><paramref name="authority"/> or <paramref name="dial"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// An option is one that no run can be made with; the message begins with its name. No peer has been played then.
    /// </exception>
    public static Task<GalleryReport> AgainstClientAsync(
        TestAuthority authority,
        Func<IPEndPoint, string, CancellationToken, Task> dial,
        GalleryRunOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dial);
        var known = options ?? new GalleryRunOptions();
        var client = new ClientUnderTest(dial, known);
        return RunAsync(
            authority,
            PeerRole.Server,
            known,
            [RequiredCheck.Nothing, RequiredCheck.ServerName],
            (name, shown, token) => client.PlayAsync(name, shown!, token),
            cancellationToken);
    }

    private static Task<GalleryReport> RunAsync(
        TestAuthority authority,
        PeerRole role,
        GalleryRunOptions options,
        IReadOnlyCollection<RequiredCheck> usual,
        Func<string, TestCertificate?, CancellationToken, Task<Sighting>> play,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(authority);
        if (options.Problem() is { } problem)
        {
            throw new ArgumentException(problem, nameof(options));
        }

        return new GalleryRound(authority, role, options, play, cancellationToken).RunAsync(options.Demands ?? usual);
    }
}
