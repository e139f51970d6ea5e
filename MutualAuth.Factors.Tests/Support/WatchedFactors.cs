using System.Collections.Immutable;
using MutualAuth.Credentials;

namespace MutualAuth.Tests.Support;

/// <summary>A store that counts who reads, and in which something happens just before a factor is replaced, once.</summary>
internal sealed class WatchedFactors(MemoryCredentialStore inner) : ISecondFactorStore
{
    private int _reads;

    internal int Reads => _reads;

    internal Func<Task>? BeforeReplacing { get; set; }

    public ValueTask<ImmutableArray<StoredFactor>> FindFactorsAsync(string userName, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _reads);
        return inner.FindFactorsAsync(userName, cancellationToken);
    }

    public ValueTask SetFactorAsync(string userName, StoredFactor factor, CancellationToken cancellationToken = default) =>
        inner.SetFactorAsync(userName, factor, cancellationToken);

    public async ValueTask<bool> TryReplaceFactorAsync(
        string userName, StoredFactor before, StoredFactor after, CancellationToken cancellationToken = default)
    {
        var happening = BeforeReplacing;
        BeforeReplacing = null;
        if (happening is not null)
        {
            await happening();
        }

        return await inner.TryReplaceFactorAsync(userName, before, after, cancellationToken);
    }

    public ValueTask<bool> RemoveFactorAsync(string userName, string factorId, CancellationToken cancellationToken = default) =>
        inner.RemoveFactorAsync(userName, factorId, cancellationToken);
}
