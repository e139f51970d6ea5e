using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MutualAuth.Tokens;

/// <summary>When a token is asked for again (<see cref="TokenSource.Renewing"/>).</summary>
/// <remarks>Immutable. The call that takes them reports every problem at once.</remarks>
public sealed record TokenRenewalOptions
{
    /// <summary>Who gives the tokens, for the log and in messages.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// The part of a token's lifetime after which the next one is asked for, less up to a tenth of it at random; the old one is used meanwhile.
    /// Default: 0.75; 0.1 to 0.95.
    /// </summary>
    public double RenewAfter { get; init; } = 0.75;

    /// <summary>The pause after a failed attempt, which doubles with each more, less up to half at random. Default: one second.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest such pause. Default: one minute; from <see cref="RetryDelay"/> to an hour.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The clock. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where events 1333 and 1334 go. Default: nowhere.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    internal IEnumerable<string> Problems()
    {
        if (string.IsNullOrWhiteSpace(Name))
        {
            yield return $"{nameof(Name)} must not be empty.";
        }

        if (RenewAfter is not (>= 0.1 and <= 0.95))
        {
            yield return $"{nameof(RenewAfter)} must be between 0.1 and 0.95; it is {RenewAfter}.";
        }

        if (RetryDelay <= TimeSpan.Zero || MaxRetryDelay < RetryDelay || MaxRetryDelay > TimeSpan.FromHours(1))
        {
            yield return $"{nameof(RetryDelay)} must be above zero, and {nameof(MaxRetryDelay)} between it and an hour.";
        }

        if (TimeProvider is null || LoggerFactory is null)
        {
            yield return $"{nameof(TimeProvider)} and {nameof(LoggerFactory)} must not be null.";
        }
    }
}
