namespace MutualAuth.Testing.Transports;

/// <summary>Which way octets go.</summary>
public enum Direction
{
    /// <summary>From the side that speaks first.</summary>
    ClientToServer = 1,

    /// <summary>From the side that answers.</summary>
    ServerToClient = 2,
}
