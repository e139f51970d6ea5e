using System.Net;
using MutualAuth.Connections;

namespace MutualAuth;

/// <summary>Where to listen, for which server, and how much a listener may hold for peers that have proven nothing.</summary>
/// <remarks>Immutable. <see cref="MutualTlsListener.Start"/> reports every problem at once.</remarks>
public sealed record MutualTlsListenerOptions
{
    /// <summary>The server that authenticates what is accepted.</summary>
    public required MutualTlsServer Server { get; init; }

    /// <summary>An IP end point (port 0: any free one; <c>[::]</c> listens on both families) or a Unix domain socket.</summary>
    public required EndPoint EndPoint { get; init; }

    /// <summary>Connections that the kernel holds for us. Default 512.</summary>
    public int Backlog { get; init; } = 512;

    /// <summary>
    /// Whether a Unix domain socket at whose path nobody listens, left by a process that crashed, is removed and bound anew. Default: false. A path at which
    /// somebody listens, or that is no socket, is never touched.
    /// </summary>
    public bool TakesOverStaleUnixSocket { get; init; }

    /// <summary>
    /// Sockets whose ClientHello is not complete. Beyond it the oldest is closed. Default: a quarter of the descriptors that the process may open, less a
    /// reserve, and 4,096 at most.
    /// </summary>
    public int MaxPendingHellos { get; init; } = DescriptorLimit.Share(4096);

    /// <summary>The same for one address (an IPv6 /64 counts as one). Beyond it the oldest of that address is closed. Default 256. What has no address is not counted by it.</summary>
    public int MaxPendingHellosPerAddress { get; init; } = 256;

    /// <summary>
    /// Handshakes that wait, for the peer's next flight, verdict or message of a login, or for an asynchronous check of ours. They keep no place among those
    /// that compute. Beyond it the one that waits longest is ended as <see cref="RejectionReason.Overloaded"/>. Default: as
    /// <see cref="MaxPendingHellos"/>.
    /// </summary>
    public int MaxWaitingHandshakes { get; init; } = DescriptorLimit.Share(4096);

    /// <summary>The same for one address (an IPv6 /64 counts as one). Beyond it the oldest of that address is ended. Default 256. What has no address is not counted by it.</summary>
    public int MaxWaitingHandshakesPerAddress { get; init; } = 256;

    /// <summary>
    /// Handshakes that compute at once: TLS and the judgement of certificates. It bounds work and not waiting. Default: the number of processors, and two at
    /// least. Raise it where keys are kept in hardware that is slower than a processor.
    /// </summary>
    public int MaxConcurrentHandshakes { get; init; } = Math.Max(2, Environment.ProcessorCount);

    /// <summary>
    /// Handshakes that wait for their turn to compute. Whose address left fewer handshakes unfinished lately goes first, and among equals addresses take
    /// turns. Beyond it the address that left most loses the one that waits longest, as <see cref="RejectionReason.Overloaded"/>: a newcomer is always let
    /// in. Default 1,024, or what the descriptors leave.
    /// </summary>
    public int MaxQueuedHandshakes { get; init; } = DescriptorLimit.Share(1024);

    /// <summary>Closes of refused peers that wait, for a second at most, for the peer to read the reason. Beyond it the transport is closed at once. Default 256, or what the descriptors leave.</summary>
    public int MaxLingeringCloses { get; init; } = DescriptorLimit.Share(256);

    /// <summary>Authenticated connections that the application has not taken yet. Beyond it they keep places, and new handshakes wait. Default 128.</summary>
    public int MaxReadyConnections { get; init; } = 128;

    /// <summary>
    /// Told of every handshake that gave no connection, on a thread of the pool, with the reason. It should not block: that holds up nobody but the thread, and
    /// no outcome, close or stop. What it throws is logged. Default: nobody.
    /// </summary>
    public Action<HandshakeException>? OnHandshakeFailed { get; init; }

    internal AdmissionBounds ToAdmissionBounds() => new()
    {
        PendingHellos = MaxPendingHellos,
        PendingHellosPerAddress = MaxPendingHellosPerAddress,
        WaitingHandshakes = MaxWaitingHandshakes,
        WaitingHandshakesPerAddress = MaxWaitingHandshakesPerAddress,
        ConcurrentHandshakes = MaxConcurrentHandshakes,
        QueuedHandshakes = MaxQueuedHandshakes,
        LingeringCloses = MaxLingeringCloses,
    };

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
