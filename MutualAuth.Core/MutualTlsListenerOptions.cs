using System.Net;
using MutualAuth.Connections;

namespace MutualAuth;

/// <summary>The end point and server of a listener, and its bounds on resources for unauthenticated peers.</summary>
/// <remarks>Immutable. <see cref="MutualTlsListener.Start"/> reports every problem at once.</remarks>
public sealed record MutualTlsListenerOptions
{
    /// <summary>The server that authenticates accepted sockets.</summary>
    public required MutualTlsServer Server { get; init; }

    /// <summary>An IP end point (port 0: any free one; <c>[::]</c> listens on both families) or a Unix domain socket.</summary>
    public required EndPoint EndPoint { get; init; }

    /// <summary>The kernel's queue of connections that are not accepted yet. Default: 512.</summary>
    public int Backlog { get; init; } = 512;

    /// <summary>
    /// Whether to remove and rebind a stale Unix domain socket that a crashed process left behind. Default: false. A path on which a process listens,
    /// or that is not a socket, is never touched.
    /// </summary>
    public bool TakesOverStaleUnixSocket { get; init; }

    /// <summary>
    /// The maximum number of sockets whose ClientHello is not complete. Above it the oldest is closed. Default: a quarter of the descriptors that the
    /// process may open, less a reserve, and 4,096 at most.
    /// </summary>
    public int MaxPendingHellos { get; init; } = DescriptorLimit.Share(4096);

    /// <summary>
    /// As <see cref="MaxPendingHellos"/>, for one address (an IPv6 /64 counts as one). Above it the oldest of that address is closed. Default: 256.
    /// Sockets without an address do not count.
    /// </summary>
    public int MaxPendingHellosPerAddress { get; init; } = 256;

    /// <summary>
    /// The maximum number of handshakes that wait for the peer's next flight, verdict or login message, or for an asynchronous check of ours. They
    /// hold no slot of <see cref="MaxConcurrentHandshakes"/>. Above it the longest waiting ends as <see cref="RejectionReason.Overloaded"/>. Default:
    /// as <see cref="MaxPendingHellos"/>.
    /// </summary>
    public int MaxWaitingHandshakes { get; init; } = DescriptorLimit.Share(4096);

    /// <summary>
    /// As <see cref="MaxWaitingHandshakes"/>, for one address (an IPv6 /64 counts as one). Above it the oldest of that address is ended. Default:
    /// 256. Handshakes without an address do not count.
    /// </summary>
    public int MaxWaitingHandshakesPerAddress { get; init; } = 256;

    /// <summary>
    /// The maximum number of handshakes that compute at once: TLS and certificate validation. It bounds work, not waiting. Default: the number of
    /// processors, at least two. Raise it if keys are in hardware that is slower than a processor.
    /// </summary>
    public int MaxConcurrentHandshakes { get; init; } = Math.Max(2, Environment.ProcessorCount);

    /// <summary>
    /// The maximum number of handshakes that queue for a slot. Addresses with fewer recent unfinished handshakes go first; equal addresses take
    /// turns. Above it the longest waiting handshake of the address with the most unfinished ends as <see cref="RejectionReason.Overloaded"/>; a
    /// newcomer is always admitted to the queue. Default: 1,024, or fewer if the descriptor limit is low.
    /// </summary>
    public int MaxQueuedHandshakes { get; init; } = DescriptorLimit.Share(1024);

    /// <summary>
    /// The maximum number of rejected peers whose transport stays open, for one second at most, so that the peer can read the reason. Above it the
    /// transport is closed at once. Default: 256, or fewer if the descriptor limit is low.
    /// </summary>
    public int MaxLingeringCloses { get; init; } = DescriptorLimit.Share(256);

    /// <summary>
    /// The maximum number of authenticated connections that the application has not accepted yet. Above it they keep their slots, so new handshakes
    /// wait. Default: 128.
    /// </summary>
    public int MaxReadyConnections { get; init; } = 128;

    /// <summary>
    /// Called on a thread-pool thread for every failed handshake, with the reason. It should not block: blocking holds its thread, but delays no
    /// outcome, close or stop. Exceptions that it throws are logged. Default: null.
    /// </summary>
    public Action<HandshakeException>? OnHandshakeFailed { get; init; }

    internal IEnumerable<string> Problems()
    {
        if (Server is null || EndPoint is null)
        {
            yield return $"{nameof(Server)} and {nameof(EndPoint)} must be given.";
        }

        (string Name, int Value, int Least)[] bounds =
        [
            (nameof(Backlog), Backlog, 1),
            (nameof(MaxPendingHellos), MaxPendingHellos, 1),
            (nameof(MaxPendingHellosPerAddress), MaxPendingHellosPerAddress, 1),
            (nameof(MaxWaitingHandshakes), MaxWaitingHandshakes, 1),
            (nameof(MaxWaitingHandshakesPerAddress), MaxWaitingHandshakesPerAddress, 1),
            (nameof(MaxConcurrentHandshakes), MaxConcurrentHandshakes, 1),
            (nameof(MaxQueuedHandshakes), MaxQueuedHandshakes, 1),
            (nameof(MaxLingeringCloses), MaxLingeringCloses, 0),
            (nameof(MaxReadyConnections), MaxReadyConnections, 1),
        ];
        foreach (var (name, value, least) in bounds)
        {
            if (value < least)
            {
                yield return $"{name} must be at least {least}; it is {value}.";
            }
        }
    }
}
