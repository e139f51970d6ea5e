using System.Runtime.CompilerServices;

namespace MutualAuth.Credentials;

/// <summary>
/// The state that all servers over one store, or over one verifier of passwords, share, by one clock: failure counts and known login addresses.
/// More servers do not allow more guesses.
/// </summary>
internal sealed class SharedLoginState(TimeProvider time)
{
    private static readonly ConditionalWeakTable<object, ConditionalWeakTable<TimeProvider, SharedLoginState>> s_bySource = new();

    internal BackoffAttemptLimiter Limiter { get; } = new(time);

    internal KnownLoginAddresses Familiar { get; } = new();

    internal ConsecutiveFailures Failures { get; } = new(time);

    /// <summary>Those of the first store or verifier that the policy's passwords are checked against; new ones where there is none.</summary>
    internal static SharedLoginState Of(CredentialPolicy policy, TimeProvider time) => SourceOf(policy) is { } source
        ? s_bySource.GetValue(source, static _ => new()).GetValue(time, static clock => new SharedLoginState(clock))
        : new SharedLoginState(time);

    private static object? SourceOf(CredentialPolicy policy) =>
        (object?)StoreOf(policy) ?? policy.Mechanisms.OfType<IUsesVerifier>().FirstOrDefault()?.Verifier;

    internal static ICredentialStore? StoreOf(CredentialPolicy policy) => policy.Mechanisms.OfType<IUsesStore>().FirstOrDefault()?.Store;
}

/// <summary>A mechanism that checks passwords against a store.</summary>
internal interface IUsesStore
{
    /// <summary>The store.</summary>
    ICredentialStore Store { get; }
}

/// <summary>A mechanism whose passwords a verifier of the application's checks.</summary>
internal interface IUsesVerifier
{
    /// <summary>The verifier: those over one count together.</summary>
    object Verifier { get; }
}
