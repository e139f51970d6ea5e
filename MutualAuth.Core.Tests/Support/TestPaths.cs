using MutualAuth.Certificates;
using MutualAuth.Paths;
using MutualAuth.Testing;

namespace MutualAuth.Tests.Support;

/// <summary>Short ways from test certificates to the path validator.</summary>
internal static class TestPaths
{
    internal static Certificate Read(this TestCertificate certificate) => Certificate.Parse(certificate.RawCertificate);

    internal static Certificate Read(this TestAuthority authority) => authority.AsCertificate.Read();

    internal static TrustAnchors Trusting(params TestAuthority[] authorities) =>
        TrustAnchors.FromDer(authorities.Select(authority => authority.AsCertificate.RawCertificate));

    /// <summary>Validates a client with the chain that it would send.</summary>
    internal static PathResult Validate(TestCertificate leaf, TrustAnchors trust, ValidationProfile? profile = null, DateTimeOffset? at = null) =>
        Validate(leaf, leaf.RawChain.Select(der => Certificate.Parse(der)), trust, profile, at);

    /// <summary>Validates a client with other certificates than its own chain.</summary>
    internal static PathResult Validate(
        TestCertificate leaf, IEnumerable<Certificate> presented, TrustAnchors trust, ValidationProfile? profile = null, DateTimeOffset? at = null) =>
        new PathValidator(profile).Validate(leaf.Read(), [.. presented], trust, PeerRole.Client, at ?? TimeProvider.System.GetUtcNow());

    internal static RejectionReason? Reason(this PathResult result) => result.Rejection?.Reason;
}
