namespace MutualAuth.Credentials;

/// <summary>How it stands with the file of a <see cref="FileCredentialStore"/>, for a health check.</summary>
public sealed record CredentialFileHealth
{
    /// <summary>Makes a report.</summary>
    /// <param name="letsUsersIn">Whether users can log in: false once the file could not be read for
    /// <see cref="FileCredentialStoreOptions.MaxUnreadable"/>.</param>
    /// <param name="problem">Why the file could not be read at the last look; null when it could. It names the file and holds
    /// nothing of its content.</param>
    /// <param name="goodAt">When the file could be read last.</param>
    /// <param name="canOthersRead">Whether others can read it who need not (Unix): everybody on the machine, or its group although this process is
    /// its owner. Who has verifiers can try passwords against them.</param>
    public CredentialFileHealth(bool letsUsersIn, string? problem, DateTimeOffset goodAt, bool canOthersRead)
    {
        LetsUsersIn = letsUsersIn;
        Problem = problem;
        GoodAt = goodAt;
        CanOthersRead = canOthersRead;
    }

    /// <summary>Whether users can log in: false once the file could not be read for <see cref="FileCredentialStoreOptions.MaxUnreadable"/>.</summary>
    public bool LetsUsersIn { get; init; }

    /// <summary>Why the file could not be read at the last look; null when it could. It names the file and holds nothing of its content.</summary>
    public string? Problem { get; init; }

    /// <summary>When the file could be read last.</summary>
    public DateTimeOffset GoodAt { get; init; }

    /// <summary>
    /// Whether others can read it who need not (Unix): everybody on the machine, or its group although this process is its owner. Who has verifiers
    /// can try passwords against them.
    /// </summary>
    public bool CanOthersRead { get; init; }
}
