using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MutualAuth;

/// <summary>How configured files are watched while the process runs.</summary>
/// <remarks>
/// Immutable. The constructor that takes the options reports every problem at once. With the defaults, a change is applied well within a
/// second. Files are polled, because file system events miss some changes, such as a link replaced in a parent directory, or a write by
/// another machine.
/// </remarks>
public sealed record WatchOptions
{
    internal static WatchOptions Default { get; } = new();

    /// <summary>How often the files are read. Default: a quarter of a second; at most an hour.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// How long all the files must have been unchanged before a change is applied, so that content that is written in parts, or one file
    /// after the other, is read when it is complete. Default: a tenth of a second; at most a minute.
    /// </summary>
    public TimeSpan QuietTime { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The clock for polling, and for checking dates. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where reloads are logged. Default: nowhere.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    internal void ThrowIfProblem(string parameter)
    {
        if (string.Join(' ', Problems()) is { Length: > 0 } problems)
        {
            throw new ArgumentException(problems, parameter);
        }
    }

    internal IEnumerable<string> Problems()
    {
        if (PollInterval < TimeSpan.FromMilliseconds(10) || PollInterval > TimeSpan.FromHours(1))
        {
            yield return $"{nameof(PollInterval)} must be between ten milliseconds and an hour; it is {PollInterval}.";
        }

        if (QuietTime < TimeSpan.Zero || QuietTime > TimeSpan.FromMinutes(1))
        {
            yield return $"{nameof(QuietTime)} must be between zero and a minute; it is {QuietTime}.";
        }

        if (TimeProvider is null || LoggerFactory is null)
        {
            yield return $"{nameof(TimeProvider)} and {nameof(LoggerFactory)} must not be null.";
        }
    }
}
