using System.Collections.Immutable;
using System.Net;
using MutualAuth.Connections;
using MutualAuth.Hosting.Running;

namespace MutualAuth.Hosting;

/// <summary>A listener that the host runs: a keyed service, by the name of the listener.</summary>
/// <remarks>Safe for use from many threads.</remarks>
public sealed class HostedListener
{
    private readonly ListenerSide _side;

    internal HostedListener(ListenerSide side) => _side = side;

    /// <summary>The name of the listener.</summary>
    public string Name => _side.Registration.Name;

    /// <summary>Where it listens, with the ports that the system assigned; empty before the host has started it and after it has stopped.</summary>
    public ImmutableArray<EndPoint> EndPoints => [.. _side.Listeners.Select(listener => listener.LocalEndPoint)];

    /// <summary>The open connections, as of now, to look at; the list holds on to them.</summary>
    public ImmutableArray<MutualTlsConnection> Connections => [.. _side.Listeners.SelectMany(listener => listener.Connections)];

    /// <summary>Ends the open connections whose peer matches; see <see cref="MutualTlsListener.EndWhere"/>.</summary>
    /// <param name="matches">Pure and quick.</param>
    /// <param name="reason">Why, for the log. The peer is not told.</param>
    /// <param name="action">What becomes of the connections.</param>
    /// <returns>How many are ended, drained or notified now.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="matches"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="reason"/> is null or empty.</exception>
    /// <exception cref="AggregateException"><paramref name="matches"/> threw.</exception>
    /// <example><code>listener.EndWhere(peer =&gt; peer.User?.Name == "alice", "laptop stolen");</code></example>
    public int EndWhere(Func<AuthenticatedPeer, bool> matches, string reason, InvalidationAction action = InvalidationAction.Abort) =>
        _side.Listeners.Sum(listener => listener.EndWhere(matches, reason, action));
}
