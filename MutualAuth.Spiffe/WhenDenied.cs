namespace MutualAuth.Spiffe;

/// <summary>
/// What to do when the Workload API says that this workload no longer has the identity (gRPC status PermissionDenied, or an update without
/// it).
/// </summary>
public enum WhenDenied
{
    /// <summary>
    /// Continue with the last good identity until it expires. An agent also reports this while it cannot identify the workload, for
    /// instance directly after its own start; a workload that stopped at once would then fail together with the agent.
    /// </summary>
    KeepUntilExpiry = 1,

    /// <summary>
    /// Trust no peer until there is an identity again, as SPIFFE Workload API §5.2.1 advises: every handshake fails on our side, and live
    /// connections are judged again and end.
    /// </summary>
    Withdraw = 2,
}
