using Grpc.Core;

namespace MutualAuth.Spiffe;

/// <summary>The Workload API provides no identity. The message says what to do.</summary>
public sealed class WorkloadApiException : Exception
{
    private WorkloadApiException(WorkloadApiFailure failure, string message, Exception? innerException, UpdateRefusal? refusal = null)
        : base(message, innerException) => (Failure, Refusal) = (failure, refusal);

    /// <summary>What went wrong, as a stable value.</summary>
    public WorkloadApiFailure Failure { get; }

    /// <summary>What was wrong with the last update; null unless <see cref="Failure"/> is <see cref="WorkloadApiFailure.UpdateRefused"/>.</summary>
    public UpdateRefusal? Refusal { get; }

    internal static WorkloadApiException NoAddress() => new(
        WorkloadApiFailure.NoAddress,
        $"No address of a SPIFFE Workload API is configured. Set {nameof(X509SourceOptions.Address)} in the options, or the environment "
            + $"variable {WorkloadApiAddress.EnvironmentVariable}, to something like unix:///run/spire/agent.sock.",
        innerException: null);

    internal static WorkloadApiException Unreachable(WorkloadApiAddress address, string? what, Exception? inner) => new(
        WorkloadApiFailure.Unreachable,
        $"The SPIFFE Workload API at {address} is out of reach{(what is null ? string.Empty : $": {what}")}. Check that an agent runs on this "
            + "machine, that the socket is mounted into this container, and that this process may open it.",
        inner);

    internal static WorkloadApiException Denied(WorkloadApiAddress address, string? what, Exception? inner) => new(
        WorkloadApiFailure.Denied,
        $"The SPIFFE Workload API at {address} knows no identity for this workload{(what is null ? string.Empty : $": {what}")}. Register the "
            + "workload, with selectors that match this process, and give the agent time to learn of it.",
        inner);

    internal static WorkloadApiException UpdateRefused(WorkloadApiAddress address, UpdateRefusal refusal) => new(
        WorkloadApiFailure.UpdateRefused,
        $"The SPIFFE Workload API at {address} sent an update that cannot be used. {refusal} The agent, or the registration of this workload, must "
            + "be put right.",
        innerException: null,
        refusal);

    /// <summary>Why a call ended.</summary>
    internal static WorkloadApiException Of(WorkloadApiAddress address, string profile, RpcException exception)
    {
        var socketError = exception.Status.DebugException?.GetBaseException() is System.Net.Sockets.SocketException socket
            ? $"{socket.SocketErrorCode}"
            : null;
        var what = socketError ?? $"{exception.StatusCode}, {Quoted.Text(exception.Status.Detail)}";
        return exception.StatusCode switch
        {
            StatusCode.InvalidArgument or StatusCode.Unimplemented => NotUnderstood(address, profile, what, exception),
            StatusCode.PermissionDenied => Denied(address, what, exception),
            _ => Unreachable(address, what, exception),
        };
    }

    private static WorkloadApiException NotUnderstood(WorkloadApiAddress address, string profile, string what, Exception inner) => new(
        WorkloadApiFailure.NotUnderstood,
        $"What is served at {address} is not a SPIFFE Workload API with the {profile} profile, or it does not understand us: {what}. Check the "
            + "address, and that the profile is enabled.",
        inner);

    internal static WorkloadApiException Silent(WorkloadApiAddress address) => new(
        WorkloadApiFailure.Silent,
        $"The SPIFFE Workload API at {address} took the connection and has sent no identity. Check that the agent is up to date with its server and "
            + "not overloaded.",
        innerException: null);

    internal static WorkloadApiException Overdue(WorkloadApiAddress address) => new(
        WorkloadApiFailure.Silent,
        $"The SPIFFE Workload API at {address} has not renewed an identity of which half the lifetime is over. Check that the agent runs, and "
            + "reaches its server.",
        innerException: null);
}
