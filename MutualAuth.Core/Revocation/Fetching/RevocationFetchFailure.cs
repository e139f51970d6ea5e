namespace MutualAuth.Revocation;

/// <summary>Why a revocation list could not be fetched, or was not taken. The last good list stays in force in every case.</summary>
public enum RevocationFetchFailure
{
    /// <summary>There is no connection to the server, or it was lost.</summary>
    Unreachable = 1,

    /// <summary>The answer was not complete in time, or an earlier fetch that ran out of time has not ended yet.</summary>
    TimedOut = 2,

    /// <summary>The server answered with another HTTP status than 200 and 304.</summary>
    HttpStatus = 3,

    /// <summary>The server named another address, or the client that the application gave followed it there. Redirections are not followed.</summary>
    Redirected = 4,

    /// <summary>The answer is longer than <see cref="RevocationFetchOptions.MaxBytes"/>.</summary>
    TooLarge = 5,

    /// <summary>The answer has a content coding such as gzip, which was not asked for.</summary>
    Encoded = 6,

    /// <summary>The answer is not a list that can be used, or it ended early.</summary>
    Malformed = 7,

    /// <summary>The list is older than the last good one, or there is none of an issuer and scope that had one.</summary>
    Older = 8,

    /// <summary>The list has expired or is not valid yet.</summary>
    NotCurrent = 9,

    /// <summary>No key of its issuer signed the list.</summary>
    NotSigned = 10,

    /// <summary>An unexpected error of this library or of the process; event 1646 has it.</summary>
    Faulted = 11,
}
