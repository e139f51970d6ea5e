using MutualAuth.Evidence;

namespace MutualAuth.Validation;

/// <summary>One question to a validator whose yes counts for a time, at the handshake and afterwards.</summary>
internal static class FactQuestion
{
    private const int MaxNamed = 16;

    /// <summary>Asks. It throws what the validator throws.</summary>
    /// <param name="validator">The validator.</param>
    /// <param name="source">Its name.</param>
    /// <param name="peer">The peer.</param>
    /// <param name="time">The clock by which the lifetime is measured.</param>
    /// <param name="cancellationToken">The deadline.</param>
    /// <returns>The objection, or the yes.</returns>
    internal static async ValueTask<(Rejection? Objection, FactLease? Lease)> AskAsync(
        IPeerFactValidator validator, string source, AuthenticatedPeer peer, TimeProvider time, CancellationToken cancellationToken)
    {
        var askedAt = time.GetTimestamp();
        var verdict = await validator.AskAsync(peer, cancellationToken).ConfigureAwait(false)
            ?? throw new InvalidOperationException("The validator answered null.");
        return verdict.Rejection is { } objection
            ? (objection, null)
            : (null, new FactLease(
                validator, source, [.. verdict.Facts.Select(fact => fact with { Source = source })], verdict.Lifetime, askedAt));
    }

    /// <summary>The yes is over.</summary>
    internal static Rejection Expired(FactLease lease, string presented) =>
        new(RejectionReason.FactsExpired, $"a yes of {lease.Source} that still counts", presented);

    /// <summary>What was said, by name: values may be personal.</summary>
    internal static string NamesOf(FactLease lease)
    {
        var names = lease.Facts.Select(static fact => fact.Name).Distinct().ToList();
        var more = names.Count > MaxNamed ? $" and {names.Count - MaxNamed} more" : string.Empty;
        return names.Count == 0 ? "nothing" : string.Join(", ", names.Take(MaxNamed)) + more;
    }
}
