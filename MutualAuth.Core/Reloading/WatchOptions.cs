using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MutualAuth;

/// <summary>How files of our own are followed while the process runs.</summary>
/// <remarks>
/// Immutable. The constructor of what watches reports every problem at once. The defaults take a change up well within a second. Files are looked
/// at rather than waited for: that is seen which events of the file system leave out, such as a link swapped further up, or another machine's write.
/// </remarks>
public sealed record WatchOptions
{
    internal static WatchOptions Default { get; } = new();

    /// <summary>How often the files are looked at. Default: a quarter of a second; at most an hour.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// How long all the files must have stood still before a change is taken up, so that what is written piece by piece, or one file after the
    /// other, is read when it is whole. Default: a tenth of a second; at most a minute.
    /// </summary>
    public TimeSpan QuietTime { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The clock for all of this, and for judging dates. Default: the system's.</summary>
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
