using System.Buffers;
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace MutualAuth.Factors;

/// <summary>What a server demands of passkeys.</summary>
public sealed record PasskeyOptions
{
    private static readonly SearchValues<char> s_nameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-.");

    /// <summary>ES256 (COSE -7).</summary>
    public const int Es256 = -7;

    /// <summary>EdDSA with Ed25519 (COSE -8).</summary>
    public const int EdDsa = -8;

    /// <summary>RS256 (COSE -257), which TPMs of Windows use.</summary>
    public const int Rs256 = -257;

    private static readonly ImmutableArray<int> s_known = [Es256, EdDsa, Rs256];

    /// <summary>
    /// The relying party identifier: the server's DNS name or a parent of it, in lower case. A passkey belongs to one; with another name all have to
    /// be registered again.
    /// </summary>
    public required string RelyingParty { get; init; }

    /// <summary>
    /// The origins that client data may name. Default: empty, which means <c>https://</c> and the relying party. Android writes
    /// <c>android:apk-key-hash:…</c> there.
    /// </summary>
    public ImmutableArray<string> Origins { get; init; } = [];

    /// <summary>
    /// Whether the authenticator must have verified the person, by a PIN or a biometric trait. Default: true. Without it a passkey is possession
    /// alone.
    /// </summary>
    public bool RequiresUserVerification { get; init; } = true;

    /// <summary>The algorithms that are accepted, the favourite first. Default: ES256, EdDSA, RS256.</summary>
    public ImmutableArray<int> Algorithms { get; init; } = s_known;

    /// <summary>
    /// Whether a passkey whose counter does not rise is locked: from then on nothing that it signs is accepted. Default: false, and only that one
    /// assertion is refused, since two logins at one moment may come in the wrong order.
    /// </summary>
    public bool LocksCopiedPasskeys { get; init; }

    /// <summary>Where copied passkeys are reported. Default: null, nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    internal IReadOnlySet<string> AcceptedOrigins => Origins.IsDefaultOrEmpty
        ? ImmutableHashSet.Create(StringComparer.Ordinal, PasskeyClientData.OriginOf(RelyingParty))
        : Origins.ToImmutableHashSet(StringComparer.Ordinal);

    internal static bool IsRelyingParty(string? name) =>
        name is { Length: > 0 and <= 253 } && !name.AsSpan().ContainsAnyExcept(s_nameCharacters)
        && name.Split('.').All(label => label.Length is > 0 and <= 63 && label[0] != '-' && label[^1] != '-');

    internal IEnumerable<string> Problems()
    {
        if (!IsRelyingParty(RelyingParty))
        {
            yield return $"{nameof(RelyingParty)} must be a DNS name in lower case.";
        }

        if (!Origins.IsDefault && Origins.Any(origin => !Uri.TryCreate(origin, UriKind.Absolute, out _)))
        {
            yield return $"{nameof(Origins)} must hold absolute URIs.";
        }

        if (Algorithms.IsDefaultOrEmpty || Algorithms.Except(s_known).Any())
        {
            yield return $"{nameof(Algorithms)} must hold one at least of {string.Join(", ", s_known)}, and nothing else.";
        }
    }
}
