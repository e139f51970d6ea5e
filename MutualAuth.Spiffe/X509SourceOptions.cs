using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MutualAuth.Names;
using MutualAuth.Paths;

namespace MutualAuth.Spiffe;

/// <summary>Which Workload API to follow, and which of its identities to take.</summary>
/// <remarks>Immutable. <see cref="X509Source.ConnectAsync"/> reports every problem at once.</remarks>
public sealed record X509SourceOptions
{
    /// <summary>Where it is served. Default: null, the address in the environment variable <c>SPIFFE_ENDPOINT_SOCKET</c>.</summary>
    public WorkloadApiAddress? Address { get; init; }

    /// <summary>The identity to take where there are several. Default: null, the first, which is the default of SPIFFE Workload API §8.</summary>
    public SpiffeId? SpiffeId { get; init; }

    /// <summary>Take the first identity with this hint of the operator's, byte by byte. Default: null, whatever its hint.</summary>
    public string? Hint { get; init; }

    /// <summary>
    /// How long <see cref="X509Source.ConnectAsync"/> waits for the first update. More than nothing, at most an hour; default 30 seconds.
    /// </summary>
    public TimeSpan FirstUpdateTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// About how long to wait before the first new attempt; it doubles with each that fails. A random half is taken off. 1 ms to 1 hour;
    /// default 1 second.
    /// </summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait between attempts, of which there is no end. <see cref="RetryDelay"/> to 1 hour; default 30 seconds.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long the connection may be silent before the agent is asked, by a ping of HTTP/2, whether it still lives; without an answer
    /// within 20 seconds,
    /// or this time if it is shorter, it is left. 1 second to 1 hour; default 5.5 minutes, as agents made with Go refuse more than one in 5 minutes.
    /// </summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(330);

    /// <summary>What to do when the identity is taken from us. Default <see cref="WhenDenied.KeepUntilExpiry"/>.</summary>
    public WhenDenied WhenDenied { get; init; } = WhenDenied.KeepUntilExpiry;

    /// <summary>
    /// The rules under which our own bundle must vouch for our own certificate before it is taken. Default
    /// <see cref="ValidationProfile.MutualTls"/>.
    /// </summary>
    public ValidationProfile Profile { get; init; } = ValidationProfile.MutualTls;

    /// <summary>How much one update may hold.</summary>
    public UpdateLimits Limits { get; init; } = new();

    /// <summary>The clock for expiry, timeouts and waits. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where events are logged. Default: nowhere.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    internal IEnumerable<string> Problems()
    {
        foreach (var problem in FollowingProblems.Of(FirstUpdateTimeout, RetryDelay, MaxRetryDelay, KeepAlive, WhenDenied))
        {
            yield return problem;
        }

        if (Profile is null || Limits is null || TimeProvider is null || LoggerFactory is null)
        {
            yield return $"{nameof(Profile)}, {nameof(Limits)}, {nameof(TimeProvider)} and {nameof(LoggerFactory)} must not be null.";
            yield break;
        }

        foreach (var problem in Limits.Problems())
        {
            yield return problem;
        }
    }
}
