using MutualAuth.Authorization;

namespace MutualAuth.Revalidation;

/// <summary>What the user of a live connection stands on. The lock of the registry guards the dates, <see cref="Gate"/> the facts.</summary>
internal sealed class UserStanding
{
    /// <summary>Taken to change <see cref="Facts"/>.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>The facts, as far as the login had some.</summary>
    internal LiveFact[] Facts { get; set; } = [];

    /// <summary>The connection is over: no fact joins any more.</summary>
    internal bool HasLeft { get; set; }

    /// <summary>When the credentials expire.</summary>
    internal DateTimeOffset? NotAfter { get; set; }

    /// <summary>When the connection ends for that: not later, and sooner where ends are spread.</summary>
    internal DateTimeOffset? EndsAt { get; set; }

    /// <summary>The same; null once that has been dealt with.</summary>
    internal DateTimeOffset? End { get; set; }

    /// <summary>When to say that the user should authenticate again; null when it has been said, or is not to be.</summary>
    internal DateTimeOffset? LeadAt { get; set; }
}

/// <summary>A fact of one connection, as its source knows it. The lock of the source guards the links.</summary>
internal sealed class LiveFact(RevalidationEntry entry, LoginFact fact, LiveSource source, long number, long goodAt)
{
    internal RevalidationEntry Entry => entry;

    internal LoginFact Fact => fact;

    internal LiveSource Source => source;

    /// <summary>An answer counts only for facts that were there before the question.</summary>
    internal long Number => number;

    /// <summary>As of when it is known to hold, in ticks since the registry began.</summary>
    internal long GoodAt { get; set; } = goodAt;

    /// <summary>Why it does not hold, or was not known to for too long; null while it holds.</summary>
    internal Rejection? Objection { get; set; }

    internal LiveFact? Previous { get; set; }

    internal LiveFact? Next { get; set; }
}
