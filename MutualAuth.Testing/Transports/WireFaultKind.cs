namespace MutualAuth.Testing.Transports;

/// <summary>What a <see cref="WireFault"/> does.</summary>
public enum WireFaultKind
{
    /// <summary>It changes one octet: <see cref="DuplexDirection.CorruptAt"/>.</summary>
    Corruption = 1,

    /// <summary>It holds back everything from an octet on: <see cref="DuplexDirection.StallAt"/>.</summary>
    Stall = 2,

    /// <summary>It breaks the connection before an octet: <see cref="DuplexDirection.ResetAt"/>.</summary>
    Reset = 3,

    /// <summary>It shows the reader an end before an octet: <see cref="DuplexDirection.EndAt"/>.</summary>
    End = 4,
}
