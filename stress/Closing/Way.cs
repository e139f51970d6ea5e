namespace MutualAuth.Stress.Closing;

/// <summary>Who ends the connection, and how.</summary>
internal enum Way
{
    /// <summary>The library, after the grace period, of an application that never looks at DrainRequested.</summary>
    Grace = 1,

    /// <summary>The application, when DrainRequested says so.</summary>
    Drain = 2,

    /// <summary>The application's DisposeAsync, beside calls of its other tasks.</summary>
    Dispose = 3,

    /// <summary>The listener's StopAsync.</summary>
    Stop = 4,

    /// <summary>The application's Abort, beside calls of its other tasks.</summary>
    Abort = 5,
}

/// <summary>What the server's application does with a connection while it is ended.</summary>
[Flags]
internal enum Load
{
    /// <summary>It writes as fast as it can.</summary>
    Writes = 1,

    /// <summary>It reads, and its peer writes as fast as it can.</summary>
    Reads = 2,

    /// <summary>Both.</summary>
    Both = Writes | Reads,
}
