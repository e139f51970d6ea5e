using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MutualAuth.Names;
using MutualAuth.Tokens;

namespace MutualAuth.Spiffe;

/// <summary>Which JWT-SVIDs to ask the Workload API for, and when again (<see cref="JwtSvids"/>).</summary>
/// <remarks>Immutable. The call that takes it reports every problem at once.</remarks>
public sealed record JwtSvidRequest
{
    private const int MaxAudiences = 64;
    private const int MaxAudienceLength = 2048;

    /// <summary>
    /// For whom the tokens are: 1 to 64 names, each of 2,048 characters at most. Name one: with several, each of these services can use the token at
    /// the others.
    /// </summary>
    public required ImmutableArray<string> Audiences { get; init; }

    /// <summary>The identity to ask for. Default: null, all that the workload has; <see cref="JwtSvids.Renewing"/> takes the first.</summary>
    public SpiffeId? SpiffeId { get; init; }

    /// <summary>Take the first identity with this hint of the operator's, byte by byte. Default: null, whatever its hint.</summary>
    public string? Hint { get; init; }

    /// <summary>Where the API is served. Default: null, the address in the environment variable <c>SPIFFE_ENDPOINT_SOCKET</c>.</summary>
    public WorkloadApiAddress? Address { get; init; }

    /// <summary>How long one call may take. More than nothing, at most an hour; default 10 seconds.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How much one answer may hold: its size, and how many identities.</summary>
    public UpdateLimits Limits { get; init; } = new();

    /// <summary>As <see cref="TokenRenewalOptions.RenewAfter"/>. 0.1 to 0.95; default 0.75.</summary>
    public double RenewAfter { get; init; } = 0.75;

    /// <summary>As <see cref="TokenRenewalOptions.RetryDelay"/>. Default 1 second.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>As <see cref="TokenRenewalOptions.MaxRetryDelay"/>. <see cref="RetryDelay"/> to 1 hour; default 30 seconds.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The clock for expiry, timeouts and waits. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where events 1333 and 1334 go. Default: nowhere.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    internal IEnumerable<string> Problems()
    {
        if (Audiences.IsDefaultOrEmpty || Audiences.Length > MaxAudiences
            || Audiences.Any(audience => string.IsNullOrEmpty(audience) || audience.Length > MaxAudienceLength))
        {
            yield return $"{nameof(Audiences)} must hold 1 to {MaxAudiences} names of 1 to {MaxAudienceLength} characters.";
        }

        if (Timeout <= TimeSpan.Zero || Timeout > TimeSpan.FromHours(1))
        {
            yield return $"{nameof(Timeout)} must be more than nothing and at most an hour; it is {Timeout}.";
        }

        if (RenewAfter is not (>= 0.1 and <= 0.95))
        {
            yield return $"{nameof(RenewAfter)} must be between 0.1 and 0.95; it is {RenewAfter}.";
        }

        if (RetryDelay <= TimeSpan.Zero || MaxRetryDelay < RetryDelay || MaxRetryDelay > TimeSpan.FromHours(1))
        {
            yield return $"{nameof(RetryDelay)} must be above zero, and {nameof(MaxRetryDelay)} between it and an hour.";
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
