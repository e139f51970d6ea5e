using MutualAuth.Credentials;
using MutualAuth.Factors;

namespace MutualAuth.Tests.Support;

/// <summary>A store with one user, alice, who has a password, a telephone with codes and a passkey.</summary>
internal sealed class TwoFactorUser : IDisposable
{
    internal const string Party = "server.test";

    private TwoFactorUser()
    {
    }

    internal MemoryCredentialStore Store { get; } = new();

    /// <summary>The generator on the telephone.</summary>
    internal OneTimeCodeSecret Secret { get; } = OneTimeCodeSecret.Create();

    internal SoftwareAuthenticator Authenticator { get; } = new();

    internal PasskeyOptions Passkeys { get; } = new() { RelyingParty = Party };

    internal static async Task<TwoFactorUser> RegisterAsync()
    {
        var alice = new TwoFactorUser();
        using var password = Password.From("pencil");
        await alice.Store.SetAsync("alice", ScramVerifier.Create(password, ScramHash.Sha256, ScramVerifier.MinIterations));
        await alice.Store.SetFactorAsync("alice", alice.Secret.ToFactor("phone"));
        var registration = await PasskeyRegistration.BeginAsync(alice.Store, alice.Passkeys, "alice");
        (await registration.CompleteAsync((await alice.Authenticator.CreateAsync(registration.Request))!)).Should().BeNull();
        return alice;
    }

    public void Dispose() => Authenticator.Dispose();
}
