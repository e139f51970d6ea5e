namespace MutualAuth.Spiffe;

/// <summary>Why the Workload API gives us no identity. Values are stable.</summary>
public enum WorkloadApiFailure
{
    /// <summary>No address is configured, neither in the options nor in the environment.</summary>
    NoAddress = 1,

    /// <summary>The endpoint could not be reached, or broke off before it said anything.</summary>
    Unreachable = 2,

    /// <summary>The endpoint knows no identity for this workload (gRPC status PermissionDenied).</summary>
    Denied = 3,

    /// <summary>It sent an update that could not be taken; <see cref="WorkloadApiException.Refusal"/> says why.</summary>
    UpdateRefused = 4,

    /// <summary>
    /// It answers as something else than a Workload API that we can talk to (gRPC status InvalidArgument or Unimplemented). No new attempt is made,
    /// unless an update was good before: then it is one, and something else stands in its place for the moment.
    /// </summary>
    NotUnderstood = 5,

    /// <summary>It was reached and has sent nothing yet, or owes the renewal of an identity of which half the lifetime is over.</summary>
    Silent = 6,
}
