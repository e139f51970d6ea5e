namespace MutualAuth.Validation;

/// <summary>What happens when a user or a device that has as many sessions as it may begins one more.</summary>
public enum WhenSessionsAreFull
{
    /// <summary>The new one is refused (<see cref="RejectionReason.TooManySessions"/>).</summary>
    Refuse = 1,

    /// <summary>
    /// The oldest one is cut (<see cref="RejectionReason.SessionReplaced"/>), once the new one has been accepted by both sides, and before the
    /// application has it.
    /// </summary>
    EndOldest = 2,
}
