namespace MutualAuth.Revocation;

/// <summary>What is known of one address from which revocation lists are fetched.</summary>
/// <remarks>Immutable: a snapshot.</remarks>
public sealed record RevocationFetchStatus
{
    internal RevocationFetchStatus(Uri address) => Address = address;

    /// <summary>The address.</summary>
    public Uri Address { get; }

    /// <summary>When the address last gave a list that was taken, or said that the last good one is still the newest; null for never.</summary>
    public DateTimeOffset? LastSuccess { get; internal init; }

    /// <summary>The earliest next update of the lists in force from this address; null when there are none, or they do not say.</summary>
    public DateTimeOffset? NextUpdate { get; internal init; }

    /// <summary>Why the last fetch failed; null when it did not, or when there was none yet.</summary>
    public RevocationFetchFailure? Failure { get; internal init; }

    /// <summary>The same in words, safe to log; null when there is no failure.</summary>
    public string? Detail { get; internal init; }

    /// <summary>When the address is asked next; null while it is being asked, and after the end.</summary>
    public DateTimeOffset? NextAttempt { get; internal init; }

    /// <summary>How many fetches have failed since the last that did not.</summary>
    public int FailuresInARow { get; internal init; }

    /// <summary>Whether there is a list from this address, from now or from an earlier run.</summary>
    public bool HasLists { get; internal init; }
}
