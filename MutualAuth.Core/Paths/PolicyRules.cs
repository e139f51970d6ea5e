using MutualAuth.Asn1;
using MutualAuth.Certificates;

namespace MutualAuth.Paths;

/// <summary>Processes certificate policies over a whole path (RFC 5280 §6.1 as RFC 9618 updates it).</summary>
internal sealed class PolicyRules
{
    private static readonly string s_anyPolicy = Convert.ToHexString(Oids.AnyPolicy);

    private readonly PolicyGraph _graph = new(s_anyPolicy);
    private int _explicitPolicy;
    private int _policyMapping;
    private int _inhibitAnyPolicy;

    private PolicyRules(int length, ValidationProfile profile)
    {
        _explicitPolicy = profile.RequiredPolicies.IsEmpty ? length + 1 : 0;
        _policyMapping = length + 1;
        _inhibitAnyPolicy = length + 1;
    }

    /// <summary>The objection to the policies of the path, the peer first and the anchor last; null when there is none.</summary>
    internal static Rejection? Examine(List<Certificate> path, ValidationProfile profile)
    {
        var length = path.Count - 1;
        if (length == 0)
        {
            return profile.RequiredPolicies.IsEmpty
                ? null
                : Refuse(path[0], PathPosition.Leaf, "an anchor's own certificate, which no authority has certified");
        }

        // Most private authorities use no policies, and then none of this applies.
        if (profile.RequiredPolicies.IsEmpty && !Matters(path))
        {
            return null;
        }

        var rules = new PolicyRules(length, profile);
        for (var i = length - 1; i >= 0; i--)
        {
            if (rules.Process(path[i], isLast: i == 0) is { } problem)
            {
                return Refuse(path[i], i == 0 ? PathPosition.Leaf : PathPosition.Intermediate, problem);
            }
        }

        return rules.Conclude(path[0], profile);
    }

    private static bool Matters(List<Certificate> path)
    {
        for (var i = 0; i < path.Count - 1; i++)
        {
            if (path[i].Extensions.Has(KnownExtension.PolicyConstraints | KnownExtension.PolicyMappings))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>§6.1.3 (d)–(f), and §6.1.4 for all certificates but the last.</summary>
    private string? Process(Certificate certificate, bool isLast)
    {
        var extensions = certificate.Extensions;
        if (extensions.Has(KnownExtension.CertificatePolicies))
        {
            var anyPolicyCounts = _inhibitAnyPolicy > 0 || (!isLast && certificate.IsSelfIssued);
            _graph.Descend(extensions.Policies.Policies, anyPolicyCounts);
        }
        else
        {
            _graph.Clear();
        }

        if (_explicitPolicy == 0 && _graph.IsEmpty)
        {
            return "no policy that the authorities above it allow";
        }

        return isLast ? null : Prepare(certificate);
    }

    private string? Prepare(Certificate certificate)
    {
        var policies = certificate.Extensions.Policies;
        foreach (var (issuerDomain, subjectDomain) in policies.Mappings)
        {
            if (issuerDomain == s_anyPolicy || subjectDomain == s_anyPolicy)
            {
                return "a policy mapping from or to anyPolicy (§4.2.1.5)";
            }
        }

        if (!policies.Mappings.IsEmpty)
        {
            _graph.Map(policies.Mappings, isAllowed: _policyMapping > 0);
        }

        if (!certificate.IsSelfIssued)
        {
            _explicitPolicy = Math.Max(0, _explicitPolicy - 1);
            _policyMapping = Math.Max(0, _policyMapping - 1);
            _inhibitAnyPolicy = Math.Max(0, _inhibitAnyPolicy - 1);
        }

        _explicitPolicy = Math.Min(_explicitPolicy, policies.RequireExplicitPolicy ?? int.MaxValue);
        _policyMapping = Math.Min(_policyMapping, policies.InhibitPolicyMapping ?? int.MaxValue);
        _inhibitAnyPolicy = Math.Min(_inhibitAnyPolicy, policies.InhibitAnyPolicy ?? int.MaxValue);
        return null;
    }

    /// <summary>§6.1.5 (a), (b), (g).</summary>
    private Rejection? Conclude(Certificate leaf, ValidationProfile profile)
    {
        _explicitPolicy = Math.Max(0, _explicitPolicy - 1);
        if (leaf.Extensions.Policies.RequireExplicitPolicy == 0)
        {
            _explicitPolicy = 0;
        }

        if (_explicitPolicy > 0)
        {
            return null;
        }

        var wanted = profile.RequiredPolicies.Select(policy => Convert.ToHexString(Oids.FromDotted(policy)!)).ToHashSet(StringComparer.Ordinal);
        return _graph.IsGoodFor(wanted)
            ? null
            : Refuse(
                leaf,
                PathPosition.Leaf,
                "none that is valid for the whole path",
                profile.RequiredPolicies.IsEmpty ? null : string.Join(" or ", profile.RequiredPolicies));
    }

    private static Rejection Refuse(Certificate certificate, PathPosition position, string presented, string? expected = null) => PathRejection.Make(
        RejectionReason.PolicyRequired,
        certificate,
        position,
        "RFC 5280 §6.1, RFC 9618",
        $"the certificate policy {expected ?? "that the path requires"}",
        presented);
}
