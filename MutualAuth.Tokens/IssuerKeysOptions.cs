using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MutualAuth.Tokens;

/// <summary>How the key set of an issuer is fetched and kept.</summary>
/// <remarks>Immutable. The call that takes them reports every problem at once.</remarks>
public sealed record IssuerKeysOptions
{
    internal const int ThumbprintLength = 43;

    /// <summary>How the issuer is reached.</summary>
    public required TokenIssuerConnection Connection { get; init; }

    /// <summary>How often the set is fetched, less up to a fifth at random. Default: ten minutes; one minute to a day.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How long after a fetch began no other is made because a token names an unknown key, however many do. Also the longest pause between attempts
    /// that fail. Default: 30 seconds; one second to an hour.
    /// </summary>
    public TimeSpan UnknownKeyInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long the last good set counts when no newer one can be had. After that no token is accepted. A key that the issuer withdrew while it was
    /// out of reach counts for so long. Default: a day; at least <see cref="Interval"/>, at most 30 days.
    /// </summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromDays(1);

    /// <summary>
    /// Whether to start although the first set cannot be had. No client is accepted until it can. Default: false; the call that starts then throws.
    /// </summary>
    public bool MayStartWithoutKeys { get; init; }

    /// <summary>
    /// The thumbprints (RFC 7638, SHA-256, base64url) of the keys that count; all others of the set are left out. Default: none, every key of the set
    /// counts.
    /// </summary>
    public ImmutableArray<string> AcceptedThumbprints { get; init; } = [];

    /// <summary>
    /// Hosts, with their port where it is not 443, beside the issuer's own on which its configuration may say that the key set is. Default: none.
    /// </summary>
    public ImmutableArray<string> FurtherKeyHosts { get; init; } = [];

    /// <summary>The clock for intervals and ages, and for judging the issuer's certificate. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where events 1330 to 1332 go. Default: nowhere.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    internal IEnumerable<string> Problems()
    {
        foreach (var problem in Connection is null ? [$"{nameof(Connection)} must not be null."] : Connection.Problems())
        {
            yield return problem;
        }

        if (Interval < TimeSpan.FromMinutes(1) || Interval > TimeSpan.FromDays(1))
        {
            yield return $"{nameof(Interval)} must be between one minute and a day; it is {Interval}.";
        }

        if (UnknownKeyInterval < TimeSpan.FromSeconds(1) || UnknownKeyInterval > TimeSpan.FromHours(1))
        {
            yield return $"{nameof(UnknownKeyInterval)} must be between one second and an hour; it is {UnknownKeyInterval}.";
        }

        if (MaxAge < Interval || MaxAge > TimeSpan.FromDays(30))
        {
            yield return $"{nameof(MaxAge)} must be at least {nameof(Interval)} and at most 30 days; it is {MaxAge}.";
        }

        if (!AreThumbprints(AcceptedThumbprints))
        {
            yield return $"{nameof(AcceptedThumbprints)} must hold SHA-256 thumbprints in base64url, of {ThumbprintLength} characters each.";
        }

        if (FurtherKeyHosts.IsDefault || FurtherKeyHosts.Any(string.IsNullOrWhiteSpace))
        {
            yield return $"{nameof(FurtherKeyHosts)} must hold hosts, and nothing that is empty.";
        }

        if (TimeProvider is null || LoggerFactory is null)
        {
            yield return $"{nameof(TimeProvider)} and {nameof(LoggerFactory)} must not be null.";
        }
    }

    internal static bool AreThumbprints(ImmutableArray<string> thumbprints) =>
        !thumbprints.IsDefault && thumbprints.All(
            text => text?.Length == ThumbprintLength && text.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_'));
}
