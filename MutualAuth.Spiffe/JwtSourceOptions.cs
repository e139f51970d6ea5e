using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MutualAuth.Spiffe;

/// <summary>Which Workload API to follow for the keys of JWT-SVIDs.</summary>
/// <remarks>Immutable. <see cref="JwtSource.ConnectAsync"/> reports every problem at once.</remarks>
public sealed record JwtSourceOptions
{
    /// <summary>Where it is served. Default: null, the address in the environment variable <c>SPIFFE_ENDPOINT_SOCKET</c>.</summary>
    public WorkloadApiAddress? Address { get; init; }

    /// <summary>
    /// How long <see cref="JwtSource.ConnectAsync"/> waits for the first keys. More than nothing, at most an hour; default 30 seconds.
    /// </summary>
    public TimeSpan FirstUpdateTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// About how long to wait before the first new attempt; it doubles with each that fails. A random half is taken off. 1 ms to 1 hour;
    /// default 1 second.
    /// </summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait between attempts, of which there is no end. <see cref="RetryDelay"/> to 1 hour; default 30 seconds.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>As <see cref="X509SourceOptions.KeepAlive"/>. 1 second to 1 hour; default 5.5 minutes.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(330);

    /// <summary>
    /// What to do when the agent says that this workload has no keys. Default <see cref="WhenDenied.KeepUntilExpiry"/>: the last good keys go on to
    /// count, which have no expiry of their own. With <see cref="WhenDenied.Withdraw"/> no token is accepted until there are keys again, and the
    /// connections of tokens end.
    /// </summary>
    public WhenDenied WhenDenied { get; init; } = WhenDenied.KeepUntilExpiry;

    /// <summary>How much one update may hold: its size, and how many trust domains.</summary>
    public UpdateLimits Limits { get; init; } = new();

    /// <summary>The clock for timeouts and waits. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where events are logged. Default: nowhere.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    internal IEnumerable<string> Problems()
    {
        foreach (var problem in FollowingProblems.Of(FirstUpdateTimeout, RetryDelay, MaxRetryDelay, KeepAlive, WhenDenied))
        {
            yield return problem;
        }

        if (Limits is null || TimeProvider is null || LoggerFactory is null)
        {
            yield return $"{nameof(Limits)}, {nameof(TimeProvider)} and {nameof(LoggerFactory)} must not be null.";
            yield break;
        }

        foreach (var problem in Limits.Problems())
        {
            yield return problem;
        }
    }
}
