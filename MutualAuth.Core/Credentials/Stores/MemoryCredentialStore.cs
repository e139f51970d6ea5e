using System.Collections.Concurrent;
using System.Collections.Immutable;
using MutualAuth.Reloading;

namespace MutualAuth.Credentials;

/// <summary>Users in memory: for tests, and where another system hands them over at start-up.</summary>
/// <remarks>Users, their second factors and their failures in a row are forgotten with the process. Safe for use from many threads.</remarks>
public sealed class MemoryCredentialStore
    : IWritableCredentialStore, IBulkCredentialStore, IFailureCountingStore, IFactorListingStore, IBulkSecondFactorStore, IFactChangeSource,
        IRecallsUsers, INeverBlocks
{
    private static readonly ImmutableSortedDictionary<string, StoredFactor> s_none =
        ImmutableSortedDictionary.Create<string, StoredFactor>(StringComparer.Ordinal);

    private readonly ConcurrentDictionary<string, StoredCredential> _users = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _failures = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ImmutableSortedDictionary<string, StoredFactor>> _factors = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public event EventHandler<FactsChangedEventArgs>? FactsChanged;

    /// <inheritdoc/>
    public ValueTask<StoredCredential?> FindAsync(string userName, CancellationToken cancellationToken) =>
        ValueTask.FromResult(_users.GetValueOrDefault(userName));

    bool IRecallsUsers.TryRecall(string userName, out StoredCredential? found)
    {
        _users.TryGetValue(userName, out found);
        return true;
    }

    /// <inheritdoc/>
    public ValueTask<ImmutableArray<StoredCredential>> FindManyAsync(IReadOnlyCollection<string> userNames, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(userNames);
        return ValueTask.FromResult<ImmutableArray<StoredCredential>>([.. userNames.Select(_users.GetValueOrDefault).OfType<StoredCredential>()]);
    }

    /// <inheritdoc/>
    public ValueTask ReplaceVerifiersAsync(string userName, ImmutableArray<ScramVerifier> verifiers, CancellationToken cancellationToken = default)
    {
        var name = UserNames.Prepare(userName);
        var fresh = StoredCredential.Of(name, verifiers);
        _users.AddOrUpdate(name, fresh, (_, user) => fresh with { IsDisabled = user.IsDisabled });
        Announce(name);
        return default;
    }

    /// <inheritdoc/>
    public ValueTask SetAsync(string userName, ScramVerifier verifier, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(verifier);
        var name = UserNames.Prepare(userName);
        _users.AddOrUpdate(name, _ => new StoredCredential(name, [verifier]), (_, user) => user.With(verifier));
        Announce(name);
        return default;
    }

    /// <inheritdoc/>
    public ValueTask<bool> SetDisabledAsync(string userName, bool isDisabled, CancellationToken cancellationToken = default)
    {
        var name = UserNames.Prepare(userName);
        while (_users.TryGetValue(name, out var user))
        {
            if (_users.TryUpdate(name, user with { IsDisabled = isDisabled }, user))
            {
                Announce(name);
                return ValueTask.FromResult(true);
            }
        }

        return ValueTask.FromResult(false);
    }

    /// <inheritdoc/>
    public ValueTask<bool> RemoveAsync(string userName, CancellationToken cancellationToken = default)
    {
        var name = UserNames.Prepare(userName);
        var wasThere = _users.TryRemove(name, out _);
        _failures.TryRemove(name, out _);
        var hadFactors = _factors.TryRemove(name, out _);
        if (wasThere || hadFactors)
        {
            Announce(name);
        }

        return ValueTask.FromResult(wasThere);
    }

    /// <inheritdoc/>
    public ValueTask<ImmutableArray<StoredFactor>> FindFactorsAsync(string userName, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<ImmutableArray<StoredFactor>>([.. _factors.GetValueOrDefault(userName, s_none).Values]);

    /// <inheritdoc/>
    public ValueTask SetFactorAsync(string userName, StoredFactor factor, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(factor);
        var name = UserNames.Prepare(userName);
        _factors.AddOrUpdate(name, _ => s_none.Add(factor.Id, factor), (_, all) => all.SetItem(factor.Id, factor));
        Announce(name);
        return default;
    }

    /// <inheritdoc/>
    public ValueTask<bool> TryReplaceFactorAsync(
        string userName, StoredFactor before, StoredFactor after, CancellationToken cancellationToken = default)
    {
        StoredFactor.ThrowIfNotTheSame(before, after);
        return ValueTask.FromResult(
            ChangeFactors(userName, all => all.GetValueOrDefault(before.Id) == before ? all.SetItem(after.Id, after) : null));
    }

    /// <inheritdoc/>
    public ValueTask<bool> RemoveFactorAsync(string userName, string factorId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(factorId);
        var name = UserNames.Prepare(userName);
        var wasThere = ChangeFactors(name, all => all.Remove(factorId) is var rest && !ReferenceEquals(rest, all) ? rest : null);
        if (wasThere)
        {
            Announce(name);
        }

        return ValueTask.FromResult(wasThere);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyDictionary<string, ImmutableArray<string>>> FindFactorIdsAsync(
        IReadOnlyCollection<string> userNames, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(userNames);
        return ValueTask.FromResult<IReadOnlyDictionary<string, ImmutableArray<string>>>(
            userNames.Where(_factors.ContainsKey).ToDictionary(
                name => name, name => ImmutableArray.CreateRange(_factors.GetValueOrDefault(name, s_none).Keys), StringComparer.Ordinal));
    }

    /// <inheritdoc/>
    public ValueTask<ImmutableArray<UserFactor>> ListFactorsAsync(CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<ImmutableArray<UserFactor>>(
            [.. _factors.OrderBy(user => user.Key, StringComparer.Ordinal)
                .SelectMany(user => user.Value.Values.Select(factor => new UserFactor(user.Key, factor)))]);

    /// <inheritdoc/>
    public ValueTask<int?> FindFailuresAsync(string userName, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<int?>(_users.ContainsKey(userName) ? _failures.GetValueOrDefault(userName) : null);

    /// <inheritdoc/>
    public ValueTask<int?> AddFailureAsync(string userName, int limit, CancellationToken cancellationToken = default)
    {
        while (_users.ContainsKey(userName))
        {
            var before = _failures.GetValueOrDefault(userName);
            if (before >= limit || (before == 0 ? _failures.TryAdd(userName, 1) : _failures.TryUpdate(userName, before + 1, before)))
            {
                return ValueTask.FromResult<int?>(before);
            }
        }

        return ValueTask.FromResult<int?>(null);
    }

    /// <inheritdoc/>
    public ValueTask<bool> ClearFailuresAsync(string userName, CancellationToken cancellationToken = default)
    {
        var name = UserNames.Prepare(userName);
        _failures.TryRemove(name, out _);
        return ValueTask.FromResult(_users.ContainsKey(name));
    }

    /// <inheritdoc/>
    public ValueTask<ImmutableArray<StoredCredential>> ListAsync(CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<ImmutableArray<StoredCredential>>([.. _users.Values.OrderBy(user => user.UserName, StringComparer.Ordinal)]);

    /// <returns>Whether <paramref name="change"/> made others of them, and they were still the same when these took their place.</returns>
    private bool ChangeFactors(
        string name, Func<ImmutableSortedDictionary<string, StoredFactor>, ImmutableSortedDictionary<string, StoredFactor>?> change)
    {
        while (_factors.TryGetValue(name, out var before) && change(before) is { } after)
        {
            if (_factors.TryUpdate(name, after, before))
            {
                return true;
            }
        }

        return false;
    }

    private void Announce(string name) => EventHandlers.TellAll(FactsChanged, this, new FactsChangedEventArgs([name]));
}
