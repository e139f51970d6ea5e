namespace MutualAuth.Connections;

/// <summary>How much a listener spends on handshakes at once; the options of the listener say what each is.</summary>
internal readonly record struct AdmissionBounds
{
    internal required int PendingHellos { get; init; }

    internal required int PendingHellosPerAddress { get; init; }

    internal required int WaitingHandshakes { get; init; }

    internal required int WaitingHandshakesPerAddress { get; init; }

    internal required int ConcurrentHandshakes { get; init; }

    internal required int QueuedHandshakes { get; init; }

    internal required int LingeringCloses { get; init; }
}
