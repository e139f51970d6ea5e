using System.Security.Authentication;

namespace MutualAuth.Testing.BadPeers;

/// <summary>What a run of the gallery must know of the side that it tests.</summary>
public sealed record GalleryRunOptions
{
    /// <summary>
    /// The names of accepted good neighbours. Default: <c>client.test</c>, <c>server.test</c> and the trust domain <c>gallery.test</c>.
    /// </summary>
    public GalleryNames Names { get; init; } = new();

    /// <summary>
    /// What your side looks at beyond the path. Peers that are bad only to those who look at more are left out. Default: nothing more for a
    /// server, the dialled name for a client.
    /// </summary>
    public IReadOnlyCollection<RequiredCheck>? Demands { get; init; }

    /// <summary>Bad peers to leave out, such as those that your policy accepts on purpose. Default: none.</summary>
    public IReadOnlyCollection<BadPeer> Except { get; init; } = [];

    /// <summary>The TLS versions that the bad peers speak. Default: 1.2 and 1.3.</summary>
    public SslProtocols Protocols { get; init; } = SslProtocols.Tls12 | SslProtocols.Tls13;

    /// <summary>The application protocols that the bad peers offer. Default: none.</summary>
    public IReadOnlyList<string> ApplicationProtocols { get; init; } = [];

    /// <summary>How long one peer may take before it counts as unclear. Default: five seconds.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Finds out, after the handshake, whether your server serves this client: true when it does, false or an <see cref="IOException"/> when it
    /// does not. A TLS 1.3 client cannot tell from the handshake. Default: sends a line and expects any answer, as echo and HTTP servers give.
    /// </summary>
    public Func<Stream, CancellationToken, Task<bool>>? Probe { get; init; }
}
