using System.Runtime.CompilerServices;

namespace MutualAuth.Credentials;

/// <summary>
/// The state that all servers over one store share, by one clock: failure counts and known login addresses. More servers do not allow more
/// guesses.
/// </summary>
internal sealed class SharedLoginState(TimeProvider time)
{
    private static readonly ConditionalWeakTable<ICredentialStore, ConditionalWeakTable<TimeProvider, SharedLoginState>> s_byStore = new();

    internal BackoffAttemptLimiter Limiter { get; } = new(time);

    internal KnownLoginAddresses Familiar { get; } = new();

    internal ConsecutiveFailures Failures { get; } = new();

    /// <summary>Those of the first store that the policy's passwords are checked against; new ones where there is none.</summary>
    internal static SharedLoginState Of(CredentialPolicy policy, TimeProvider time) => StoreOf(policy) is { } store
        ? s_byStore.GetValue(store, static _ => new()).GetValue(time, static clock => new SharedLoginState(clock))
        : new SharedLoginState(time);

    internal static ICredentialStore? StoreOf(CredentialPolicy policy) => policy.Mechanisms.OfType<IUsesStore>().FirstOrDefault()?.Store;
}

/// <summary>A mechanism that checks passwords against a store.</summary>
internal interface IUsesStore
{
    /// <summary>The store.</summary>
    ICredentialStore Store { get; }
}
