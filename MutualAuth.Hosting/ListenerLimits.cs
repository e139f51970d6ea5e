namespace MutualAuth.Hosting;

/// <summary>What a listener holds at most, for peers that are not authenticated yet and for those that are.</summary>
/// <remarks>
/// Null means the default of the property of the same name in <see cref="MutualTlsListenerOptions"/>, which says what each bounds. With several end
/// points each has these bounds for itself; <see cref="MaxConnections"/> counts all of them together.
/// </remarks>
public sealed class ListenerLimits
{
    /// <summary>
    /// How many connections are served at once. Beyond it, connections that are authenticated wait, and with them new handshakes. At least 1. It may
    /// change while the process runs. Default: null, no bound.
    /// </summary>
    public int? MaxConnections { get; set; }

    /// <inheritdoc cref="MutualTlsListenerOptions.Backlog"/>
    public int? Backlog { get; set; }

    /// <inheritdoc cref="MutualTlsListenerOptions.MaxPendingHellos"/>
    public int? MaxPendingHellos { get; set; }

    /// <inheritdoc cref="MutualTlsListenerOptions.MaxPendingHellosPerAddress"/>
    public int? MaxPendingHellosPerAddress { get; set; }

    /// <inheritdoc cref="MutualTlsListenerOptions.MaxWaitingHandshakes"/>
    public int? MaxWaitingHandshakes { get; set; }

    /// <inheritdoc cref="MutualTlsListenerOptions.MaxWaitingHandshakesPerAddress"/>
    public int? MaxWaitingHandshakesPerAddress { get; set; }

    /// <inheritdoc cref="MutualTlsListenerOptions.MaxConcurrentHandshakes"/>
    public int? MaxConcurrentHandshakes { get; set; }

    /// <inheritdoc cref="MutualTlsListenerOptions.MaxQueuedHandshakes"/>
    public int? MaxQueuedHandshakes { get; set; }

    /// <inheritdoc cref="MutualTlsListenerOptions.MaxLingeringCloses"/>
    public int? MaxLingeringCloses { get; set; }

    /// <inheritdoc cref="MutualTlsListenerOptions.MaxReadyConnections"/>
    public int? MaxReadyConnections { get; set; }

    internal MutualTlsListenerOptions ApplyTo(MutualTlsListenerOptions options) => options with
    {
        Backlog = Backlog ?? options.Backlog,
        MaxPendingHellos = MaxPendingHellos ?? options.MaxPendingHellos,
        MaxPendingHellosPerAddress = MaxPendingHellosPerAddress ?? options.MaxPendingHellosPerAddress,
        MaxWaitingHandshakes = MaxWaitingHandshakes ?? options.MaxWaitingHandshakes,
        MaxWaitingHandshakesPerAddress = MaxWaitingHandshakesPerAddress ?? options.MaxWaitingHandshakesPerAddress,
        MaxConcurrentHandshakes = MaxConcurrentHandshakes ?? options.MaxConcurrentHandshakes,
        MaxQueuedHandshakes = MaxQueuedHandshakes ?? options.MaxQueuedHandshakes,
        MaxLingeringCloses = MaxLingeringCloses ?? options.MaxLingeringCloses,
        MaxReadyConnections = MaxReadyConnections ?? options.MaxReadyConnections,
    };

    /// <summary>Every bound with the least that it may be.</summary>
    internal IEnumerable<(string Key, int? Value, int Least)> All() =>
    [
        (nameof(MaxConnections), MaxConnections, 1),
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
}
