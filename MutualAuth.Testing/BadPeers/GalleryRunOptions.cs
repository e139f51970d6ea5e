using System.Security.Authentication;
using MutualAuth.Testing.Transports;

namespace MutualAuth.Testing.BadPeers;

/// <summary>What a run of the gallery must know of the side that it tests.</summary>
public sealed record GalleryRunOptions
{
    /// <summary>
    /// The names of accepted good neighbours. Default: <c>client.test</c>, <c>server.test</c> and the trust domain <c>gallery.test</c>.
    /// </summary>
    public GalleryNames Names { get; init; } = new();

    /// <summary>
    /// What your side looks at beyond the path, and which limits and strictness you expect of it. Peers that are bad only to those who look at
    /// more are left out. Default: <see cref="RequiredCheck.Nothing"/> for a server, and <see cref="RequiredCheck.ServerName"/> too for a client.
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
    /// How long the whole run may take; what was not tried by then stands in <see cref="GalleryReport.NotTried"/>. Default: ten minutes.
    /// </summary>
    public TimeSpan TotalTime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Finds out, after the handshake, whether your server serves this client. Default: <see cref="GalleryProbe.AnyAnswer"/>.</summary>
    public GalleryProbe Probe { get; init; } = GalleryProbe.AnyAnswer;

    /// <summary>
    /// The ids of the processes on this machine that judge, to measure their processor time and to see them end; asked around each peer. Name
    /// processes that should outlive a connection, and the run by itself: other work in them is counted too. Where none of them can be read, no
    /// refusal is believed. Default: null, not measured.
    /// </summary>
    public Func<IEnumerable<int>>? Processes { get; init; }

    /// <summary>
    /// What the side that you test calls this machine, when it runs in a container or elsewhere, such as <c>host.docker.internal</c>: the
    /// certificates' trap addresses name it, and the trap and the servers that are played listen on every address. Default: null, which is the
    /// loopback address alone.
    /// </summary>
    public string? PublishedHost { get; init; }

    internal LooseTlsOptions Tls => new()
    {
        ServerName = Names.Server,
        ApplicationProtocols = ApplicationProtocols,
        Protocols = Protocols,
    };
}
