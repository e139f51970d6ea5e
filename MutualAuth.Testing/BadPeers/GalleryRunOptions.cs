using System.Security.Authentication;
using System.Text;
using MutualAuth.Testing.Building;
using MutualAuth.Testing.Responders;
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

    /// <summary>
    /// The TLS versions that the bad peers speak. Default: 1.2 and 1.3. Peers that only TLS 1.3 can show, those whose own keys are ML-DSA, are left
    /// out where it is not among them.
    /// </summary>
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

    /// <summary>What no run can be made with, by name; null where all is well.</summary>
    internal string? Problem()
    {
        if (Patience <= TimeSpan.Zero)
        {
            return $"{nameof(Patience)} is {Patience}, and must be more than nothing.";
        }

        if (TotalTime <= TimeSpan.Zero || TotalTime > TimeSpan.FromDays(1))
        {
            return $"{nameof(TotalTime)} is {TotalTime}, and must be more than nothing and a day at most.";
        }

        if (!LooseTls.AreVersions(Protocols))
        {
            return $"{nameof(Protocols)} is {Protocols}, and must be Tls12, Tls13 or both.";
        }

        if (ApplicationProtocols?.All(name => name is not null && Encoding.UTF8.GetByteCount(name) is > 0 and <= byte.MaxValue) != true)
        {
            return $"{nameof(ApplicationProtocols)} must be a list, of names of 1 to {byte.MaxValue} octets.";
        }

        if (Demands?.All(Enum.IsDefined) == false)
        {
            return $"{nameof(Demands)} has a check that does not exist.";
        }

        if (Except?.All(peer => peer is not null) != true)
        {
            return $"{nameof(Except)} must be a list, and have no null in it.";
        }

        if (PublishedHost is not null && !PublishedAddress.IsHost(PublishedHost))
        {
            return $"{nameof(PublishedHost)} cannot be used: {PublishedAddress.HowToNameIt(PublishedHost)}";
        }

        return Probe is null ? $"{nameof(Probe)} must not be null." : Names is null ? $"{nameof(Names)} must not be null." : Names.Problem();
    }

    internal LooseTlsOptions Tls => new()
    {
        ServerName = Names.Server,
        ApplicationProtocols = ApplicationProtocols,
        Protocols = Protocols,
    };
}
