using System.Collections.Immutable;
using System.Security.Claims;
using MutualAuth.Authorization;

namespace MutualAuth;

/// <summary>The user that logged in. Only a SASL exchange that succeeded makes one.</summary>
/// <remarks>Immutable and safe to share.</remarks>
public sealed class AuthenticatedUser
{
    internal AuthenticatedUser(
        string name,
        string? authorizationIdentity,
        string mechanism,
        PeerProofs proofs,
        ImmutableArray<Claim> claims,
        DateTimeOffset? notAfter = null,
        ImmutableArray<LoginFact> facts = default)
    {
        Name = name;
        ActsAs = authorizationIdentity ?? name;
        Mechanisms = [mechanism];
        Proofs = proofs;
        Claims = claims.IsDefault ? [] : claims;
        NotAfter = notAfter;
        Facts = facts.IsDefault ? [] : facts;
    }

    /// <summary>
    /// The name whose credentials were shown (the authentication identity), as SASLprep (RFC 4013) writes it. It is not escaped for logs.
    /// </summary>
    public string Name { get; }

    /// <summary>As whom the user acts (the authorization identity): another only where the policy's <c>MayActAs</c> granted it.</summary>
    public string ActsAs { get; }

    /// <summary>The SASL mechanism, such as <c>SCRAM-SHA-256-PLUS</c>; the first of <see cref="Mechanisms"/>.</summary>
    public string Mechanism => Mechanisms[0];

    /// <summary>The mechanisms of all exchanges of the login, in their order: more than one where a second factor was asked for.</summary>
    public ImmutableArray<string> Mechanisms { get; private init; }

    /// <summary>What the mechanisms have proven.</summary>
    public PeerProofs Proofs { get; }

    /// <summary>What the token, or a mechanism of the application's own, says of the user; otherwise empty.</summary>
    public ImmutableArray<Claim> Claims { get; }

    /// <summary>
    /// When the credentials that were shown expire, such as a token's <c>exp</c>: the earliest time of all exchanges; null when they do not
    /// say.
    /// </summary>
    public DateTimeOffset? NotAfter { get; }

    /// <summary>What the login relied on that may change later.</summary>
    internal ImmutableArray<LoginFact> Facts { get; }

    /// <summary>The same user, with what a further exchange of the same login has proven.</summary>
    internal AuthenticatedUser And(AuthenticatedUser further) => new(
        Name,
        ActsAs,
        Mechanism,
        Proofs | further.Proofs,
        Claims.AddRange(further.Claims),
        NotAfter is { } here && further.NotAfter is { } there ? (here < there ? here : there) : NotAfter ?? further.NotAfter,
        Facts.AddRange(further.Facts))
    {
        Mechanisms = Mechanisms.AddRange(further.Mechanisms),
    };

    /// <summary>The name, quoted for a log.</summary>
    public override string ToString() => Errors.SafeText.Quote(Name);
}
