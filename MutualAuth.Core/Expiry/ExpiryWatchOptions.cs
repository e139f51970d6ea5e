using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MutualAuth.Collections;

namespace MutualAuth.Expiry;

/// <summary>When to warn of an end that comes near. Immutable.</summary>
public sealed record ExpiryWatchOptions
{
    private EquatableArray<TimeSpan> _warnBefore = new(
        [
            TimeSpan.FromDays(30), TimeSpan.FromDays(14), TimeSpan.FromDays(7), TimeSpan.FromDays(3), TimeSpan.FromDays(1), TimeSpan.FromHours(6),
            TimeSpan.FromHours(1),
        ]);

    /// <summary>
    /// How long before the end to warn, once for each. Default: 30, 14, 7, 3 and 1 days, 6 hours and 1 hour. One that is more than a third of the
    /// whole lifetime is passed over, so that a certificate of a day does not begin with a warning.
    /// </summary>
    public ImmutableArray<TimeSpan> WarnBefore
    {
        get => _warnBefore.Items;
        init => _warnBefore = new(value);
    }

    /// <summary>How often to look. Default: a minute.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The clock. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where warnings are logged. Default: nowhere.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <exception cref="ArgumentException">The options contradict themselves; it lists every problem.</exception>
    internal void ThrowIfProblem(string parameter)
    {
        var problems = Problems().ToArray();
        if (problems.Length > 0)
        {
            throw new ArgumentException(string.Join(" ", problems), parameter);
        }
    }

    internal IEnumerable<string> Problems()
    {
        if (WarnBefore.IsDefault || WarnBefore.Any(time => time <= TimeSpan.Zero))
        {
            yield return $"{nameof(WarnBefore)} must hold positive times only.";
        }

        if (Interval < TimeSpan.FromSeconds(1) || Interval > TimeSpan.FromDays(1))
        {
            yield return $"{nameof(Interval)} must lie between a second and a day.";
        }

        if (TimeProvider is null)
        {
            yield return $"{nameof(TimeProvider)} must not be null.";
        }

        if (LoggerFactory is null)
        {
            yield return $"{nameof(LoggerFactory)} must not be null.";
        }
    }
}
