using System.Numerics;
using Microsoft.Extensions.Logging;
using MutualAuth.Collections;
using MutualAuth.Telemetry;

namespace MutualAuth.Credentials;

/// <summary>
/// Counts consecutive failed logins of a user, whatever the time between them, and reports when there are too many (NIST SP 800-63B
/// §5.2.2).
/// </summary>
/// <remarks>
/// <para>The store keeps the count if it can. This class keeps the counts of names that the store does not know, so that they are answered
/// alike, and all counts if the store keeps none or fails: for at most 65,536 names, of which those with the fewest and oldest failures are
/// removed first.</para>
/// <para>An attempt is counted after it was judged and before it is answered. The count before it decides: from the bound on, no client
/// learns whether the guess was right. So concurrent guesses, also at several servers, learn no more than sequential ones.</para>
/// <para>Safe for use from many threads. It holds no store: servers over one store share one of these.</para>
/// </remarks>
internal sealed class ConsecutiveFailures
{
    internal const int MaxNames = 65_536;
    private const int Ranks = 21;

    /// <summary>
    /// The time after which a failure is answered, counted from its judgement: long enough for a store to write it, so that the timing does
    /// not reveal whether it did.
    /// </summary>
    internal static readonly TimeSpan SameTime = TimeSpan.FromMilliseconds(25);

    private readonly Lock _lock = new();
    private readonly BoundedCache<string, Count> _counts = new(MaxNames, Ranks, StringComparer.Ordinal);
    private bool _hasSaidThatNothingIsKept;

    /// <summary>How that time is waited for; tests watch it.</summary>
    internal Func<TimeSpan, CancellationToken, Task> Level { get; set; } = static (span, cancellationToken) => Task.Delay(span, cancellationToken);

    /// <summary>How many names are held.</summary>
    internal int Names
    {
        get
        {
            lock (_lock)
            {
                return _counts.Count;
            }
        }
    }

    /// <summary>
    /// Whether the user is known to have reached the bound, checked before an attempt costs anything. False for a user that has not been
    /// seen to reach it here.
    /// </summary>
    internal async ValueTask<bool> IsBarredAsync(ICredentialStore? store, string userName, int limit, CancellationToken cancellationToken)
    {
        if (Find(userName) is not { } count || count.Failures < limit)
        {
            return false;
        }

        if (count.IsOnlyHere || store is not IFailureCountingStore counting)
        {
            return true;
        }

        try
        {
            // An operator, or another server, may have cleared it.
            var isBarred = await counting.FindFailuresAsync(userName, cancellationToken).ConfigureAwait(false) >= limit;
            if (!isBarred)
            {
                Forget(userName);
            }

            return isBarred;
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            return true;
        }
    }

    /// <summary>An attempt was wrong.</summary>
    /// <returns>Whether the bound had been reached before it: then the client does not learn the result.</returns>
    internal async ValueTask<bool> FailedAsync(
        ICredentialStore? store, string userName, int limit, bool isKnown, ILogger logger, CancellationToken cancellationToken)
    {
        var level = LevelOf(store, cancellationToken);
        int? kept = null;
        if (store is IFailureCountingStore counting)
        {
            try
            {
                kept = await counting.AddFailureAsync(userName, limit, cancellationToken).ConfigureAwait(false);
                _hasSaidThatNothingIsKept = false;
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                SayThatNothingIsKept(store, CredentialLog.Describe(exception), logger);
            }
        }
        else if (isKnown)
        {
            SayThatNothingIsKept(store, "it cannot", logger);
        }

        var before = Add(userName, kept, limit);
        if (before == limit - 1 && (isKnown || kept is not null))
        {
            CredentialLog.FailuresReachedTheirBound(logger, Errors.SafeText.Quote(userName), limit);
        }

        await level.ConfigureAwait(false);
        return before >= limit;
    }

    /// <summary>
    /// An attempt was right. Unless the user is barred here, its failures are forgotten where that completes the login
    /// (<paramref name="isWhole"/>): a right password without its second factor clears nothing.
    /// </summary>
    /// <returns>Whether it is barred.</returns>
    internal async ValueTask<bool> SucceededAsync(
        ICredentialStore? store, string userName, int limit, bool isFamiliar, bool isWhole, ILogger logger, CancellationToken cancellationToken)
    {
        var here = Find(userName);
        var failures = here is { IsOnlyHere: true } || store is not IFailureCountingStore ? here?.Failures ?? 0 : 0;
        var counting = store as IFailureCountingStore;
        try
        {
            var kept = counting is null ? null : await counting.FindFailuresAsync(userName, cancellationToken).ConfigureAwait(false);
            failures = Math.Max(failures, kept ?? 0);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            failures = Math.Max(failures, here?.Failures ?? 0);
            SayThatNothingIsKept(store, CredentialLog.Describe(exception), logger);
        }

        if (failures >= limit && !isFamiliar)
        {
            await LevelOf(store, cancellationToken).ConfigureAwait(false);
            return true;
        }

        if (!isWhole)
        {
            return false;
        }

        Forget(userName);
        try
        {
            if (failures > 0 && counting is not null)
            {
                await counting.ClearFailuresAsync(userName, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            SayThatNothingIsKept(store, CredentialLog.Describe(exception), logger);
        }

        return false;
    }

    // For users in memory, counting takes no measurable time.
    private Task LevelOf(ICredentialStore? store, CancellationToken cancellationToken) =>
        store is IFailureCountingStore and not MemoryCredentialStore ? Level(SameTime, cancellationToken) : Task.CompletedTask;

    private void SayThatNothingIsKept(ICredentialStore? store, string why, ILogger logger)
    {
        lock (_lock)
        {
            if (_hasSaidThatNothingIsKept)
            {
                return;
            }

            _hasSaidThatNothingIsKept = true;
        }

        CredentialLog.FailuresNotKept(logger, store?.GetType().Name ?? "none", why);
    }

    private Count? Find(string userName)
    {
        lock (_lock)
        {
            return _counts.TryGet(userName, out var count) ? count : null;
        }
    }

    /// <returns>How many there were before.</returns>
    private int Add(string userName, int? kept, int limit)
    {
        lock (_lock)
        {
            var here = _counts.TryGet(userName, out var count) ? count : null;
            var isOnlyHere = kept is null || here is { IsOnlyHere: true };
            var before = isOnlyHere ? Math.Max(here?.Failures ?? 0, kept ?? 0) : kept!.Value;
            var after = new Count(Math.Min(before, limit - 1) + 1, isOnlyHere);
            _counts.Set(userName, after, RankOf(after.Failures));
            return before;
        }
    }

    private void Forget(string userName)
    {
        lock (_lock)
        {
            _counts.Remove(userName);
        }
    }

    /// <summary>1, 2 to 3, 4 to 7 failures, and so on.</summary>
    private static int RankOf(int failures) => Math.Min(BitOperations.Log2((uint)failures), Ranks - 1);

    /// <param name="Failures">How many in a row.</param>
    /// <param name="IsOnlyHere">Whether the store does not have them: else it is asked, and this is what it said last.</param>
    private sealed record Count(int Failures, bool IsOnlyHere);
}
