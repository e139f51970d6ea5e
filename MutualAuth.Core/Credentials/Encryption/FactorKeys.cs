using System.Collections.Frozen;
using System.Collections.Immutable;

namespace MutualAuth.Credentials;

/// <summary>Keys that are held in memory: the first writes, all read.</summary>
/// <remarks>Immutable and safe to share.</remarks>
public sealed class FactorKeys : IFactorKeySource
{
    internal const int MaxCount = 64;

    private readonly FrozenDictionary<string, FactorKey> _byId;

    /// <summary>Takes the keys.</summary>
    /// <param name="current">The key that encrypts from now on.</param>
    /// <param name="earlier">Keys that what is stored may still need.</param>
    /// <exception cref="ArgumentNullException">One of them is null.</exception>
    /// <exception cref="ArgumentException">Two have one name, or there are more than 64.</exception>
    public FactorKeys(FactorKey current, params IEnumerable<FactorKey> earlier)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(earlier);
        ImmutableArray<FactorKey> all = [current, .. earlier];
        if (all.Any(key => key is null))
        {
            throw new ArgumentNullException(nameof(earlier));
        }

        if (all.Length > MaxCount || all.DistinctBy(key => key.Id).Count() != all.Length)
        {
            throw new ArgumentException($"Expected at most {MaxCount} keys, each with a name of its own.", nameof(earlier));
        }

        Current = current;
        _byId = all.ToFrozenDictionary(key => key.Id, StringComparer.Ordinal);
    }

    /// <summary>The key that writes.</summary>
    public FactorKey Current { get; }

    /// <inheritdoc/>
    public ValueTask<FactorKey> FindCurrentAsync(CancellationToken cancellationToken = default) => ValueTask.FromResult(Current);

    /// <inheritdoc/>
    public ValueTask<FactorKey?> FindAsync(string keyId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keyId);
        return ValueTask.FromResult(Find(keyId));
    }

    /// <summary>How many there are, and the name of the one that writes.</summary>
    public override string ToString() => $"{_byId.Count} keys, of which {Current.Id} writes";

    internal FactorKey? Find(string keyId) => _byId.GetValueOrDefault(keyId);
}
