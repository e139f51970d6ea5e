namespace MutualAuth.Credentials;

/// <summary>How an attempt ended.</summary>
public enum AttemptOutcome
{
    /// <summary>The credentials were right.</summary>
    Succeeded = 1,

    /// <summary>The credentials were wrong.</summary>
    Failed = 2,

    /// <summary>The client went away, or we did, before anything was proven either way.</summary>
    Abandoned = 3,
}
