using MutualAuth.Hosting.Binding;
using MutualAuth.Paths;

namespace MutualAuth.Hosting;

/// <summary>Constraints on every authority of <see cref="MutualTlsSettings.Trust"/>, as <see cref="AnchorConstraints"/> has them.</summary>
/// <remarks>Set it before the host starts; it is not safe for use from many threads.</remarks>
public sealed class TrustConstraintsSettings
{
    /// <summary>The names that certificates may have, in the grammar of <see cref="GeneralSubtree.Parse"/>. Default: none, every name.</summary>
    public IList<string> PermittedNames { get; } = [];

    /// <summary>The names that no certificate may have, in the same grammar. Default: none.</summary>
    public IList<string> ExcludedNames { get; } = [];

    /// <summary>The policies of which one must be valid for the whole path. Default: none, no policy is needed.</summary>
    public IList<string> RequiredPolicies { get; } = [];

    /// <summary>Whether some policy must be valid for the whole path. Default: false.</summary>
    public bool RequireExplicitPolicy { get; set; }

    /// <summary>Whether no policy may be mapped to another. Default: false.</summary>
    public bool InhibitPolicyMapping { get; set; }

    /// <summary>Whether anyPolicy counts for nothing. Default: false.</summary>
    public bool InhibitAnyPolicy { get; set; }

    /// <summary>How many authorities may be between the peer and the anchor; 0 to 32. Default: null, as many as without constraints.</summary>
    public int? MaximumIntermediates { get; set; }

    internal void Bind(SectionReader section)
    {
        section.Texts(nameof(PermittedNames), PermittedNames);
        section.Texts(nameof(ExcludedNames), ExcludedNames);
        section.Texts(nameof(RequiredPolicies), RequiredPolicies);
        section.Flag(nameof(RequireExplicitPolicy), value => RequireExplicitPolicy = value);
        section.Flag(nameof(InhibitPolicyMapping), value => InhibitPolicyMapping = value);
        section.Flag(nameof(InhibitAnyPolicy), value => InhibitAnyPolicy = value);
        section.Number(nameof(MaximumIntermediates), value => MaximumIntermediates = value);
    }

    /// <exception cref="FormatException">A name is not one.</exception>
    /// <exception cref="ArgumentException">A policy or the number is not valid.</exception>
    internal AnchorConstraints Read() => new()
    {
        PermittedSubtrees = [.. PermittedNames.Select(GeneralSubtree.Parse)],
        ExcludedSubtrees = [.. ExcludedNames.Select(GeneralSubtree.Parse)],
        RequiredPolicies = [.. RequiredPolicies],
        RequireExplicitPolicy = RequireExplicitPolicy,
        InhibitPolicyMapping = InhibitPolicyMapping,
        InhibitAnyPolicy = InhibitAnyPolicy,
        MaximumIntermediates = MaximumIntermediates,
    };

    /// <summary>Everything that it says, to compare.</summary>
    public override string ToString() => string.Join(
        '|',
        string.Join(',', PermittedNames),
        string.Join(',', ExcludedNames),
        string.Join(',', RequiredPolicies),
        RequireExplicitPolicy,
        InhibitPolicyMapping,
        InhibitAnyPolicy,
        MaximumIntermediates);
}
