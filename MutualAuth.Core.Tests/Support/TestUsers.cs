using MutualAuth.Credentials;

namespace MutualAuth.Tests.Support;

/// <summary>The users of the tests of logins, with the fewest iterations that are taken.</summary>
internal static class TestUsers
{
    /// <summary>alice, whose password is "right", and bob, whose password is "battery".</summary>
    internal static async Task<MemoryCredentialStore> CreateAsync()
    {
        MemoryCredentialStore users = new();
        await users.SetAsync("alice", ScramVerifier.Create(Password.From("right"), iterations: ScramVerifier.MinIterations));
        await users.SetAsync("bob", ScramVerifier.Create(Password.From("battery"), iterations: ScramVerifier.MinIterations));
        return users;
    }
}
