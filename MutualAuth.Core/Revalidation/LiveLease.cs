using MutualAuth.Evidence;
using MutualAuth.Validation;

namespace MutualAuth.Revalidation;

/// <summary>The yes of one validator for one live connection. The lock of <see cref="LiveFacts"/> guards what changes.</summary>
internal sealed class LiveLease(RevalidationEntry entry, IPeerFactValidator validator, FactLease lease, long number)
{
    internal RevalidationEntry Entry => entry;

    internal IPeerFactValidator Validator => validator;

    /// <summary>Tells leases apart that are due at the same time.</summary>
    internal long Number => number;

    /// <summary>What was said last.</summary>
    internal FactLease Lease { get; set; } = lease;

    /// <summary>When it is over, in ticks since the registry began.</summary>
    internal long EndAt { get; set; }

    /// <summary>When to ask again.</summary>
    internal long AskAt { get; set; }

    /// <summary>When to look at it; null when that is not waited for.</summary>
    internal long? Due { get; set; }

    /// <summary>A question waits or runs.</summary>
    internal bool IsAsking { get; set; }

    /// <summary>The connection is over.</summary>
    internal bool HasLeft { get; set; }

    /// <summary>Why it counts no longer; null while it does.</summary>
    internal Rejection? Lost { get; set; }

    /// <summary>What became of the last question where it gave no answer.</summary>
    internal string Problem { get; set; } = "no answer before it was over";
}
