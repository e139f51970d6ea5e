using System.Collections.Immutable;

namespace MutualAuth.Evidence;

/// <summary>The yes of one validator: what it said, and how long that counts.</summary>
/// <param name="Validator">Who said it, and is asked again.</param>
/// <param name="Source">Its name.</param>
/// <param name="Facts">What it said.</param>
/// <param name="Lifetime">How long it counts, from the moment at which the question was asked.</param>
/// <param name="AskedAt">That moment, a time stamp of the clock: the answer may be as old as the question.</param>
internal sealed record FactLease(object Validator, string Source, ImmutableArray<PeerFact> Facts, TimeSpan Lifetime, long AskedAt)
{
    /// <summary>How long it counts yet; zero or less when it counts no longer.</summary>
    internal TimeSpan Left(TimeProvider time) => Left(time, time.GetTimestamp());

    /// <summary>The same as of a moment, a time stamp of the clock.</summary>
    internal TimeSpan Left(TimeProvider time, long at) => Lifetime - time.GetElapsedTime(AskedAt, at);
}
