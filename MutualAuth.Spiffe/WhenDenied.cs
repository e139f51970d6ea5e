namespace MutualAuth.Spiffe;

/// <summary>What to do when the Workload API says that this workload has the identity no longer (gRPC status PermissionDenied, or an update without it).</summary>
public enum WhenDenied
{
    /// <summary>
    /// Go on with the last good identity until it expires. An agent also says so while it cannot tell who we are, for instance when it has just
    /// been started, and a workload that stopped at once would fall with it.
    /// </summary>
    KeepUntilExpiry = 1,

    /// <summary>
    /// Trust nobody until there is an identity again, as SPIFFE Workload API §5.2.1 advises: every handshake fails on our side, and live
    /// connections are judged again and end.
    /// </summary>
    Withdraw = 2,
}
