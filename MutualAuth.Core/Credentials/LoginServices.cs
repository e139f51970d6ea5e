using System.Security.Cryptography;

namespace MutualAuth.Credentials;

/// <summary>What all logins of one server share: the limiter, the bound on key derivations, and who has been here before.</summary>
internal sealed class LoginServices
{
    internal LoginServices(CredentialPolicy policy, TimeProvider time)
    {
        Limiter = policy.AttemptLimiter ?? new BackoffAttemptLimiter(time);
        KeyDerivation = new KeyDerivation(policy.MaxConcurrentKeyDerivations, policy.MaxWaitingKeyDerivations, policy.MaxKeyDerivationsPerAddress);
        Decoys = new ScramDecoys(policy.DecoySecret.IsDefaultOrEmpty ? RandomNumberGenerator.GetBytes(32) : [.. policy.DecoySecret], policy.DecoyIterations);
    }

    internal IAttemptLimiter Limiter { get; }

    internal KeyDerivation KeyDerivation { get; }

    internal ScramDecoys Decoys { get; }

    internal FamiliarLogins Familiar { get; } = new();
}
