using MutualAuth.Asn1;
using MutualAuth.Reloading;

namespace MutualAuth.Authorization;

/// <summary>Accepts a peer for whose whole path a certificate policy is valid.</summary>
internal sealed class PolicyRule : AuthorizationRule
{
    private static readonly string s_anyPolicy = Oids.ToDotted(Oids.AnyPolicy);

    private readonly string _policy;

    /// <exception cref="FormatException">It is not a dotted object identifier.</exception>
    internal PolicyRule(string policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        _policy = Oids.FromDotted(policy) is { } octets
            ? Oids.ToDotted(octets)
            : throw new FormatException("A certificate policy is a dotted object identifier, such as 1.3.6.1.4.1.99999.1.");
    }

    public override string ToString() => $"a peer of the certificate policy {_policy}";

    internal override IEnumerable<IReloadable> Reloadables() => [];

    internal override Rejection? Examine(CertificateContext context, out PeerName? name)
    {
        name = null;
        return context.Policies.Contains(_policy) || context.Policies.Contains(s_anyPolicy)
            ? null
            : new Rejection(
                RejectionReason.NotAuthorized,
                $"the certificate policy {_policy}",
                context.Policies.IsEmpty ? "none that is valid for the whole path" : string.Join(", ", context.Policies.Take(8)))
            {
                Element = "leaf certificate",
                Rule = "RFC 5280 §6.1.6",
                Hint = "Every authority between the peer and the anchor must assert the policy too, or anyPolicy.",
            };
    }
}
