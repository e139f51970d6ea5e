namespace MutualAuth.Platforms;

/// <summary>What was found out about the process. Where it could not be found out, a requirement is not met.</summary>
public enum PlatformAnswer
{
    /// <summary>It is not so.</summary>
    No = 1,

    /// <summary>It is so.</summary>
    Yes = 2,

    /// <summary>It cannot be told here.</summary>
    Unknown = 3,
}
