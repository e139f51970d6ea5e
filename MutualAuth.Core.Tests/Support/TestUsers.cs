using MutualAuth.Credentials;

namespace MutualAuth.Tests.Support;

/// <summary>The users of the tests of logins, with the fewest iterations that are taken.</summary>
internal static class TestUsers
{
    private static readonly Lazy<ScramVerifier> s_alice = new(() => VerifierOf("right"));
    private static readonly Lazy<ScramVerifier> s_bob = new(() => VerifierOf("battery"));

    /// <summary>alice, whose password is "right", and bob, whose password is "battery".</summary>
    internal static async Task<MemoryCredentialStore> CreateAsync()
    {
        MemoryCredentialStore users = new();
        await users.SetAsync("alice", s_alice.Value);
        await users.SetAsync("bob", s_bob.Value);
        return users;
    }

    private static ScramVerifier VerifierOf(string password) =>
        ScramVerifier.Create(Password.From(password), iterations: ScramVerifier.MinIterations);
}
