using System.Collections.Immutable;
using System.Net;
using System.Security.Claims;
using MutualAuth.Authorization;
using MutualAuth.Certificates;
using MutualAuth.Evidence;
using MutualAuth.Names;
using MutualAuth.Trust;

namespace MutualAuth;

/// <summary>A peer that was accepted, with everything that it has proven. Only the certificate stage and the credential stage make one.</summary>
/// <remarks>
/// Immutable but for <see cref="IsKeyVerified"/>, which asks the store of known peers; safe to share, and usable after the connection is gone.
/// </remarks>
public sealed class AuthenticatedPeer
{
    private AuthenticatedPeer(PeerEvidence evidence, ImmutableArray<Certificate> path, SpiffeId? spiffeId, AuthenticatedUser? user, PeerName? name)
    {
        Evidence = evidence;
        Path = path;
        SpiffeId = spiffeId;
        User = user;
        ProvenName = name ?? (path.IsEmpty ? PeerName.OfUser(user!.Name) : PeerNames.Of(path[0]));
    }

    internal AuthenticatedPeer(PeerEvidence evidence, ImmutableArray<Certificate> path, SpiffeId? spiffeId, PeerName? name = null)
        : this(evidence, path, spiffeId, null, name)
    {
    }

    /// <summary>What the peer is called, as one safe token for people and logs: the text of <see cref="ProvenName"/>. Never empty.</summary>
    /// <remarks>DNS names and SPIFFE IDs stand bare; every other kind has a prefix with which neither can begin.</remarks>
    public string Name => ProvenName.ToString();

    /// <summary>What the peer is called, with the kind of the name: what decisions are made on.</summary>
    /// <remarks>
    /// A server is called by the name that was dialled, where its certificate carries it. Otherwise it is the name by which the authorization rule
    /// accepted the peer; where it asked for none, the SPIFFE ID of a valid X.509-SVID, else the first DNS name, e-mail address, URI, IP address or
    /// user principal name that is well formed, else the subject, else the SHA-256 of the certificate. A peer without a certificate is called by its
    /// user's name.
    /// </remarks>
    public PeerName ProvenName { get; }

    /// <summary>
    /// Every name of the peer's certificate that is well formed, each with its kind, in the order of <see cref="ProvenName"/>; empty without a
    /// certificate.
    /// </summary>
    public ImmutableArray<PeerName> ProvenNames => Certificate is { } certificate ? [.. PeerNames.AllOf(certificate)] : [];

    /// <summary>The peer's own certificate; null when it showed none and logged in instead.</summary>
    public Certificate? Certificate => Path.IsEmpty ? null : Path[0];

    /// <summary>The verified path: the peer's certificate first, the trust anchor last; empty when it showed no certificate.</summary>
    public ImmutableArray<Certificate> Path { get; }

    /// <summary>The SPIFFE ID, when the certificate is a valid X.509-SVID; otherwise null.</summary>
    public SpiffeId? SpiffeId { get; }

    /// <summary>
    /// The user that logged in; null without a login. On a client, the server's <see cref="Proofs"/> say whether it knew our verifier.
    /// </summary>
    public AuthenticatedUser? User { get; }

    /// <summary>Everything that the peer has proven.</summary>
    public PeerProofs Proofs => (Path.IsEmpty ? PeerProofs.None : PeerProofs.Certificate) | (User?.Proofs ?? PeerProofs.None) | ServerProofs;

    /// <summary>
    /// Whether people have compared the peer's key over another channel (<see cref="KnownPeerStore.VerifyAsync"/>): false for a key that was only
    /// met,
    /// null where an authority vouches for the peer, or it showed no certificate.
    /// </summary>
    /// <remarks>The answer is that of the moment, of the store: a key that is verified while the connection is open is verified here too.</remarks>
    public bool? IsKeyVerified => Path.IsEmpty ? null : Trust?.IsKeyVerified(Path[0]);

    /// <summary>What the path was found with.</summary>
    internal ITrustSource? Trust { get; init; }

    /// <summary>The part that the peer plays.</summary>
    public PeerRole Role => Evidence.Role;

    /// <summary>The peer's address; null when the transport has none.</summary>
    public EndPoint? RemoteEndPoint => Evidence.RemoteEndPoint;

