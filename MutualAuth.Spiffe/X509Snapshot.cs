using System.Collections.Immutable;
using MutualAuth.Names;
using MutualAuth.Revocation;
using MutualAuth.Trust;

namespace MutualAuth.Spiffe;

/// <summary>One update of the Workload API that was checked and taken: an identity, and the bundles that belong with it.</summary>
/// <remarks>Immutable. All of it changed in the same moment.</remarks>
public sealed class X509Snapshot
{
    internal X509Snapshot(SpiffeId spiffeId, Identity identity, SpiffeBundles bundles, RevocationLists revocationLists)
    {
        SpiffeId = spiffeId;
        Identity = identity;
        Bundles = bundles;
        RevocationLists = revocationLists;
    }

    /// <summary>Who we are.</summary>
    public SpiffeId SpiffeId { get; }

    /// <summary>What we present.</summary>
    public Identity Identity { get; }

    /// <summary>Whom we trust: our own trust domain, and those it federates with.</summary>
    public SpiffeBundles Bundles { get; }

    /// <summary>The revocation lists that came along; empty as a rule, for SPIRE sends none.</summary>
    public RevocationLists RevocationLists { get; }

    /// <summary>The encodings of <see cref="RevocationLists"/>, by which a list that has not changed is known.</summary>
    internal ImmutableArray<ReadOnlyMemory<byte>> RawRevocationLists { get; init; } = [];

    /// <summary>The same with the lists of another.</summary>
    internal X509Snapshot WithListsOf(X509Snapshot other) =>
        new(SpiffeId, Identity, Bundles, other.RevocationLists) { RawRevocationLists = other.RawRevocationLists };

    internal X509Snapshot Trusting(SpiffeBundles bundles) =>
        new(SpiffeId, Identity, bundles, RevocationLists) { RawRevocationLists = RawRevocationLists };
}
