using System.Net;
using MutualAuth.Errors;

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

    /// <summary>Whether a Unix domain socket at whose path nobody listens is removed and bound anew. Default: false.</summary>
    public bool TakesOverStaleUnixSocket { get; init; }

    /// <summary>Sockets whose ClientHello is not complete. Beyond it the oldest is closed. Default 4,096.</summary>
    public int MaxPendingHellos { get; init; } = 4096;

    /// <summary>The same for one address (an IPv6 /64 counts as one). Beyond it the oldest of that address is closed. Default 256.</summary>
    public int MaxPendingHellosPerAddress { get; init; } = 256;

    /// <summary>Handshakes that wait for the client's next message of a login; they keep no place among those under way. Beyond it the oldest is ended. Default 1,024.</summary>
    public int MaxPendingLogins { get; init; } = 1024;

    /// <summary>The same for one address (an IPv6 /64 counts as one). Beyond it the oldest of that address is ended. Default 256.</summary>
    public int MaxPendingLoginsPerAddress { get; init; } = 256;

    /// <summary>Handshakes under way at once, each with its complete ClientHello. Default 256.</summary>
    public int MaxConcurrentHandshakes { get; init; } = 256;

    /// <summary>Complete ClientHellos that wait for a handshake to end. Beyond it they are refused as <see cref="RejectionReason.Overloaded"/>. Default 1,024.</summary>
    public int MaxQueuedHandshakes { get; init; } = 1024;

    /// <summary>Authenticated connections that the application has not taken yet. Beyond it handshakes keep their places, and new ones wait. Default 128.</summary>
    public int MaxReadyConnections { get; init; } = 128;

    /// <summary>
    /// Told of every handshake that gave no connection, on a thread of the pool, with the reason. It must not block; what it throws is logged. Default: nobody.
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
            (nameof(MaxPendingLogins), MaxPendingLogins, 1),
            (nameof(MaxPendingLoginsPerAddress), MaxPendingLoginsPerAddress, 1),
            (nameof(MaxConcurrentHandshakes), MaxConcurrentHandshakes, 1),
            (nameof(MaxQueuedHandshakes), MaxQueuedHandshakes, 0),
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
