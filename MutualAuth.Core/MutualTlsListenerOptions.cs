using System.Net;
using System.Net.Sockets;
using MutualAuth.Connections;

namespace MutualAuth;

/// <summary>The end point and server of a listener, and bounds on what it holds for unauthenticated peers.</summary>
/// <remarks>Immutable. <see cref="MutualTlsListener.Start"/> reports every problem at once.</remarks>
public sealed record MutualTlsListenerOptions
{
    /// <summary>The server that authenticates the accepted sockets.</summary>
    /// <example><code>var serving = listenerOptions with { Server = new MutualTlsServer(serverOptions) };</code></example>
    public required MutualTlsServer Server { get; init; }

    /// <summary>
    /// An IP end point (port 0: any free port; <c>[::]</c> listens on both families) or a Unix domain socket. Default: null, for which
    /// <see cref="BoundSocket"/> must be set.
    /// </summary>
    /// <example><code>var local = listenerOptions with { EndPoint = new IPEndPoint(IPAddress.Loopback, 0) };</code></example>
    public EndPoint? EndPoint { get; init; }

    /// <summary>
    /// A stream socket that is bound already, in place of <see cref="EndPoint"/>: one that systemd passed on (socket activation), or one with options
    /// of your own. Where it does not listen yet, the listener makes it, with <see cref="Backlog"/>. Default: null.
    /// </summary>
    /// <remarks>
    /// When <see cref="MutualTlsListener.Start"/> returns, the listener owns the socket and closes it when it stops; when it throws, the socket
    /// remains yours. The listener removes no path of a Unix domain socket that another process bound.
    /// </remarks>
    /// <example>
    /// <code>
    /// // systemd passes the first socket as descriptor 3.
    /// var activated = listenerOptions with { EndPoint = null, BoundSocket = new Socket(new SafeSocketHandle(3, ownsHandle: true)) };
    /// </code>
    /// </example>
    public Socket? BoundSocket { get; init; }

    /// <summary>
    /// The load balancers whose PROXY protocol header says where a client is. Default: null, no header is read, and a connection that begins with one
    /// is rejected.
    /// </summary>
    /// <example>
    /// <code>
    /// var proxied = listenerOptions with
    /// {
    ///     ProxyProtocol = new ProxyProtocol { TrustedProxies = [IPNetwork.Parse("10.1.2.0/24")] },
    /// };
    /// </code>
    /// </example>
    public ProxyProtocol? ProxyProtocol { get; init; }

    /// <summary>Connections that the kernel queues before they are accepted. Default: 512.</summary>
    /// <example><code>var shortQueue = listenerOptions with { Backlog = 128 };</code></example>
    public int Backlog { get; init; } = 512;

    /// <summary>
    /// Whether a stale Unix domain socket, left by a process that crashed, is removed and bound again. Default: false. A path with a live listener,
    /// or one that is not a socket, is never touched.
    /// </summary>
    /// <example>
    /// <code>
    /// var onUnixSocket = listenerOptions with
    /// {
    ///     EndPoint = new UnixDomainSocketEndPoint("service.sock"),
    ///     TakesOverStaleUnixSocket = true,
    /// };
    /// </code>
    /// </example>
    public bool TakesOverStaleUnixSocket { get; init; }

    /// <summary>
    /// The maximum number of sockets with an incomplete ClientHello. Beyond it the oldest is closed. Default: a quarter of the descriptors that the
    /// process may open, less a reserve, and 4,096 at most.
    /// </summary>
    /// <example><code>var fewSilentSockets = listenerOptions with { MaxPendingHellos = 1024 };</code></example>
    public int MaxPendingHellos { get; init; } = DescriptorLimit.Share(4096);

    /// <summary>
    /// The same maximum for one address (an IPv6 /64 counts as one). Beyond it the oldest of that address is closed. Sockets without an address are
    /// not counted. Default: 256.
    /// </summary>
    /// <example><code>var behindAProxy = listenerOptions with { MaxPendingHellosPerAddress = 1024 };</code></example>
    public int MaxPendingHellosPerAddress { get; init; } = 256;

