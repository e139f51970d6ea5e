using System.Collections.Immutable;
using System.Globalization;
using MutualAuth.Authorization;
using MutualAuth.Certificates;
using MutualAuth.Names;

namespace MutualAuth.Pinning;

/// <summary>Public keys of which at least one must stand on the peer's verified path, the trust anchor included.</summary>
/// <remarks>
/// Pins narrow whom the trust anchors may vouch for; they never make up for a missing path, and certificates that were presented without being part
/// of the path count for nothing. Immutable and safe for use from many threads; a million pins take 32 MB and are searched in about twenty steps.
/// </remarks>
public sealed class PinSet : ICertificateValidator, IPinSource
{
    private const int MaxListed = 8;

    private readonly SpkiDigest[] _digests;

    private PinSet(SpkiDigest[] digests) => _digests = digests;

    /// <summary>How many different keys are pinned.</summary>
    public int Count => _digests.Length;

    /// <summary>From when on the pins match nothing, so that every peer is rejected; null, the default, for never.</summary>
    public DateTimeOffset? ExpiresAt { get; private init; }

    PinSet IPinSource.Current => this;

    /// <summary>Whether the certificate stage only logs what the pins object to.</summary>
    internal bool IsReportOnly { get; private init; }

    /// <summary>Pins keys. At least two different ones are demanded, so that a backup remains when the key in use is lost (RFC 7469 §4.3).</summary>
    /// <exception cref="ArgumentException">There are fewer than two different pins, or a null among them.</exception>
    public static PinSet Of(params IEnumerable<SpkiPin> pins)
    {
        var set = Make(pins);
        return set.Count >= 2
            ? set
            : throw new ArgumentException(
                $"Expected at least two different pins, one of them the backup, got {set.Count}. Pin the key that will come next as well, or use "
                    + $"{nameof(DangerouslyWithoutBackup)}.",
                nameof(pins));
    }

    /// <summary>Pins one key alone: the day it is lost or replaced, every peer is rejected until the configuration is changed everywhere.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="pin"/> is null.</exception>
    public static PinSet DangerouslyWithoutBackup(SpkiPin pin)
    {
        ArgumentNullException.ThrowIfNull(pin);
        return Make([pin]);
    }

    /// <summary>The same pins, which match nothing from <paramref name="time"/> on: they fail closed, so replace them in time.</summary>
    public PinSet ExpiringAt(DateTimeOffset time) => new(_digests) { ExpiresAt = time, IsReportOnly = IsReportOnly };

    /// <summary>The same pins on trial: their objections are logged, and the peer is accepted if nothing else objects.</summary>
    public PinSet ReportOnly() => new(_digests) { ExpiresAt = ExpiresAt, IsReportOnly = true };

    /// <summary>Whether <paramref name="pin"/> is one of these.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="pin"/> is null.</exception>
    public bool Contains(SpkiPin pin)
    {
        ArgumentNullException.ThrowIfNull(pin);
        return Array.BinarySearch(_digests, pin.Digest) >= 0;
    }

    /// <inheritdoc/>
    public Rejection? Examine(CertificateContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (ExpiresAt is { } end && context.At >= end)
        {
            return new Rejection(RejectionReason.PinsExpired, $"pins that are valid at {Format(context.At)}", $"pins that expired at {Format(end)}")
            {
                Hint = "Renew the set of pins; until then every peer is rejected.",
            };
        }

        // From the anchor down: one match is enough, and authorities are the same for many peers.
        for (var i = context.Path.Length - 1; i >= 0; i--)
        {
            if (Array.BinarySearch(_digests, context.Path[i].PublicKey.Digest) >= 0)
            {
                return null;
            }
        }

        return Mismatch(context.Path);
    }

    /// <summary>How many pins there are, until when they hold, and whether they are on trial.</summary>
    public override string ToString()
    {
        var expiry = ExpiresAt is { } end ? $", expiring at {Format(end)}" : string.Empty;
        return string.Create(CultureInfo.InvariantCulture, $"{Count} pinned keys{expiry}{(IsReportOnly ? ", report only" : string.Empty)}");
    }

    private static PinSet Make(IEnumerable<SpkiPin> pins)
    {
        ArgumentNullException.ThrowIfNull(pins);
        var digests = pins.Select(pin => pin?.Digest ?? throw new ArgumentException("Expected pins, got a null among them.", nameof(pins))).ToArray();
        Array.Sort(digests);
        var count = 0;
        foreach (var digest in digests)
        {
            if (count == 0 || !digest.Equals(digests[count - 1]))
            {
                digests[count++] = digest;
            }
        }

        return new PinSet(digests[..count]);
    }

    private static SpkiPin PinOf(Certificate certificate) => new(certificate.PublicKey.Digest);

    private Rejection Mismatch(ImmutableArray<Certificate> path)
    {
        var configured = string.Join(", ", _digests.Take(MaxListed).Select(digest => new SpkiPin(digest)));
        return new Rejection(
            RejectionReason.PinMismatch,
            Count > MaxListed ? $"one of {Count} pinned keys, among them {configured}" : $"one of the pinned keys {configured}",
            string.Join(", ", path.Select(certificate => $"{PinOf(certificate)} (subject {PresentedNames.Subject(certificate)})")))
        {
            Element = "verified path",
            Hint = "If one of these keys is the peer's own or its authority's new key, add its pin; if the key is unknown, there may be a man "
                + "in the middle.",
        };
    }

    private static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
