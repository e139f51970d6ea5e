using System.Collections.Immutable;
using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>A new password, in the stores that need no database; <c>DatabaseStoreTests</c> has the same for a database.</summary>
[TestFixture("memory")]
[TestFixture("file")]
[CancelAfter(30000)]
public sealed class SetPasswordTests(string kind)
{
    private string _directory = null!;
    private IWritableCredentialStore _store = null!;

    [SetUp]
    public void SetUp()
    {
        _directory = Directory.CreateTempSubdirectory("mutualauth-").FullName;
        _store = kind == "file" ? FileCredentialStore.OpenOrCreate(Path.Combine(_directory, "users")) : new MemoryCredentialStore();
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_directory, recursive: true);

    [Test]
    public async Task A_new_password_counts_for_every_hash_and_the_old_one_for_none()
    {
        await _store.SetAsync("alice", Sasl.Verifier("old"));
        await _store.SetAsync("alice", Sasl.Verifier("old", ScramHash.Sha512));
        using var password = Password.From("new");

        await _store.SetPasswordAsync("alice", password, iterations: ScramVerifier.MinIterations);

        var user = (await _store.FindAsync("alice", default))!;
        user.Verifiers.Select(verifier => verifier.Hash).Should().BeEquivalentTo([ScramHash.Sha256, ScramHash.Sha512]);
        user.Verifiers.Should().OnlyContain(verifier => IsOf(verifier, "new")).And.NotContain(verifier => IsOf(verifier, "old"));
    }

    [Test]
    public async Task A_hash_that_is_left_out_has_no_verifier_any_more()
    {
        await _store.SetAsync("alice", Sasl.Verifier("old", ScramHash.Sha512));
        using var password = Password.From("new");

        await _store.SetPasswordAsync("alice", password, [ScramHash.Sha256], ScramVerifier.MinIterations);

        (await _store.FindAsync("alice", default))!.Verifiers.Select(verifier => verifier.Hash).Should().Equal(ScramHash.Sha256);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task It_adds_who_is_not_there_and_lets_nobody_in_who_is_disabled(bool isDisabled)
    {
        using var password = Password.From("new");
        await _store.SetPasswordAsync("alice", password, iterations: ScramVerifier.MinIterations);
        await _store.SetDisabledAsync("alice", isDisabled);

        await _store.SetPasswordAsync("alice", password, iterations: ScramVerifier.MinIterations);

        (await _store.FindAsync("alice", default))!.IsDisabled.Should().Be(isDisabled);
    }

    [Test]
    public async Task The_name_is_prepared_and_what_is_none_is_refused()
    {
        using var password = Password.From("new");
        await _store.SetPasswordAsync("\u2168", password, iterations: ScramVerifier.MinIterations);
        (await _store.FindAsync("IX", default)).Should().NotBeNull();

        await _store.Awaiting(store => store.SetPasswordAsync("a:b", password, iterations: ScramVerifier.MinIterations).AsTask())
            .Should().ThrowAsync<ArgumentException>();
        (await _store.Awaiting(store => store.SetPasswordAsync("bob", password, [], ScramVerifier.MinIterations).AsTask())
            .Should().ThrowAsync<ArgumentException>()).Which.ParamName.Should().Be("hashes");
        (await _store.ListAsync()).Should().ContainSingle();
    }

    [Test]
    public async Task Verifiers_that_contradict_each_other_are_refused_and_change_nothing()
    {
        var old = Sasl.Verifier("old");
        await _store.SetAsync("alice", old);
        ImmutableArray<ScramVerifier>[] wrong = [[], [Sasl.Verifier("one"), Sasl.Verifier("two")], default];
        foreach (var verifiers in wrong)
        {
            await _store.Awaiting(store => store.ReplaceVerifiersAsync("alice", verifiers).AsTask()).Should().ThrowAsync<ArgumentException>();
        }

        (await _store.FindAsync("alice", default))!.Verifiers.Select(verifier => verifier.ToString()).Should().Equal(old.ToString());
    }

    private static bool IsOf(ScramVerifier verifier, string password)
    {
        using var secret = Password.From(password);
        return verifier.ToString() == ScramVerifier.Create(secret, verifier.Hash, verifier.Iterations, verifier.Salt.AsSpan()).ToString();
    }
}
