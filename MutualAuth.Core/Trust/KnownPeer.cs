using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using MutualAuth.Errors;
using MutualAuth.Names;

namespace MutualAuth.Trust;

/// <summary>A known peer: its name, its key, and the time of its first meeting. Immutable.</summary>
/// <remarks>Its text form is the line that <see cref="KnownPeersFile"/> keeps: <c>NAME sha256/BASE64 2026-01-31T12:00:00Z</c>.</remarks>
public sealed record KnownPeer
{

    /// <summary>Describes a peer.</summary>
    /// <param name="name">A DNS name in lower case, such as <c>alice</c> or <c>alice.example</c>, or a SPIFFE ID.</param>
    /// <param name="key">Its public key.</param>
    /// <param name="firstSeen">When the peer was first met, or entered by hand. Kept to the second, in UTC.</param>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> or <paramref name="key"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="name"/> is neither a DNS name in lower case nor a SPIFFE ID.</exception>
    public KnownPeer(string name, SpkiPin key, DateTimeOffset firstSeen)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(key);
        if (!SelfSignedPeer.IsName(name))
        {
            throw new FormatException($"Not the name of a peer: expected a DNS name in lower case or a SPIFFE ID, got {SafeText.Quote(name)}.");
        }

        Name = name;
        Key = key;
        FirstSeen = new DateTimeOffset(firstSeen.UtcTicks - (firstSeen.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
    }

    /// <summary>The name in the peer's certificate, which <c>AuthenticatedPeer.Name</c> also returns.</summary>
    public string Name { get; }

    /// <summary>The key that identifies the peer.</summary>
    public SpkiPin Key { get; }

    /// <summary>When the peer was first met; UTC, whole seconds.</summary>
    public DateTimeOffset FirstSeen { get; }

    /// <summary>The key as digits that two people can read to each other.</summary>
    public PeerFingerprint Fingerprint => PeerFingerprint.Of(Key);

    /// <summary>The peer as one line of a file of known peers.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Name} {Key} {FirstSeen.ToString(UtcText.Format, CultureInfo.InvariantCulture)}");

    internal static bool TryParse(string line, [NotNullWhen(true)] out KnownPeer? peer, [NotNullWhen(false)] out string? problem)
    {
        peer = null;
        var fields = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        problem = fields is not [var name, var key, var time] ? "three fields are expected: NAME sha256/BASE64 FIRST-SEEN"
            : !SelfSignedPeer.IsName(name) ? $"{SafeText.Quote(name)} is neither a DNS name in lower case nor a SPIFFE ID"
            : !SpkiPin.TryParse(key, out var pin) ? $"{SafeText.Quote(key)} is not a key in the form sha256/BASE64"
            : !DateTimeOffset.TryParseExact(time, UtcText.Format, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var seen)
            ? $"{SafeText.Quote(time)} is not a time in the form 2026-01-31T12:00:00Z"
            : Keep(new KnownPeer(name, pin, seen), out peer);
        return peer is not null;
    }

    private static string? Keep(KnownPeer read, out KnownPeer peer)
    {
        peer = read;
        return null;
    }
}
