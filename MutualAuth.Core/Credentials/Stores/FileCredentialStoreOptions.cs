using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MutualAuth.Credentials;

/// <summary>How a <see cref="FileCredentialStore"/> watches its file.</summary>
/// <remarks>Immutable. <see cref="FileCredentialStore.Open(string, FileCredentialStoreOptions)"/> reports every problem at once.</remarks>
public sealed record FileCredentialStoreOptions
{
    /// <summary>
    /// How long the last good users stay in force while the file cannot be read, from the last time that it could. After that no user can
    /// log in until it can be read again; otherwise a user who was disabled meanwhile would stay accepted indefinitely. A second or more;
    /// <see cref="Timeout.InfiniteTimeSpan"/> keeps them for ever. Default: 5 minutes.
    /// </summary>
    public TimeSpan MaxUnreadable { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// The longest file that is read, in bytes; a longer one counts as one that cannot be read. 1 to 2,000,000,000; default 64 MiB, some
    /// 400,000 users.
    /// </summary>
    public int MaxFileBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>
    /// The directory for consecutive failures; it is created, for this account only, when it is needed. The server must be able to write
    /// it; a directory that others can write is not used, and event 1308 reports it. Default: null, beside the file, with <c>.failures</c>
    /// after its name.
    /// </summary>
    public string? FailureDirectory { get; init; }

    /// <summary>The clock that says when to look again. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where reloads, and what keeps the file from being read, are logged. Default: nowhere.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    internal IEnumerable<string> Problems()
    {
        if (MaxUnreadable != Timeout.InfiniteTimeSpan && MaxUnreadable < TimeSpan.FromSeconds(1))
        {
            yield return $"{nameof(MaxUnreadable)} must be a second or more, or {nameof(Timeout)}.{nameof(Timeout.InfiniteTimeSpan)}; it is "
                + $"{MaxUnreadable}.";
        }

        if (MaxFileBytes is < 1 or > 2_000_000_000)
        {
            yield return $"{nameof(MaxFileBytes)} must be from 1 to 2,000,000,000; it is {MaxFileBytes}.";
        }

        if (TimeProvider is null || LoggerFactory is null)
        {
            yield return $"{nameof(TimeProvider)} and {nameof(LoggerFactory)} must not be null.";
        }
    }
}
