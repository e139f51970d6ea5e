using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using MutualAuth.Errors;
using MutualAuth.Names;

namespace MutualAuth.Trust;

/// <summary>A key of a known peer: the peer's name, the key of one of its devices, and the time of its first meeting. Immutable.</summary>
/// <remarks>
/// Its text form is the line that <see cref="KnownPeersFile"/> keeps: <c>NAME sha256/BASE64 2026-01-31T12:00:00Z</c>, and behind that, where they
/// apply, <c>verified=2026-02-01T12:00:00Z</c> and <c>device=LABEL</c>.
/// </remarks>
public sealed record KnownPeer
{
    private const int LongestLabel = 64;
    private const string VerifiedField = "verified=";
    private const string DeviceField = "device=";

    /// <summary>Describes a peer.</summary>
    /// <param name="name">
    /// A DNS name in lower case, such as <c>alice</c> or <c>alice.example</c>, a SPIFFE ID, or an e-mail address as <see cref="PeerName"/> prints it,
    /// such as <c>email:alice@example.org</c>.
    /// </param>
    /// <param name="key">Its public key.</param>
    /// <param name="firstSeen">When the peer was first met, or entered by hand. Kept to the second, in UTC.</param>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> or <paramref name="key"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="name"/> is none of these, or has another spelling.</exception>
    public KnownPeer(string name, SpkiPin key, DateTimeOffset firstSeen)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(key);
        if (!SelfSignedPeer.IsName(name))
        {
            throw new FormatException(
                "Not the name of a peer: expected a DNS name in lower case, a SPIFFE ID, or an e-mail address behind email:, got "
                    + $"{SafeText.Quote(name)}.");
        }

        Name = name;
        Key = key;
        FirstSeen = WholeSeconds(firstSeen);
    }

    /// <summary>The name in the peer's certificate, which <c>AuthenticatedPeer.Name</c> also returns.</summary>
    public string Name { get; }

    /// <summary>The key that identifies the peer.</summary>
    public SpkiPin Key { get; }

    /// <summary>When the peer was first met; UTC, whole seconds.</summary>
    public DateTimeOffset FirstSeen { get; }

    /// <summary>
    /// When people compared the key over another channel; null while they have not. UTC, whole seconds. Until then an impostor may have been the one
    /// who was met.
    /// </summary>
    public DateTimeOffset? VerifiedAt
    {
        get;
        init => field = value is { } at ? WholeSeconds(at) : null;
    }

    /// <summary>
    /// Which of the peer's devices has the key, in words of yours: up to 64 letters, digits, hyphens, dots and underscores. Null for the one that was
    /// met first. A label is no secret and proves nothing.
    /// </summary>
    /// <exception cref="FormatException">The value is no label.</exception>
    public string? Device
    {
        get;
        init => field = value is null || IsLabel(value) ? value : throw new FormatException(
            $"Not the label of a device: expected up to 64 letters, digits, hyphens, dots and underscores, got {SafeText.Quote(value)}.");
    }

    /// <summary>The key as digits that two people can read to each other.</summary>
    public PeerFingerprint Fingerprint => PeerFingerprint.Of(Key);

    /// <summary>The peer as one line of a file of known peers.</summary>
    public override string ToString() =>
        $"{Name} {Key} {Show(FirstSeen)}{(VerifiedAt is { } verified ? $" {VerifiedField}{Show(verified)}" : null)}"
        + (Device is null ? null : $" {DeviceField}{Device}");

    internal static bool TryParse(string line, [NotNullWhen(true)] out KnownPeer? peer, [NotNullWhen(false)] out string? problem)
    {
        peer = null;
        var fields = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        problem = fields is not [var name, var key, var time, .. var more] ? "three fields are expected: NAME sha256/BASE64 FIRST-SEEN"
            : !SelfSignedPeer.IsName(name)
            ? $"{SafeText.Quote(name)} is neither a DNS name in lower case, nor a SPIFFE ID, nor an e-mail address behind email:"
            : !SpkiPin.TryParse(key, out var pin) ? $"{SafeText.Quote(key)} is not a key in the form sha256/BASE64"
            : !TryTime(time, out var seen) ? $"{SafeText.Quote(time)} is not a time in the form 2026-01-31T12:00:00Z"
            : TryMore(more, new KnownPeer(name, pin, seen), out peer);
        return peer is not null;
    }

    /// <summary>Reads what may stand behind the three fields: each once, in this order. What is not known is an error, as anything else.</summary>
    private static string? TryMore(ReadOnlySpan<string> fields, KnownPeer read, out KnownPeer? peer)
    {
        peer = null;
        if (fields is [var verified, .. var behind] && verified.StartsWith(VerifiedField, StringComparison.Ordinal))
        {
            if (!TryTime(verified[VerifiedField.Length..], out var at))
            {
                return $"{SafeText.Quote(verified)} is not verified= with a time in the form 2026-01-31T12:00:00Z";
            }

            read = read with { VerifiedAt = at };
            fields = behind;
        }

        if (fields is [var device, .. var rest] && device.StartsWith(DeviceField, StringComparison.Ordinal))
        {
            if (!IsLabel(device[DeviceField.Length..]))
            {
                return $"{SafeText.Quote(device)} is not device= with up to 64 letters, digits, hyphens, dots and underscores";
            }

            read = read with { Device = device[DeviceField.Length..] };
            fields = rest;
        }

        if (!fields.IsEmpty)
        {
            return $"three fields are expected, and then verified=TIME and device=LABEL in this order, each once; got {SafeText.Quote(fields[0])}";
        }

        peer = read;
        return null;
    }

    private static bool IsLabel(string text) =>
        text.Length is > 0 and <= LongestLabel && text.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '.' or '_');

    private static bool TryTime(string text, out DateTimeOffset time) =>
        DateTimeOffset.TryParseExact(text, UtcText.Format, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);

    private static string Show(DateTimeOffset time) => time.ToString(UtcText.Format, CultureInfo.InvariantCulture);

    private static DateTimeOffset WholeSeconds(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
}
