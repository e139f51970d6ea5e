using System.Net;
using Microsoft.Extensions.Logging;
using MutualAuth.Telemetry;

namespace MutualAuth.Credentials;

/// <summary>How many failures in a row there may be, and what happens then.</summary>
/// <param name="Max">In all, until an operator clears them.</param>
/// <param name="Each">Until the next lock-out.</param>
/// <param name="Duration">How long that lasts; null where it lasts until an operator clears the failures.</param>
/// <param name="Tellers">Who is told.</param>
internal sealed record FailureLimits(int Max, int Each, TimeSpan? Duration, IReadOnlyList<LockOutTeller> Tellers)
{
    /// <summary>A bound without lock-outs for a time.</summary>
    public static implicit operator FailureLimits(int max) => new(max, max, null, []);

    internal static FailureLimits Of(int max, LockOutPolicy? lockOut, TimeProvider time)
    {
        if (lockOut is null)
        {
            return max;
        }

        LockOutTeller[] tellers =
            [.. new[] { lockOut.TellOperator, lockOut.TellUser }.OfType<Func<LockOutNotice, CancellationToken, ValueTask>>()
                .Select(tell => new LockOutTeller(tell, time))];
        return new FailureLimits(lockOut.Duration is null ? lockOut.Failures : max, lockOut.Failures, lockOut.Duration, tellers);
    }

    /// <summary>The bound that holds for a user with so many failures, of whom the lock-out that they led to is over.</summary>
    internal int NextAfter(int failures) => (int)Math.Min(Max, (((long)failures / Each) + 1) * Each);

    /// <summary>Says what so many failures mean, where they mean something.</summary>
    internal void Tell(string userName, int failures, int bound, IPAddress? address, TimeProvider time, ILogger logger)
    {
        var now = time.GetUtcNow();
        if (failures == bound && bound < Max)
        {
            CredentialLog.LockedOut(logger, Errors.SafeText.Quote(userName), failures, Duration!.Value);
            Tell(LockOutKind.ForATime, now + Duration);
        }

        if (failures == Max)
        {
            CredentialLog.FailuresReachedTheirBound(logger, Errors.SafeText.Quote(userName), failures);
            Tell(LockOutKind.UntilUnlocked, null);
        }
        else if (failures == Max - 1)
        {
            Tell(LockOutKind.Imminent, null);
        }

        void Tell(LockOutKind kind, DateTimeOffset? until)
        {
            foreach (var teller in Tellers)
            {
                teller.Tell(new LockOutNotice(userName, kind, failures, now) { Until = until, Address = address }, logger);
            }
        }
    }
}
