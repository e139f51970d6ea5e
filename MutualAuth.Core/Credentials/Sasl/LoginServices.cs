using System.Security.Cryptography;

namespace MutualAuth.Credentials;

/// <summary>
/// The state that all logins of one server share, some of it with all servers over one store: the limiter, the bound on key derivations,
/// the known login addresses, and the failure counts.
/// </summary>
internal sealed class LoginServices
{
    internal LoginServices(CredentialPolicy policy, TimeProvider time)
        : this(policy, new SharedLoginState(time), time)
    {
    }

    private LoginServices(CredentialPolicy policy, SharedLoginState counts, TimeProvider time)
    {
        Time = time;
        Limits = FailureLimits.Of(policy.MaxConsecutiveFailures, policy.LockOut, time);
        Limiter = policy.AttemptLimiter ?? counts.Limiter;
        Store = SharedLoginState.StoreOf(policy);
        Familiar = counts.Familiar;
        Failures = counts.Failures;
        KeyDerivation = new KeyDerivation(policy.MaxConcurrentKeyDerivations, policy.MaxWaitingKeyDerivations, policy.MaxKeyDerivationsPerAddress);
        Checks = new BlockingCallThreads(policy.MaxConcurrentChecks);
        NeverBlocks = Limiter is INeverBlocks
            && policy.MayActAs is null
            && !policy.Users.CallsApplication
            && policy.SecondFactors.All(mechanism => mechanism is INeverBlocks);
        Decoys = new ScramDecoys(
            policy.DecoySecret.IsDefaultOrEmpty ? RandomNumberGenerator.GetBytes(32) : [.. policy.DecoySecret], policy.DecoyIterations);
    }

    internal IAttemptLimiter Limiter { get; }

    internal KeyDerivation KeyDerivation { get; }

    /// <summary>Runs calls that may block their thread.</summary>
    internal BlockingCallThreads Checks { get; }

    /// <summary>
    /// Whether all that a step of a login asks, beside the exchange itself and the stores, answers from memory. Then the step needs no thread that it
    /// may hold.
    /// </summary>
    internal bool NeverBlocks { get; }

    internal ScramDecoys Decoys { get; }

    /// <summary>The first store that the policy's passwords are checked against; null where there is none.</summary>
    internal ICredentialStore? Store { get; }

    internal KnownLoginAddresses Familiar { get; }

    internal ConsecutiveFailures Failures { get; }

    /// <summary>How many failures in a row there may be, and who is told.</summary>
    internal FailureLimits Limits { get; }

    internal TimeProvider Time { get; }

    /// <summary>The services of one of the servers over the policy's store: they count together.</summary>
    internal static LoginServices OverStore(CredentialPolicy policy, TimeProvider time) =>
        new(policy, SharedLoginState.Of(policy, time), time);
}
