using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>How much work new verifiers ask for: what OWASP's Password Storage Cheat Sheet asks for PBKDF2 with each hash.</summary>
public sealed class IterationsTests
{
    private static IEnumerable<TestCaseData> Hashes() => [new(ScramHash.Sha256, 600_000), new(ScramHash.Sha512, 220_000)];

    [TestCaseSource(nameof(Hashes))]
    public void New_verifiers_take_the_figures_of_their_hash_and_whatever_else_is_asked_for(ScramHash hash, int iterations)
    {
        using var password = Password.From("pencil");

        hash.DefaultIterations.Should().Be(iterations);
        ScramVerifier.Create(password, hash).Iterations.Should().Be(iterations);
        ScramVerifier.Create(password, hash, ScramVerifier.MinIterations).Iterations.Should().Be(ScramVerifier.MinIterations);
    }

    [TestCaseSource(nameof(Hashes))]
    public void Users_who_do_not_exist_look_like_new_ones_whatever_the_hash(ScramHash hash, int iterations)
    {
        var policy = Require.User(SaslServer.Scram(new MemoryCredentialStore(), ScramHash.Sha512, ScramHash.Sha256));

        new LoginServices(policy, TimeProvider.System).Decoys.For("nobody", hash).Iterations.Should().Be(iterations);
        new LoginServices(policy with { DecoyIterations = 4096 }, TimeProvider.System).Decoys.For("nobody", hash).Iterations.Should().Be(4096);
    }

    [Test]
    public async Task A_password_that_is_set_takes_the_figures_of_each_hash()
    {
        var store = new MemoryCredentialStore();
        using var password = Password.From("pencil");

        await store.SetPasswordAsync("alice", password).AsTask().WaitAsync(TimeSpan.FromSeconds(20));

        (await store.FindAsync("alice", default))!.Verifiers.Should().OnlyContain(verifier => verifier.Iterations == verifier.Hash.DefaultIterations);
    }
}
