using System.Collections.Immutable;

namespace MutualAuth.Credentials;

/// <summary>What a login, or a step-up, must prove: factors, all of them or alternatives.</summary>
/// <remarks>
/// <para>The kinds of factors. Knowledge: <see cref="PeerProofs.Password"/>, <see cref="PeerProofs.Kerberos"/>. Possession:
/// <see cref="PeerProofs.OneTimeCode"/>, <see cref="PeerProofs.Passkey"/>;
/// <see cref="PeerProofs.Certificate"/> only in <see cref="TwoKindsCountingCertificate"/>, because a certificate often is that of a device, and
/// <see cref="PeerProofs.RecoveryCode"/> only in <see cref="TwoKindsCountingRecoveryCode"/>, because it recovers an account (NIST SP 800-63B-4 §4.2)
/// and a copy of the paper does too.
/// <see cref="PeerProofs.UserVerification"/> is knowledge or inherence, the authenticator does not say which: it is a second kind beside
/// possession, and not beside knowledge. <see cref="PeerProofs.Token"/> and <see cref="PeerProofs.Other"/> are of no kind: only their issuer
/// knows what was shown. Nor is <see cref="PeerProofs.ReconnectCredential"/>: what it stands for is named beside it.</para>
/// <para>Immutable and safe to share.</para>
/// </remarks>
/// <example>
/// <code>
/// var policy = Require.User(SaslServer.Scram(store)) with
/// {
///     SecondFactors = [oneTimeCodes],
///     LoginFactors = FactorRequirement.Proofs(PeerProofs.Password | PeerProofs.OneTimeCode),
/// };
/// </code>
/// </example>
public sealed class FactorRequirement
{
    private const PeerProofs All = PeerProofs.Certificate | PeerProofs.Password | PeerProofs.Token | PeerProofs.ChannelBinding | PeerProofs.Other
        | PeerProofs.OneTimeCode | PeerProofs.Passkey | PeerProofs.UserVerification | PeerProofs.RecoveryCode | PeerProofs.Kerberos
        | PeerProofs.ReconnectCredential;

    private const PeerProofs Possessions = PeerProofs.OneTimeCode | PeerProofs.Passkey;

    private readonly Func<PeerProofs, bool> _isMet;
    private readonly string _sentence;

    private FactorRequirement(string sentence, Func<PeerProofs, bool> isMet)
    {
        _sentence = sentence;
        _isMet = isMet;
    }

    /// <summary>Any one exchange that succeeds. The default.</summary>
    public static FactorRequirement Any { get; } = new("any one factor", static _ => true);

    /// <summary>
    /// Two different kinds: possession, and beside it knowledge or the user verification of an authenticator. Neither the certificate nor a recovery
    /// code counts.
    /// </summary>
    public static FactorRequirement TwoKinds { get; } = new("two kinds of factors", static proofs => AreTwoKinds(proofs, PeerProofs.None));

    /// <summary>
    /// Two different kinds, where the client's accepted certificate counts as possession. Only for certificates that are the user's, which
    /// a rule such as <see cref="UserRules.NamedByTheirCertificate"/> or <see cref="UserRules.OfDevice"/> must say.
    /// </summary>
    public static FactorRequirement TwoKindsCountingCertificate { get; } =
        new("two kinds of factors, of which the certificate may be one", static proofs => AreTwoKinds(proofs, PeerProofs.Certificate));

    /// <summary>
    /// Two different kinds, where a recovery code counts as possession, as a look-up secret does (NIST SP 800-63B-4 §3.1.2). It is not strong
    /// customer authentication: supervisors of payments do not take a printed list for possession (EBA-Op-2019-06). To let users recover an account
    /// and nothing else, ask <see cref="AuthenticatedPeer.Proofs"/> for <see cref="PeerProofs.RecoveryCode"/> after the login.
    /// </summary>
    public static FactorRequirement TwoKindsCountingRecoveryCode { get; } =
        new("two kinds of factors, of which a recovery code may be one", static proofs => AreTwoKinds(proofs, PeerProofs.RecoveryCode));

