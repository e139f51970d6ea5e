using System.Net;
using System.Numerics;
using Microsoft.Extensions.Logging;
using MutualAuth.Collections;
using MutualAuth.Telemetry;

namespace MutualAuth.Credentials;

/// <summary>
/// Counts consecutive failed logins of a user, whatever the time between them, and reports when there are too many (NIST SP 800-63B-4
/// §3.2.2).
/// </summary>
/// <remarks>
/// <para>The store keeps the count if it can. This class keeps the counts of names that the store does not know, so that they are answered
/// alike, and all counts if the store keeps none or fails: for at most 65,536 names, of which those with the fewest and oldest failures are
/// removed first.</para>
/// <para>An attempt is counted after it was judged and before it is answered. The count before it decides: from the bound on, no client
/// learns whether the guess was right. So concurrent guesses, also at several servers, learn no more than sequential ones.</para>
/// <para>Safe for use from many threads. It holds no store: servers over one store share one of these.</para>
/// </remarks>
internal sealed class ConsecutiveFailures(TimeProvider? timeProvider = null)
{
    internal const int MaxNames = 65_536;
    private const int Ranks = 21;

    /// <summary>
    /// The time after which a failure is answered, counted from its judgement: long enough for a store to write it, so that the timing does
    /// not reveal whether it did.
    /// </summary>
    internal static readonly TimeSpan SameTime = TimeSpan.FromMilliseconds(25);

    private readonly TimeProvider _time = timeProvider ?? TimeProvider.System;
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

    /// <summary>Whether the user was seen here to reach the bound, so that <see cref="IsBarredAsync"/> may say yes. Asks no store.</summary>
    internal bool MayBar(string userName, FailureLimits limits) =>
        Find(userName) is { } count && count.Failures >= BoundOf(userName, limits);

    /// <summary>
    /// Whether the user is known to have reached the bound, checked before an attempt costs anything. False for a user that has not been
    /// seen to reach it here.
    /// </summary>
    internal async ValueTask<bool> IsBarredAsync(ICredentialStore? store, string userName, FailureLimits limits, CancellationToken cancellationToken)
    {
        if (Find(userName) is not { } count || count.Failures < BoundOf(userName, limits))
        {
            return false;
        }

        var limit = BoundOf(userName, limits);

        if (count.IsOnlyHere || store is not IFailureCountingStore counting)
        {
            return true;
        }

        try
        {
            // An operator, or another server, may have cleared it.
            var kept = await counting.FindFailuresAsync(userName, cancellationToken).ConfigureAwait(false);
            var isBarred = kept >= limit;
            if (!isBarred)
            {
                Forget(userName);
            }
            else
            {
                Meet(userName, kept!.Value, limit, limits);
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
        ICredentialStore? store, string userName, FailureLimits limits, bool isKnown, ILogger logger, CancellationToken cancellationToken,
        IPAddress? address = null)
    {
        var limit = BoundOf(userName, limits);
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
        if (before >= limit - 1)
        {
            Meet(userName, Math.Max(before, limit), limit, limits);
        }

        if (before < limit && (isKnown || kept is not null))
        {
            limits.Tell(userName, before + 1, limit, address, _time, logger);
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
        ICredentialStore? store, string userName, FailureLimits limits, bool isFamiliar, bool isWhole, ILogger logger,
        CancellationToken cancellationToken)
    {
        var limit = BoundOf(userName, limits);
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
            Meet(userName, failures, limit, limits);
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
            var after = new Count(Math.Min(before, limit - 1) + 1, isOnlyHere, here?.Bound ?? 0, here?.MetAt, here?.Met ?? 0);
            _counts.Set(userName, after, RankOf(after.Failures));
            return before;
        }
    }

    /// <summary>
    /// How many failures the user may have now: those of the first lock-out, and, once one is over, those of the next. Where a lock-out is not known
    /// here to be over, it is not.
    /// </summary>
    private int BoundOf(string userName, FailureLimits limits)
    {
        if (limits.Duration is not { } duration)
        {
            return limits.Each;
        }

        lock (_lock)
        {
            if (!_counts.TryGet(userName, out var count))
            {
                return limits.Each;
            }

            if (count.MetAt is { } met && count.Bound < limits.Max && _time.GetElapsedTime(met) >= duration)
            {
                count = count with { Bound = limits.NextAfter(count.Met), MetAt = null };
                _counts.Set(userName, count, RankOf(Math.Max(1, count.Failures)));
            }

            return count.Bound == 0 ? limits.Each : Math.Min(count.Bound, limits.Max);
        }
    }

    /// <summary>
    /// A user was seen at its bound: from the first time on, and once more where others have counted further meanwhile, the lock-out lasts.
    /// </summary>
    private void Meet(string userName, int failures, int bound, FailureLimits limits)
    {
        if (limits.Duration is null)
        {
            return;
        }

        lock (_lock)
        {
            var count = _counts.TryGet(userName, out var known) ? known : new Count(Math.Min(failures, bound), IsOnlyHere: false);
            if (count.MetAt is null || failures / limits.Each > count.Met / limits.Each)
            {
                count = count with { MetAt = _time.GetTimestamp(), Met = failures, Bound = bound };
            }

            _counts.Set(userName, count, RankOf(Math.Max(1, count.Failures)));
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
    /// <param name="Bound">How many there may be at the next lock-out; zero for the first one.</param>
    /// <param name="MetAt">When the user was first seen at that bound; null when it was not.</param>
    /// <param name="Met">How many failures it had then.</param>
    private sealed record Count(int Failures, bool IsOnlyHere, int Bound = 0, long? MetAt = null, int Met = 0);
}
