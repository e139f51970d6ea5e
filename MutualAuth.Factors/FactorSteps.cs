using MutualAuth.Credentials;

namespace MutualAuth.Factors;

/// <summary>What all second factors have in common.</summary>
internal static class FactorSteps
{
    /// <summary>How often a factor that changed in between is read again.</summary>
    internal const int MaxAttempts = 4;

    /// <summary>The most factors of one kind of one user that are examined: each costs something.</summary>
    internal const int MaxFactors = 8;

    internal static SaslServerStep NobodyYet() => SaslServerStep.Fail(new Rejection(
        RejectionReason.CredentialProtocolViolated, "an earlier exchange of the same login that proves a user", "none")
    { Hint = "A second factor belongs into SecondFactors of the policy, and not among its first mechanisms." });

    internal static SaslServerStep NotEnrolled(string user, string what) => SaslServerStep.Fail(new Rejection(
        RejectionReason.SecondFactorMissing, what, $"{user}, who has none")
    { Hint = "Register the factor for the user first, or let the policy accept another." });

    internal static SaslServerStep Malformed(string expected, int length, string rule) => SaslServerStep.Fail(new Rejection(
        RejectionReason.CredentialProtocolViolated, expected, $"{length} octets of something else")
    { Rule = rule });
}
