using System.Collections.Immutable;
using MutualAuth.Tokens.Keys;

namespace MutualAuth.Tokens;

/// <summary>Which JWT-SVIDs are accepted (SPIFFE JWT-SVID).</summary>
/// <remarks>Immutable. The constructor that takes the options reports every problem at once.</remarks>
public sealed record JwtSvidValidatorOptions
{
    /// <summary>Our names as tokens have them (<c>aud</c>). A token must name one of them, letter for letter.</summary>
    public required ImmutableArray<string> Audiences { get; init; }

    /// <summary>The keys of the trust domains, such as <c>JwtSource</c> of <c>MutualAuth.Spiffe</c>. The caller disposes of them.</summary>
    public required IJwtBundleSource Bundles { get; init; }

    /// <summary>
    /// Which workloads are accepted. That a trust domain has a bundle says only that its tokens are genuine, and never that its workloads may come
    /// in.
    /// </summary>
    public required WorkloadRule Workloads { get; init; }

    /// <summary>
    /// The algorithms that are accepted (SPIFFE JWT-SVID §2.1). Default: ES256, ES384, ES512, PS256, PS384, PS512, RS256, RS384 and RS512, which are
    /// also all that may be named.
    /// </summary>
    public ImmutableArray<string> Algorithms { get; init; } = SignedToken.KnownAlgorithms;

    /// <summary>
    /// How old a token may be by its <c>iat</c>; one without must end within this time. Default: a day; one minute to a year. The standard sets no
    /// bound.
    /// </summary>
    public TimeSpan MaxTokenAge { get; init; } = TimeSpan.FromDays(1);

    /// <summary>
    /// How far the clock of the trust domain and ours may differ. Default: a minute; at most five. A token is accepted for so long after its
    /// <c>exp</c>, and its connections end then and not before.
    /// </summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The clock. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    internal IEnumerable<string> Problems()
    {
        foreach (var problem in ToPolicy().Problems())
        {
            yield return problem;
        }

        if (Bundles is null || Workloads is null)
        {
            yield return $"{nameof(Bundles)} and {nameof(Workloads)} must not be null.";
        }

        if (Algorithms.IsDefaultOrEmpty || !Algorithms.All(SignedToken.KnownAlgorithms.Contains))
        {
            yield return $"{nameof(Algorithms)} must hold at least one of {string.Join(", ", SignedToken.KnownAlgorithms)}, and nothing else.";
        }

        if (MaxTokenAge < TimeSpan.FromMinutes(1) || MaxTokenAge > TimeSpan.FromDays(366))
        {
            yield return $"{nameof(MaxTokenAge)} must be between one minute and 366 days; it is {MaxTokenAge}.";
        }
    }

    internal SvidPolicy ToPolicy() => new() { Audiences = Audiences, ClockSkew = ClockSkew, TimeProvider = TimeProvider };

    /// <summary>What every token must say, as for those of other issuers.</summary>
    internal sealed record SvidPolicy : TokenPolicy
    {
        internal IEnumerable<string> Problems() => PolicyProblems();
    }
}
