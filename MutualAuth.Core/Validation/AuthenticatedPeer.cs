using System.Collections.Immutable;
using System.Net;
using System.Security.Claims;
using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Evidence;
using MutualAuth.Names;

namespace MutualAuth.Validation;

/// <summary>A peer that was accepted, with everything that it has proven. Only the certificate stage and the credential stage make one.</summary>
/// <remarks>Immutable, safe to share, and usable after the connection is gone.</remarks>
public sealed class AuthenticatedPeer
{
    private AuthenticatedPeer(PeerEvidence evidence, ImmutableArray<Certificate> path, SpiffeId? spiffeId, AuthenticatedUser? user)
    {
        Evidence = evidence;
        Path = path;
        SpiffeId = spiffeId;
        User = user;
        Name = path.IsEmpty ? "user:" + PeerText.PercentEncode(user!.Name) : PeerName.Of(path[0]);
    }

    internal AuthenticatedPeer(PeerEvidence evidence, ImmutableArray<Certificate> path, SpiffeId? spiffeId)
        : this(evidence, path, spiffeId, null)
    {
    }

    /// <summary>
    /// What the peer calls itself and has proven, as one safe token: the SPIFFE ID of its certificate, else its first DNS name, else its subject, percent-encoded.
    /// Without a certificate, <c>user:</c> and the user's name, which no name of a certificate can be mistaken for.
    /// </summary>
    public string Name { get; }

    /// <summary>The peer's own certificate; null when it showed none and logged in instead.</summary>
    public Certificate? Certificate => Path.IsEmpty ? null : Path[0];

    /// <summary>The verified path: the peer's certificate first, the trust anchor last; empty when it showed no certificate.</summary>
    public ImmutableArray<Certificate> Path { get; }

    /// <summary>The SPIFFE ID, when the certificate is a valid X.509-SVID; otherwise null.</summary>
    public SpiffeId? SpiffeId { get; }

    /// <summary>The user that logged in; null when nobody did. On a client, the server's <see cref="Proofs"/> say whether it knew our verifier.</summary>
    public AuthenticatedUser? User { get; }

    /// <summary>Everything that the peer has proven.</summary>
    public PeerProofs Proofs => (Path.IsEmpty ? PeerProofs.None : PeerProofs.Certificate) | (User?.Proofs ?? PeerProofs.None) | ServerProofs;

    /// <summary>The part that the peer plays.</summary>
    public PeerRole Role => Evidence.Role;

    /// <summary>The peer's address; null when the transport has none.</summary>
    public EndPoint? RemoteEndPoint => Evidence.RemoteEndPoint;

    /// <summary>All that the peer showed.</summary>
    public PeerEvidence Evidence { get; }

    /// <summary>What a server proved beyond its certificate while we logged in.</summary>
    private PeerProofs ServerProofs { get; init; }

    /// <summary>The same facts as the framework's principal: one identity for the certificate, one for the user, as far as there are both.</summary>
    /// <remarks>The user, where there is one, comes first and is <see cref="ClaimsPrincipal.Identity"/>. Its name is the one that it acts as.</remarks>
    public ClaimsPrincipal ToClaimsPrincipal()
    {
        var identities = new List<ClaimsIdentity>(2);
        if (User is { } user)
        {
            Claim[] own = [new(ClaimTypes.Name, user.ActsAs), new(ClaimTypes.NameIdentifier, user.Name), new(ClaimTypes.AuthenticationMethod, user.Mechanism)];
            identities.Add(new ClaimsIdentity([.. own, .. user.Claims.Where(claim => claim.Type is not (ClaimTypes.Name or ClaimTypes.NameIdentifier or ClaimTypes.AuthenticationMethod))], user.Mechanism));
        }

        if (Certificate is { } certificate)
        {
            var claims = new List<Claim> { new(ClaimTypes.Name, Name), new(ClaimTypes.X500DistinguishedName, certificate.Subject.ToString()!), new(ClaimTypes.Thumbprint, certificate.Thumbprint) };
            claims.AddRange(certificate.DnsNames.Select(dns => new Claim(ClaimTypes.Dns, dns)));
            claims.AddRange(certificate.Uris.Select(uri => new Claim(ClaimTypes.Uri, uri)));
            claims.AddRange(certificate.EmailAddresses.Select(email => new Claim(ClaimTypes.Email, email)));
            identities.Add(new ClaimsIdentity(claims, "X509"));
        }

        return new ClaimsPrincipal(identities);
    }

    /// <summary>The same peer, and the user that it proved to be.</summary>
    internal static AuthenticatedPeer WithUser(AuthenticatedPeer? certified, PeerEvidence evidence, AuthenticatedUser user) =>
        certified is null ? new AuthenticatedPeer(evidence, [], null, user) : new AuthenticatedPeer(certified.Evidence, certified.Path, certified.SpiffeId, user);

    /// <summary>The same server, and what it proved while we logged in.</summary>
    internal AuthenticatedPeer WithServerProofs(PeerProofs proofs) => new(Evidence, Path, SpiffeId, User) { ServerProofs = proofs };
}
