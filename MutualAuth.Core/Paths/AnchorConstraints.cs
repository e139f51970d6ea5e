using System.Collections.Immutable;
using MutualAuth.Asn1;
using MutualAuth.Certificates;
using MutualAuth.Collections;

namespace MutualAuth.Paths;

/// <summary>
/// What the operator allows below a trust anchor, whatever the anchor's own certificate says: the inputs of path validation (RFC 5280 §6.1.1) that
/// RFC 5937 §3.2 takes from the anchor.
/// </summary>
/// <remarks>
/// Everything narrows: it holds beside the constraints in certificates, and beside <see cref="ValidationProfile"/>. A property throws when it is set
/// to what is not valid. Immutable and safe to share. Give it to <see cref="TrustAnchors.WithConstraints"/>.
/// </remarks>
/// <example>
/// <code>
/// var partner = TrustAnchors.FromPemFiles("partner.pem").WithConstraints(new AnchorConstraints
/// {
///     PermittedSubtrees = [GeneralSubtree.Dns("partner.example"), GeneralSubtree.Uri("partner.example")],
///     MaximumIntermediates = 1,
/// });
/// </code>
/// </example>
public sealed record AnchorConstraints
{
    private EquatableArray<GeneralSubtree> _permitted = new([]);
    private EquatableArray<GeneralSubtree> _excluded = new([]);
    private EquatableArray<string> _requiredPolicies = new([]);

    /// <summary>
    /// The names that certificates may have (initial-permitted-subtrees): where there is a subtree of a form, each name of that form must be in one
    /// of them. Default: none, every name. Names of a form without a subtree are not constrained.
    /// </summary>
    /// <exception cref="ArgumentException">It holds null.</exception>
    public ImmutableArray<GeneralSubtree> PermittedSubtrees
    {
        get => _permitted.Items;
        init => _permitted = Checked(value);
    }

    /// <summary>The names that no certificate may have (initial-excluded-subtrees). Default: none.</summary>
    /// <exception cref="ArgumentException">It holds null.</exception>
    public ImmutableArray<GeneralSubtree> ExcludedSubtrees
    {
        get => _excluded.Items;
        init => _excluded = Checked(value);
    }

    /// <summary>
    /// The certificate policies, as dotted identifiers, of which one must be valid for the whole path (user-initial-policy-set). Where the profile
    /// names policies too, one must be in both. Default: none, no policy is needed.
    /// </summary>
    /// <exception cref="ArgumentException">One of them is not a dotted object identifier.</exception>
    public ImmutableArray<string> RequiredPolicies
    {
        get => _requiredPolicies.Items;
        init => _requiredPolicies = !value.IsDefault && value.All(policy => Oids.FromDotted(policy) is not null)
            ? new(value)
            : throw new ArgumentException("A certificate policy is a dotted object identifier, such as 1.3.6.1.4.1.99999.1.", nameof(value));
    }

    /// <summary>Whether some policy must be valid for the whole path (initial-explicit-policy). Default: false.</summary>
    public bool RequireExplicitPolicy { get; init; }

    /// <summary>Whether no policy may be mapped to another (initial-policy-mapping-inhibit). Default: false.</summary>
    public bool InhibitPolicyMapping { get; init; }

    /// <summary>Whether anyPolicy in a certificate counts for no policy (initial-any-policy-inhibit). Default: false.</summary>
    public bool InhibitAnyPolicy { get; init; }

    /// <summary>
    /// How many authorities may be between the peer and the anchor; self-issued ones do not count. 0 to 32. Default: null, as the profile says.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside these bounds.</exception>
    public int? MaximumIntermediates
    {
        get;
        init => field = value is null or (>= 0 and <= 32) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "0 to 32, or null.");
    }

    /// <summary>The constraints on names in the form of a certificate; null when there are none.</summary>
    internal NameConstraintSet? Names => PermittedSubtrees.IsEmpty && ExcludedSubtrees.IsEmpty
        ? null
        : new([.. PermittedSubtrees.Select(subtree => subtree.Name)], [.. ExcludedSubtrees.Select(subtree => subtree.Name)]);

    private static EquatableArray<GeneralSubtree> Checked(ImmutableArray<GeneralSubtree> value) => !value.IsDefault && !value.Contains(null!)
        ? new(value)
        : throw new ArgumentException("Give subtrees, and no null.", nameof(value));
}