    /// <summary>All of these proofs.</summary>
    /// <param name="proofs">The proofs, such as <c>PeerProofs.Password | PeerProofs.OneTimeCode</c>.</param>
    /// <exception cref="ArgumentException"><paramref name="proofs"/> is <see cref="PeerProofs.None"/>, or has a bit that is no proof.</exception>
    public static FactorRequirement Proofs(PeerProofs proofs) => proofs == PeerProofs.None || (proofs & ~All) != 0
        ? throw new ArgumentException($"Expected at least one proof, and none that does not exist; got {proofs}.", nameof(proofs))
        : new FactorRequirement(proofs.ToString().Replace(", ", " and ", StringComparison.Ordinal), shown => (shown & proofs) == proofs);

    /// <summary>At least one of these: a passkey, or a one-time code, or a recovery code.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="requirements"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="requirements"/> is empty, or holds a null.</exception>
    public static FactorRequirement AnyOf(params IEnumerable<FactorRequirement> requirements)
    {
        var all = Checked(requirements);
        return new FactorRequirement(Join(all, " or "), shown => all.Any(requirement => requirement.IsMetBy(shown)));
    }

    /// <summary>Every one of these.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="requirements"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="requirements"/> is empty, or holds a null.</exception>
    public static FactorRequirement AllOf(params IEnumerable<FactorRequirement> requirements)
    {
        var all = Checked(requirements);
        return new FactorRequirement(Join(all, " and "), shown => all.All(requirement => requirement.IsMetBy(shown)));
    }

    /// <summary>Whether these proofs are enough.</summary>
    public bool IsMetBy(PeerProofs proofs) => _isMet(proofs);

    /// <summary>The kinds of the factors among these proofs. User verification adds <see cref="AuthenticationFactors.None"/> by itself.</summary>
    /// <remarks>
    /// The certificate and a recovery code are not counted; see <see cref="TwoKindsCountingCertificate"/> and
    /// <see cref="TwoKindsCountingRecoveryCode"/>.
    /// </remarks>
    /// <param name="proofs">What was proven.</param>
    public static AuthenticationFactors KindsOf(PeerProofs proofs) =>
        ((proofs & (PeerProofs.Password | PeerProofs.Kerberos)) != 0 ? AuthenticationFactors.Knowledge : AuthenticationFactors.None)
        | ((proofs & Possessions) != 0 ? AuthenticationFactors.Possession : AuthenticationFactors.None);

    /// <summary>The requirement as a phrase, fit for a log.</summary>
    public override string ToString() => _sentence;

    /// <summary>Whether it can be met from these proofs with at most so many further exchanges.</summary>
    internal bool CanBeMet(PeerProofs shown, ImmutableArray<PeerProofs> further, int exchanges) =>
        IsMetBy(shown) || (exchanges > 0 && further.Any(more => (more & ~shown) != 0 && CanBeMet(shown | more, further, exchanges - 1)));

    /// <summary>
    /// Whether a candidate helps: with it, and at most so many others, it is met, and with those others alone it is not.
    /// </summary>
    internal bool IsHelpedBy(PeerProofs candidate, PeerProofs shown, ImmutableArray<PeerProofs> others, int exchanges) => !IsMetBy(shown)
        && (IsMetBy(shown | candidate)
            || (exchanges > 0 && others.Any(more => (more & ~shown) != 0 && IsHelpedBy(candidate, shown | more, others, exchanges - 1))));

    /// <param name="proofs">What was proven.</param>
    /// <param name="counted">What counts as possession besides.</param>
    private static bool AreTwoKinds(PeerProofs proofs, PeerProofs counted) =>
        (proofs & (Possessions | counted)) != 0
        && (KindsOf(proofs).HasFlag(AuthenticationFactors.Knowledge) || proofs.HasFlag(PeerProofs.UserVerification));

    private static ImmutableArray<FactorRequirement> Checked(IEnumerable<FactorRequirement> requirements)
    {
        ArgumentNullException.ThrowIfNull(requirements);
        ImmutableArray<FactorRequirement> all = [.. requirements];
        return all.IsEmpty || all.Any(requirement => requirement is null)
            ? throw new ArgumentException("Expected at least one requirement and no null.", nameof(requirements))
            : all;
    }

    private static string Join(ImmutableArray<FactorRequirement> all, string word) =>
        all.Length == 1 ? all[0]._sentence : $"({string.Join(word, all.Select(requirement => requirement._sentence))})";
}
