using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MutualAuth.Collections;
using MutualAuth.Paths;
using MutualAuth.Revocation;

namespace MutualAuth.Ocsp;

/// <summary>The OCSP responders (RFC 6960) to ask about peers' certificates, and the treatment of their answers.</summary>
/// <remarks>Immutable. A contradiction is reported, with all others, by the constructor that takes it.</remarks>
public sealed record OcspOptions
{
    private EquatableArray<OcspEndpoint> _responders;

    /// <summary>The responders: at most one for each issuer, and at most one for all others. Addresses in certificates are never looked at.</summary>
    public required ImmutableArray<OcspEndpoint> Responders
    {
        get => _responders.Items;
        init => _responders = new(value);
    }

    /// <summary>The certificates to check. Default: every certificate of the path except the trust anchor.</summary>
    public RevocationCoverage Coverage { get; init; } = RevocationCoverage.EveryCertificate;

    /// <summary>
    /// The longest lifetime of a peer's own certificate about which no responder is asked where it carries noRevAvail (RFC 9608). Zero to 366 days.
    /// Default: zero; see <see cref="RevocationPolicy.NoRevAvailLifetime"/>.
    /// </summary>
    public TimeSpan NoRevAvailLifetime { get; init; }

    /// <summary>
    /// The longest lifetime of a peer's own certificate about which no responder is asked, whatever it says. Zero to 10 days. Default: zero; see
    /// <see cref="RevocationPolicy.ShortLivedLifetime"/>.
    /// </summary>
    public TimeSpan ShortLivedLifetime { get; init; }

    /// <summary>The treatment of a peer without a reliable answer. Default: it is rejected.</summary>
    public OcspFailure Failure { get; init; } = OcspFailure.Deny;

    /// <summary>The requirement on the nonce of an answer. Default: if there is one, it must be ours.</summary>
    public OcspNonce Nonce { get; init; } = OcspNonce.IfEchoed;

    /// <summary>The hash by which requests name the issuer. Default: SHA-1, which every responder understands; it protects nothing.</summary>
    public OcspHash Hash { get; init; } = OcspHash.Sha1;

    /// <summary>The time limit for one answer. Default: three seconds. The deadline of the asynchronous validators applies as well.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>The longest answer that is read, in bytes. 512 to 1,048,576, default 65,536.</summary>
    public int MaxResponseBytes { get; init; } = 64 * 1024;

    /// <summary>How far a responder's clock may be ahead of ours. Zero to one hour, default one minute.</summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The maximum time for which an answer is cached, never beyond its next update. Zero: no caching. Default: one hour.</summary>
    public TimeSpan MaxCacheTime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The maximum number of cached answers; the oldest is evicted. Default 10,000.</summary>
    public int MaxCachedAnswers { get; init; } = 10_000;

    /// <summary>
    /// Where the certificate of a delegated responder is looked up that does not carry ocsp-nocheck (RFC 6960 §4.2.2.2.1). Default: nowhere,
    /// so that such a responder's answers are rejected.
    /// </summary>
    public IRevocationListSource? ResponderLists { get; init; }

    /// <summary>Which keys and signatures of responders are strong enough. Default: <see cref="ValidationProfile.MutualTls"/>.</summary>
    public ValidationProfile Profile { get; init; } = ValidationProfile.MutualTls;

    /// <summary>
    /// The HTTP client; the caller owns it. It should follow no redirects, use no cookies and, in general, no proxy. Default: one of
    /// the validator's own, which uses neither redirects nor cookies nor a proxy.
    /// </summary>
    public HttpClient? HttpClient { get; init; }

    /// <summary>The clock. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where events are logged. Default: nowhere.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    internal IEnumerable<string> Problems()
    {
        if (Responders.IsDefaultOrEmpty || Responders.Contains(null!))
        {
            yield return $"{nameof(Responders)} must name at least one responder, and hold no null.";
        }
        else if (Responders.DistinctBy(responder => responder.Issuer).Count() < Responders.Length)
        {
            yield return $"{nameof(Responders)} has two for one issuer; give one for each, and one without an issuer for all others.";
        }

        if (!Enum.IsDefined(Coverage) || !Enum.IsDefined(Failure) || !Enum.IsDefined(Nonce) || !Enum.IsDefined(Hash))
        {
            yield return $"{nameof(Coverage)}, {nameof(Failure)}, {nameof(Nonce)} and {nameof(Hash)} must be values that exist.";
        }

        if (NoRevAvailLifetime < TimeSpan.Zero || NoRevAvailLifetime > StatusExemption.MaxNoRevAvailLifetime)
        {
            yield return $"{nameof(NoRevAvailLifetime)} must be zero to 366 days; it is {NoRevAvailLifetime}.";
        }

        if (ShortLivedLifetime < TimeSpan.Zero || ShortLivedLifetime > StatusExemption.MaxShortLivedLifetime)
        {
            yield return $"{nameof(ShortLivedLifetime)} must be zero to 10 days; it is {ShortLivedLifetime}.";
        }

        if (Timeout <= TimeSpan.Zero || Timeout > TimeSpan.FromMinutes(5))
        {
            yield return $"{nameof(Timeout)} must be above zero and at most five minutes; it is {Timeout}.";
        }

        if (MaxResponseBytes is < 512 or > 1024 * 1024 || MaxCachedAnswers < 0)
        {
            yield return $"{nameof(MaxResponseBytes)} must be 512 to 1048576, and {nameof(MaxCachedAnswers)} not negative.";
        }

        if (ClockSkew < TimeSpan.Zero || ClockSkew > TimeSpan.FromHours(1) || MaxCacheTime < TimeSpan.Zero)
        {
            yield return $"{nameof(ClockSkew)} must be zero to one hour, and {nameof(MaxCacheTime)} not negative.";
        }

        if (Profile is null || TimeProvider is null || LoggerFactory is null)
        {
            yield return $"{nameof(Profile)}, {nameof(TimeProvider)} and {nameof(LoggerFactory)} must not be null.";
        }
    }
}
