using System.Net;

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
/// <remarks>Immutable.</remarks>
public sealed record LockOutNotice
{
    /// <summary>Makes a notice, for tests of a callback.</summary>
    /// <param name="userName">The user, as SASLprep writes its name.</param>
    /// <param name="kind">What has happened.</param>
    /// <param name="failures">How many logins have failed in a row.</param>
    /// <param name="at">When, by the clock on the wall.</param>
    public LockOutNotice(string userName, LockOutKind kind, int failures, DateTimeOffset at) =>
        (UserName, Kind, Failures, At) = (userName, kind, failures, at);

    /// <summary>The user, as SASLprep writes its name. It exists. The name is not escaped for logs.</summary>
    public string UserName { get; init; }

    /// <summary>What has happened.</summary>
    public LockOutKind Kind { get; init; }

    /// <summary>How many logins have failed in a row.</summary>
    public int Failures { get; init; }

    /// <summary>When, by the clock on the wall.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>When the lock-out ends, by the same clock. Default: null, it does not end by itself.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>From where the last attempt came. Default: null, the transport has no address.</summary>
    public IPAddress? Address { get; init; }
}
