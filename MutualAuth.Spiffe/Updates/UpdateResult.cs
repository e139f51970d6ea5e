using System.Collections.Immutable;

namespace MutualAuth.Spiffe.Updates;

/// <summary>The result of reading an update: a snapshot, or the reason why there is none; and the federated bundles that were rejected.</summary>
internal sealed record UpdateResult(X509Snapshot? Snapshot, UpdateRefusal? Refusal)
{
    /// <summary>Federated trust domains, quoted, whose bundles were rejected.</summary>
    internal ImmutableArray<(string TrustDomain, UpdateRefusal Refusal)> Federated { get; init; } = [];

    internal static UpdateResult Refused(UpdateRefusal refusal) => new(null, refusal);
}