    /// <summary>
    /// The maximum number of handshakes that wait for the peer's next flight, verdict or login message, or for an asynchronous check. They use no
    /// slot of <see cref="MaxConcurrentHandshakes"/>. Beyond it the one that waits longest is ended with <see cref="RejectionReason.Overloaded"/>.
    /// Default: as <see cref="MaxPendingHellos"/>.
    /// </summary>
    /// <example><code>var fewWaiting = listenerOptions with { MaxWaitingHandshakes = 1024 };</code></example>
    public int MaxWaitingHandshakes { get; init; } = DescriptorLimit.Share(4096);

    /// <summary>
    /// The same maximum for one address (an IPv6 /64 counts as one). Beyond it the oldest of that address is ended. Handshakes without an address are
    /// not counted. Default: 256.
    /// </summary>
    /// <example><code>var manyWaitingPerAddress = listenerOptions with { MaxWaitingHandshakesPerAddress = 1024 };</code></example>
    public int MaxWaitingHandshakesPerAddress { get; init; } = 256;

    /// <summary>
    /// The maximum number of handshakes that compute (TLS, validation of certificates) at one time. Waiting handshakes do not count. Default: the
    /// number of processors, at least two. Raise it where keys are kept in hardware that is slower than a processor.
    /// </summary>
    /// <example><code>var keysInHardware = listenerOptions with { MaxConcurrentHandshakes = 32 };</code></example>
    public int MaxConcurrentHandshakes { get; init; } = Math.Max(2, Environment.ProcessorCount);

    /// <summary>
    /// The maximum number of handshakes that wait for a slot to compute. Addresses with fewer recently unfinished handshakes go first; among equals,
    /// addresses take turns. Beyond it the address with most unfinished handshakes loses the one that waits longest, with
    /// <see cref="RejectionReason.Overloaded"/>; a new handshake is always admitted. Default: 1,024, or fewer if the process may open few
    /// descriptors.
    /// </summary>
    /// <example><code>var longQueue = listenerOptions with { MaxQueuedHandshakes = 4096 };</code></example>
    public int MaxQueuedHandshakes { get; init; } = DescriptorLimit.Share(1024);

    /// <summary>
    /// The maximum number of closes that wait, for at most a second, until a rejected peer has read the reason. Beyond it the transport is closed at
    /// once. Default: 256, or fewer if the process may open few descriptors.
    /// </summary>
    /// <example><code>var fewCloses = listenerOptions with { MaxLingeringCloses = 64 };</code></example>
    public int MaxLingeringCloses { get; init; } = DescriptorLimit.Share(256);

    /// <summary>
    /// The maximum number of authenticated connections that the application has not accepted yet. Beyond it each holds a slot, and new handshakes
    /// wait. Default: 128.
    /// </summary>
    /// <example><code>var fewReady = listenerOptions with { MaxReadyConnections = 16 };</code></example>
    public int MaxReadyConnections { get; init; } = 128;

    /// <summary>
    /// Called for every failed handshake, with the reason, on a thread of the pool. It should not block; if it does, it delays only its thread, not
    /// an outcome, a close or a stop. Its exceptions are logged. Default: null.
    /// </summary>
    /// <example>
    /// <code>
    /// var reporting = listenerOptions with { OnHandshakeFailed = failure =&gt; Console.WriteLine(failure.Message) };
    /// </code>
    /// </example>
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
        if (Server is null)
        {
            yield return $"{nameof(Server)} must be set.";
        }

        if ((EndPoint is null) == (BoundSocket is null))
        {
            yield return $"Either {nameof(EndPoint)} or {nameof(BoundSocket)} must be set, and not both.";
        }

        if (EndPoint is DnsEndPoint { Host: var host })
        {
            yield return $"{nameof(EndPoint)} must be an address of this machine, such as IPAddress.IPv6Any for all of them; it is the name "
                + $"'{host}'.";
        }

        if (BoundSocket is not null && ListeningSocket.ObjectionTo(BoundSocket) is { } objection)
        {
            yield return $"{nameof(BoundSocket)} must be a stream socket that is bound and not connected; {objection}.";
        }

        foreach (var problem in ProxyProtocol?.Problems() ?? [])
        {
            yield return problem;
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
