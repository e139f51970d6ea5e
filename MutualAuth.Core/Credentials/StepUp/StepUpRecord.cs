namespace MutualAuth.Credentials;

/// <summary>Tells the auditor of a step-up or a re-authentication.</summary>
/// <param name="AcceptAsync">Before it counts: says why it must not, because it cannot be recorded.</param>
/// <param name="Refused">It was refused, or left.</param>
/// <param name="ConnectionId">Names the connection in the log.</param>
internal sealed record StepUpRecord(
    Func<AuthenticatedUser, CancellationToken, ValueTask<Rejection?>>? AcceptAsync, Action<Rejection>? Refused, string ConnectionId);