    /// <summary>All that the peer showed.</summary>
    public PeerEvidence Evidence { get; }

    /// <summary>What a server proved beyond its certificate while we logged in.</summary>
    private PeerProofs ServerProofs { get; init; }

    /// <summary>The same facts as the framework's principal: one identity for the certificate, one for the user, as far as there are both.</summary>
    /// <remarks>
    /// The user, where there is one, comes first and is <see cref="ClaimsPrincipal.Identity"/>. Its name is the one that it acts as.
    /// <see cref="ClaimTypes.Thumbprint"/> is the certificate's SHA-256, as everywhere in this library; ASP.NET's certificate scheme puts SHA-1
    /// there.
    /// </remarks>
    public ClaimsPrincipal ToClaimsPrincipal()
    {
        var identities = new List<ClaimsIdentity>(2);
        if (User is { } user)
        {
            Claim[] own =
                [
                    new(ClaimTypes.Name, user.ActsAs),
                    new(ClaimTypes.NameIdentifier, user.Name),
                    .. user.Mechanisms.Select(mechanism => new Claim(ClaimTypes.AuthenticationMethod, mechanism)),
                ];
            identities.Add(
                new ClaimsIdentity(
                    [
                        .. own,
                        .. user.Claims.Where(
                            claim => claim.Type is not (ClaimTypes.Name or ClaimTypes.NameIdentifier or ClaimTypes.AuthenticationMethod)),
                    ],
                    user.Mechanism));
        }

        if (Certificate is { } certificate)
        {
            var claims = new List<Claim>
            { new(ClaimTypes.Name, Name), new(
                ClaimTypes.X500DistinguishedName, certificate.Subject.ToString()!), new(ClaimTypes.Thumbprint, certificate.Thumbprint) };
            foreach (var name in PeerNames.AllOf(certificate))
            {
                if (ClaimTypeOf(name.Kind) is { } type)
                {
                    claims.Add(new Claim(type, name.Value));
                }
            }

            identities.Add(new ClaimsIdentity(claims, "X509"));
        }

        return new ClaimsPrincipal(identities);
    }

    /// <summary>The peer's name, its user where one has logged in, and its address where it has one.</summary>
    public override string ToString()
    {
        var user = User is { } known ? $", user {known}" : string.Empty;
        return Errors.EndPointText.Of(RemoteEndPoint) is { } address ? $"{Name}{user} at {address}" : $"{Name}{user}";
    }

    /// <summary>The same peer, and the user that it proved to be.</summary>
    internal static AuthenticatedPeer WithUser(AuthenticatedPeer? certified, PeerEvidence evidence, AuthenticatedUser user) =>
        certified is null
            ? new AuthenticatedPeer(evidence, [], null, user, null)
            : new AuthenticatedPeer(certified.Evidence, certified.Path, certified.SpiffeId, user, certified.ProvenName) { Trust = certified.Trust };

    /// <summary>The same peer with its user as of another login.</summary>
    internal AuthenticatedPeer WithUser(AuthenticatedUser user) =>
        new(Evidence, Path, SpiffeId, user, ProvenName) { ServerProofs = ServerProofs, Trust = Trust };

    /// <summary>The peer as its certificate shows it, without the user; null when it showed none.</summary>
    internal AuthenticatedPeer? WithoutUser() =>
        Path.IsEmpty ? null : new AuthenticatedPeer(Evidence, Path, SpiffeId, null, ProvenName) { Trust = Trust };

    /// <summary>The same server, and what it proved while we logged in.</summary>
    internal AuthenticatedPeer WithServerProofs(PeerProofs proofs) =>
        new(Evidence, Path, SpiffeId, User, ProvenName) { ServerProofs = proofs, Trust = Trust };

    private static string? ClaimTypeOf(PeerNameKind kind) => kind switch
    {
        PeerNameKind.Dns => ClaimTypes.Dns,
        PeerNameKind.Uri or PeerNameKind.SpiffeId => ClaimTypes.Uri,
        PeerNameKind.Email => ClaimTypes.Email,
        PeerNameKind.UserPrincipalName => ClaimTypes.Upn,
        _ => null,
    };
}
