namespace MutualAuth.Telemetry;

/// <summary>The areas under which events are logged. An event belongs to one of them, by its number.</summary>
internal enum LogArea
{
    /// <summary>Events 1000 to 1099 and 1600 to 1619.</summary>
    Handshake = 1,

    /// <summary>Events 1100 to 1199.</summary>
    Validation,

    /// <summary>Events 1200 to 1299.</summary>
    Listener,

    /// <summary>Events 1300 to 1399.</summary>
    Login,

    /// <summary>Events 1400 to 1449 and 1640 to 1649.</summary>
    Reload,

    /// <summary>Events 1450 to 1499.</summary>
    Connection,

    /// <summary>Events 1650 to 1659.</summary>
    Audit,
}
