using System.Collections.Immutable;
using System.Text;
using MutualAuth.Collections;

namespace MutualAuth.Credentials;

/// <summary>How a server issues and accepts reconnect credentials.</summary>
/// <remarks>Immutable. <see cref="ReconnectCredentials"/> reports every problem at once.</remarks>
public sealed record ReconnectCredentialsOptions
{
    /// <summary>The length of a key, in octets.</summary>
    public const int KeyLength = 32;

    /// <summary>The longest <see cref="Lifetime"/>: 24 hours.</summary>
    public static readonly TimeSpan MaxLifetime = TimeSpan.FromHours(24);

    private const int MaxServerLength = 255;

    private const PeerProofs MayStandFor = PeerProofs.Password | PeerProofs.OneTimeCode | PeerProofs.Passkey | PeerProofs.UserVerification
        | PeerProofs.RecoveryCode;

    private EquatableArray<byte> _key = new([]);
    private EquatableArray<byte> _otherKey = new([]);

    /// <summary>
    /// The name of the service for which the credentials are, such as its DNS name: 1 to 255 octets of UTF-8. Instances of one service have the same
    /// name; a credential for another name is refused, whatever key sealed it.
    /// </summary>
    public required string Server { get; init; }

    /// <summary>
    /// The store against which the passwords of the logins are checked. It is asked at each use whether the user is as at the login.
    /// </summary>
    public required ICredentialStore Store { get; init; }

    /// <summary>
    /// The store of the second factors: a credential ends when the user has others. It also keeps what
    /// <see cref="ReconnectCredentials.RevokeAsync"/> writes, as a factor of the kind <c>reconnect</c>. Default: null, <see cref="Store"/>, which
    /// must then be an <see cref="ISecondFactorStore"/>.
    /// </summary>
    public ISecondFactorStore? Factors { get; init; }

    /// <summary>
    /// What a credential stands for, as far as the full login proved it. Default: <see cref="PeerProofs.Password"/> alone, so that a policy that
    /// wants a second factor asks for it at each reconnect. <c>PeerProofs.Password | PeerProofs.OneTimeCode</c> spares the user both.
    /// </summary>
    public PeerProofs StandsFor { get; init; } = PeerProofs.Password;

    /// <summary>
    /// How long after the full login a credential is accepted; a renewed one ends when the first would have. More than zero, and at most
    /// <see cref="MaxLifetime"/>. Default: 8 hours.
    /// </summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromHours(8);

    /// <summary>
    /// The key that seals credentials: <see cref="KeyLength"/> random octets, the same for all instances of a service. Default: empty, a random one
    /// that ends with the process, and all credentials with it.
    /// </summary>
    public ImmutableArray<byte> Key
    {
        get => _key.Items;
        init => _key = new(value);
    }

    /// <summary>A second key that is accepted and seals nothing: the one before, or the next one. Default: empty, none.</summary>
    public ImmutableArray<byte> OtherKey
    {
        get => _otherKey.Items;
        init => _otherKey = new(value);
    }

    /// <summary>The clock. Give it the one of the server. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    internal IEnumerable<string> Problems()
    {
        if (string.IsNullOrWhiteSpace(Server) || Encoding.UTF8.GetByteCount(Server) > MaxServerLength)
        {
            yield return $"{nameof(Server)} must name the service, in at most {MaxServerLength} octets.";
        }

        if (Store is null || TimeProvider is null)
        {
            yield return $"{nameof(Store)} and {nameof(TimeProvider)} must not be null.";
        }
        else if (Factors is null && Store is not ISecondFactorStore)
        {
            yield return $"{nameof(Factors)} must be set, because {nameof(Store)} keeps no second factors: what revokes credentials is kept there.";
        }

        if ((StandsFor & ~MayStandFor) != 0)
        {
            yield return $"{nameof(StandsFor)} may hold {MayStandFor}; it is {StandsFor}.";
        }

        if (Lifetime <= TimeSpan.Zero || Lifetime > MaxLifetime)
        {
            yield return $"{nameof(Lifetime)} must be more than zero and at most {MaxLifetime}; it is {Lifetime}.";
        }

        if (!IsKeyOrEmpty(Key) || !IsKeyOrEmpty(OtherKey))
        {
            yield return $"{nameof(Key)} and {nameof(OtherKey)} must have {KeyLength} random octets; leave them empty for a random key, and for "
                + "no other.";
        }
        else if (Key.IsEmpty && !OtherKey.IsEmpty)
        {
            yield return $"{nameof(OtherKey)} needs a {nameof(Key)} beside it.";
        }
    }

    private static bool IsKeyOrEmpty(ImmutableArray<byte> key) => !key.IsDefault && (key.IsEmpty || IsKey(key.AsSpan()));

    /// <summary>Whether it can be a key: of that length, and not of one octet all over, as a buffer that was never filled.</summary>
    internal static bool IsKey(ReadOnlySpan<byte> key) => key.Length == KeyLength && key.ContainsAnyExcept(key[0]);
}
