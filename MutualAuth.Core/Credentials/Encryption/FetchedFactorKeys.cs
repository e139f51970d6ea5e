using MutualAuth.Collections;

namespace MutualAuth.Credentials;

/// <summary>Keys that a callback gets, from a key management service for instance, kept in memory for a time.</summary>
/// <remarks>
/// However many logins need one key, it is asked for once. What is found is kept for the lifetime; that there is no key is not kept. When the
/// lifetime is over and the callback fails, is late or has no such key any more, logins that need the key are refused. At most 16 calls run at a
/// time, those that do not come back included. Safe for use from many threads.
/// </remarks>
/// <example>
/// <code>
/// var keys = new FetchedFactorKeys(async (keyId, stop) =&gt; await vault.FindKeyAsync(keyId ?? "current", stop));
/// </code>
/// </example>
public sealed class FetchedFactorKeys : IFactorKeySource
{
    private const int MaxCalls = 16;

    private readonly Lock _turn = new();
    private readonly Dictionary<string, (FactorKey Key, long At)> _known = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Task<FactorKey?>> _asked = new(StringComparer.Ordinal);
    private readonly Func<string?, CancellationToken, ValueTask<FactorKey?>> _fetch;
    private readonly TimeSpan _lifetime;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private int _calls;

    /// <summary>Takes the callback.</summary>
    /// <param name="fetch">
    /// Is given the name of a key, and returns that key, or null when there is none; given null, it returns the key that writes from now on. It may
    /// run for several names at once. Its token is cancelled after <paramref name="timeout"/>.
    /// </param>
    /// <param name="lifetime">How long a key is kept: a second to a day; null means ten minutes.</param>
    /// <param name="timeout">How long a call may take: 10 ms to a minute; null means five seconds.</param>
    /// <param name="timeProvider">The clock; null means the system's.</param>
    /// <exception cref="ArgumentNullException"><paramref name="fetch"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A time is outside its bounds.</exception>
    public FetchedFactorKeys(
        Func<string?, CancellationToken, ValueTask<FactorKey?>> fetch,
        TimeSpan? lifetime = null,
        TimeSpan? timeout = null,
        TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(fetch);
        (_fetch, _time) = (fetch, timeProvider ?? TimeProvider.System);
        (_lifetime, _timeout) = (lifetime ?? TimeSpan.FromMinutes(10), timeout ?? TimeSpan.FromSeconds(5));
        ArgumentOutOfRangeException.ThrowIfLessThan(_lifetime, TimeSpan.FromSeconds(1), nameof(lifetime));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_lifetime, TimeSpan.FromDays(1), nameof(lifetime));
        ArgumentOutOfRangeException.ThrowIfLessThan(_timeout, TimeSpan.FromMilliseconds(10), nameof(timeout));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_timeout, TimeSpan.FromMinutes(1), nameof(timeout));
    }

    /// <inheritdoc/>
    public async ValueTask<FactorKey> FindCurrentAsync(CancellationToken cancellationToken = default) =>
        await FindAsync(null, string.Empty, cancellationToken).ConfigureAwait(false)
            ?? throw new InvalidOperationException("The callback has no key that writes.");

    /// <inheritdoc/>
    public ValueTask<FactorKey?> FindAsync(string keyId, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(keyId);
        return FindAsync(keyId, keyId, cancellationToken);
    }

    private async ValueTask<FactorKey?> FindAsync(string? keyId, string entry, CancellationToken cancellationToken)
    {
        Task<FactorKey?>? asked;
        lock (_turn)
        {
            if (_known.TryGetValue(entry, out var known) && _time.GetElapsedTime(known.At) < _lifetime)
            {
                return known.Key;
            }

            if (!_asked.TryGetValue(entry, out asked))
            {
                if (_calls == MaxCalls)
                {
                    throw new InvalidOperationException($"{MaxCalls} calls for keys are under way, and none has come back.");
                }

                _calls++;
                using (ExecutionContext.SuppressFlow())
                {
                    asked = _asked[entry] = Task.Run(() => AskAsync(keyId, entry), CancellationToken.None);
                }
            }
        }

        return await asked.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<FactorKey?> AskAsync(string? keyId, string entry)
    {
        using var late = new CancellationTokenSource(_timeout, _time);
        try
        {
            // On a thread of its own, so that a callback that blocks does not keep the others waiting.
            var token = late.Token; // it may be late before the call begins
            var call = Task.Run(() => CallAsync(keyId, token), CancellationToken.None);
            var key = await call.WaitAsync(_timeout, _time, CancellationToken.None).ConfigureAwait(false);
            if (keyId is not null && key is not null && key.Id != keyId)
            {
                throw new InvalidOperationException("The callback returned a key of another name than it was asked for.");
            }

            Keep(entry, key);
            return key;
        }
        finally
        {
            lock (_turn)
            {
                _asked.Remove(entry);
            }
        }
    }

    private async Task<FactorKey?> CallAsync(string? keyId, CancellationToken cancellationToken)
    {
        try
        {
            using var handed = new HandedToken(cancellationToken);
            return await _fetch(keyId, handed.Token).ConfigureAwait(false);
        }
        finally
        {
            lock (_turn)
            {
                _calls--;
            }
        }
    }

    private void Keep(string entry, FactorKey? key)
    {
        lock (_turn)
        {
            if (key is null)
            {
                _known.Remove(entry);
                return;
            }

            if (_known.Count == FactorKeys.MaxCount && !_known.ContainsKey(entry))
            {
                _known.Remove(_known.MinBy(known => known.Value.At).Key);
            }

            _known[entry] = (key, _time.GetTimestamp());
        }
    }
}
