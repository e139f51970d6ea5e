namespace MutualAuth.Credentials;

/// <summary>How an attempt ended.</summary>
public enum AttemptOutcome
{
    /// <summary>The credentials were right.</summary>
    Succeeded = 1,

    /// <summary>The credentials were wrong.</summary>
    Failed = 2,

    /// <summary>The client or the server ended the attempt before anything was proven.</summary>
    Abandoned = 3,
}
