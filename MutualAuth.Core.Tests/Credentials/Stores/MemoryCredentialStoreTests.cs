using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

public sealed class MemoryCredentialStoreTests
{
    private readonly ScramVerifier _first = Sasl.Verifier("one");
    private readonly ScramVerifier _second = Sasl.Verifier("two");
    private readonly ScramVerifier _long = Sasl.Verifier("one", ScramHash.Sha512);

    [Test]
    public async Task A_user_has_one_verifier_for_each_hash_and_a_new_one_takes_the_place_of_the_old()
    {
        var store = new MemoryCredentialStore();
        await store.SetAsync("alice", _first);
        await store.SetAsync("alice", _long);
        await store.SetAsync("alice", _second);

        (await store.FindAsync("alice", default))!.Verifiers.Should().BeEquivalentTo([_long, _second]);
    }

    [TestCase("alice", true)]
    [TestCase("Alice", false)]
    [TestCase("\u2168", false)] // the store compares; SASLprep has been applied by whoever asks
    public async Task Names_are_compared_octet_by_octet(string name, bool isThere)
    {
        var store = new MemoryCredentialStore();
        await store.SetAsync("alice", _first);
        await store.SetAsync("\u2168", _first);

        ((await store.FindAsync(name, default)) is not null).Should().Be(isThere);
    }

    [Test]
    public async Task A_name_is_stored_as_SASLprep_writes_it()
    {
        var store = new MemoryCredentialStore();
        await store.SetAsync("\u2168", _first);

        (await store.FindAsync("IX", default))!.UserName.Should().Be("IX");
    }

    [TestCase("")]
    [TestCase("a:b")]
    [TestCase("#a")]
    [TestCase(" a")]
    [TestCase("a ")]
    [TestCase("a\nb")]
    [TestCase("\u0221")]
    public async Task What_is_no_name_for_a_user_cannot_be_stored(string name)
    {
        var store = new MemoryCredentialStore();

        var set = async () => await store.SetAsync(name, _first);

        await set.Should().ThrowAsync<ArgumentException>();
    }

    [Test]
    public async Task Disabling_outlives_a_new_password_and_removing_does_not_leave_anything()
    {
        var store = new MemoryCredentialStore();
        await store.SetAsync("alice", _first);
        (await store.SetDisabledAsync("alice", true)).Should().BeTrue();
        await store.SetAsync("alice", _second);
        (await store.FindAsync("alice", default))!.IsDisabled.Should().BeTrue();
        (await store.SetDisabledAsync("alice", false)).Should().BeTrue();
        (await store.FindAsync("alice", default))!.IsDisabled.Should().BeFalse();

        (await store.RemoveAsync("alice")).Should().BeTrue();
        (await store.RemoveAsync("alice")).Should().BeFalse();
        (await store.SetDisabledAsync("alice", true)).Should().BeFalse();
        (await store.FindAsync("alice", default)).Should().BeNull();
    }

    [Test]
    public async Task Failures_in_a_row_are_counted_up_to_the_limit_and_for_users_alone()
    {
        var store = new MemoryCredentialStore();
        await store.SetAsync("alice", _first);
        foreach (var before in new[] { 0, 1, 2, 2 })
        {
            (await store.AddFailureAsync("alice", 2)).Should().Be(before);
        }

        (await store.AddFailureAsync("nobody", 2)).Should().BeNull();
        (await store.FindFailuresAsync("nobody")).Should().BeNull();
        (await store.FindFailuresAsync("alice")).Should().Be(2);
        (await store.ClearFailuresAsync("nobody")).Should().BeFalse();
        (await store.ClearFailuresAsync("alice")).Should().BeTrue();
        (await store.FindFailuresAsync("alice")).Should().Be(0);
    }

    [Test]
    public async Task A_user_who_is_removed_and_added_again_begins_at_nothing()
    {
        var store = new MemoryCredentialStore();
        await store.SetAsync("alice", _first);
        await store.AddFailureAsync("alice", 2);

        await store.RemoveAsync("alice");
        await store.SetAsync("alice", _first);

        (await store.FindFailuresAsync("alice")).Should().Be(0);
    }

    [Test]
    public async Task Users_are_listed_by_name_octet_by_octet()
    {
        var store = new MemoryCredentialStore();
        foreach (var name in new[] { "bob", "alice", "Bob" })
        {
            await store.SetAsync(name, _first);
        }

        (await store.ListAsync()).Select(user => user.UserName).Should().Equal("Bob", "alice", "bob");
    }

    [Test]
    public async Task Failures_from_many_threads_are_each_counted_and_none_beyond_the_limit()
    {
        var store = new MemoryCredentialStore();
        await store.SetAsync("alice", _first);

        var before = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() => store.AddFailureAsync("alice", 40).AsTask())));

        before.Where(count => count < 40).Select(count => count!.Value).Should().BeEquivalentTo(Enumerable.Range(0, 40));
        before.Count(count => count == 40).Should().Be(24);
    }

    [Test]
    public async Task Changes_from_many_threads_lose_none_of_each_other()
    {
        var store = new MemoryCredentialStore();
        await Parallel.ForEachAsync(Enumerable.Range(0, 64), async (number, token) =>
        {
            await store.SetAsync($"user{number % 16}", number % 2 == 0 ? _first : _long, token);
            await store.SetDisabledAsync($"user{number % 16}", true, token);
        });

        for (var number = 0; number < 16; number++)
        {
            var user = (await store.FindAsync($"user{number}", default))!;
            (user.Verifiers.Length, user.IsDisabled).Should().Be((1, true));
        }
    }
}
