namespace MutualAuth.Credentials;

/// <summary>What has happened to a user whose logins fail.</summary>
public enum LockOutKind
{
    /// <summary>The next failure locks the user out until an operator unlocks: tell the user before it happens.</summary>
    Imminent = 1,

    /// <summary>The user is locked out for a time.</summary>
    ForATime = 2,

    /// <summary>The user is locked out until an operator unlocks.</summary>
    UntilUnlocked = 3,
}

/// <summary>A lock-out, or that one comes near, for those who are told of it.</summary>
/// <param name="UserName">The user, as SASLprep writes its name. It exists. The name is not escaped for logs.</param>
/// <param name="Kind">What has happened.</param>
/// <param name="Failures">How many logins have failed in a row.</param>
/// <param name="At">When, by the clock on the wall.</param>
/// <param name="Until">When the lock-out ends, by the same clock; null where it does not end by itself.</param>
/// <param name="Address">From where the last attempt came; null when the transport has no address.</param>
public sealed record LockOutNotice(
    string UserName, LockOutKind Kind, int Failures, DateTimeOffset At, DateTimeOffset? Until, System.Net.IPAddress? Address);
