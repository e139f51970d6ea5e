using System.Collections.Immutable;
using MutualAuth.Asn1;
using MutualAuth.Certificates;

namespace MutualAuth.Paths;

/// <summary>Processes certificate policies over a whole path (RFC 5280 §6.1 as RFC 9618 updates it).</summary>
internal sealed class PolicyRules
{
    private static readonly string s_anyPolicy = Convert.ToHexString(Oids.AnyPolicy);

    private readonly PolicyGraph _graph = new(s_anyPolicy);
    private readonly List<ImmutableArray<string>> _wanted;
    private int _explicitPolicy;
    private int _policyMapping;
    private int _inhibitAnyPolicy;

    private PolicyRules(int length, ImmutableArray<AnchorConstraints> constraints, ValidationProfile profile)
    {
        _wanted = [.. constraints.Select(one => one.RequiredPolicies).Append(profile.RequiredPolicies).Where(policies => !policies.IsEmpty)];
        _explicitPolicy = IsPolicyNeeded(constraints, profile) ? 0 : length + 1;
        _policyMapping = constraints.Any(one => one.InhibitPolicyMapping) ? 0 : length + 1;
        _inhibitAnyPolicy = constraints.Any(one => one.InhibitAnyPolicy) ? 0 : length + 1;
    }

    /// <summary>The objection to the policies of the path, the peer first and the anchor last; null when there is none.</summary>
    /// <param name="path">The path.</param>
    /// <param name="constraints">The operator's constraints on the anchor.</param>
    /// <param name="profile">The profile.</param>
    /// <param name="memory">The policies of the last paths.</param>
    /// <param name="policies">The policies that are valid for the path (user_constrained_policy_set), as dotted identifiers.</param>
    internal static Rejection? Examine(
        ReadOnlySpan<Certificate> path, ImmutableArray<AnchorConstraints> constraints, ValidationProfile profile, PolicyMemory memory,
        out ImmutableArray<string> policies)
    {
        policies = [];
        var length = path.Length - 1;
        if (length > 0 && memory.TryFind(path, constraints, out policies))
        {
            return null;
        }

        var isNeeded = IsPolicyNeeded(constraints, profile);
        if (length == 0)
        {
            return isNeeded
                ? Refuse(path[0], PathPosition.Leaf, "an anchor's own certificate, which no authority has certified")
                : null;
        }

        // Most private authorities use no policies, and then none of this applies.
        if (!isNeeded && !Matters(path))
        {
            return null;
        }

        var rules = new PolicyRules(length, constraints, profile);
        for (var i = length - 1; i >= 0; i--)
        {
            if (rules.Process(path[i], isLast: i == 0) is { } problem)
            {
                return Refuse(path[i], i == 0 ? PathPosition.Leaf : PathPosition.Intermediate, problem);
            }
        }

        var objection = rules.Conclude(path[0], out policies);
        if (objection is null)
        {
            memory.Keep(path, constraints, policies);
        }

        return objection;
    }

    /// <summary>Whether the operator asks for a policy of the whole path.</summary>
    private static bool IsPolicyNeeded(ImmutableArray<AnchorConstraints> constraints, ValidationProfile profile)
    {
        foreach (var one in constraints)
        {
            if (one.RequireExplicitPolicy || !one.RequiredPolicies.IsEmpty)
            {
                return true;
            }
        }

        return !profile.RequiredPolicies.IsEmpty;
    }

    private static bool Matters(ReadOnlySpan<Certificate> path)
    {
        if (path[0].Extensions.Has(KnownExtension.CertificatePolicies))
        {
            return true;
        }

        for (var i = 0; i < path.Length - 1; i++)
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
    private Rejection? Conclude(Certificate leaf, out ImmutableArray<string> policies)
    {
        _explicitPolicy = Math.Max(0, _explicitPolicy - 1);
        if (leaf.Extensions.Policies.RequireExplicitPolicy == 0)
        {
            _explicitPolicy = 0;
        }

        policies = [.. UserConstrained().Select(policy => Oids.ToDotted(Convert.FromHexString(policy))).Order(StringComparer.Ordinal)];
        return _explicitPolicy > 0 || !policies.IsEmpty
            ? null
            : Refuse(
                leaf,
                PathPosition.Leaf,
                "none that is valid for the whole path",
                _wanted.Count == 0 ? null : string.Join(" and ", _wanted.Select(policies => string.Join(" or ", policies))));
    }

    /// <summary>RFC 9618 §5: of what the authorities allow, what the operator wants. Each set of wanted policies narrows it.</summary>
    private HashSet<string> UserConstrained()
    {
        var valid = _graph.AuthorityConstrained();
        foreach (var dotted in _wanted)
        {
            var wanted = dotted.Select(policy => Convert.ToHexString(Oids.FromDotted(policy)!)).ToHashSet(StringComparer.Ordinal);

            // RFC 5280 §6.1.1 (c): anyPolicy among the wanted ones means that any policy is acceptable.
            if (wanted.Contains(s_anyPolicy))
            {
                continue;
            }

            if (valid.Contains(s_anyPolicy))
            {
                valid = wanted;
            }
            else
            {
                valid.IntersectWith(wanted);
            }
        }

        return valid;
    }

    private static Rejection Refuse(Certificate certificate, PathPosition position, string presented, string? expected = null) => PathRejection.Make(
        RejectionReason.PolicyRequired,
        certificate,
        position,
        "RFC 5280 §6.1, RFC 9618",
        $"the certificate policy {expected ?? "that the path requires"}",
        presented);
}
