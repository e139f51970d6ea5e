using System.Collections.Immutable;

namespace MutualAuth.Spiffe.Updates;

/// <summary>What came of reading an update: a snapshot, or why there is none; and the federated bundles that could not be taken.</summary>
internal sealed record UpdateResult(X509Snapshot? Snapshot, UpdateRefusal? Refusal)
{
    /// <summary>Federated trust domains, quoted, whose bundles were refused.</summary>
    internal ImmutableArray<(string TrustDomain, UpdateRefusal Refusal)> Federated { get; init; } = [];

    internal static UpdateResult Refused(UpdateRefusal refusal) => new(null, refusal);
}
