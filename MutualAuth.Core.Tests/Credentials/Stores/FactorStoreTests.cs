using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>What every store of second factors promises; each test has an empty one.</summary>
[CancelAfter(60000)]
public abstract class FactorStoreTests
{
    private static readonly StoredFactor s_phone = new("phone", "totp", "v1;ABC;0");

    /// <summary>How often a race is run.</summary>
    protected virtual int Rounds => 3;

    [Test]
    public async Task What_was_set_is_found_to_the_letter_and_nobody_else_has_it()
    {
        var store = await OpenAsync();
        var key = new StoredFactor("key", "passkey", "v1;" + new string('~', StoredFactor.MaxDataLength - 3));
        await store.SetFactorAsync("alice", s_phone);
        await store.SetFactorAsync("alice", key);

        (await FindAsync("alice")).Should().Equal(key, s_phone);
        (await FindAsync("Alice")).Should().BeEmpty();
        (await FindAsync("bob")).Should().BeEmpty();
    }

    [Test]
    public async Task One_with_the_same_identifier_takes_the_place_of_the_old_and_one_in_other_case_does_not()
    {
        var store = await OpenAsync();
        await store.SetFactorAsync("alice", s_phone);
        var fresh = new StoredFactor("phone", "totp", "v1;XYZ;0");
        var other = new StoredFactor("PHONE", "totp", "v1;XYZ;0");

        await store.SetFactorAsync("alice", fresh);
        await store.SetFactorAsync("alice", other);

        (await FindAsync("alice")).Should().Equal(other, fresh);
    }

    [TestCase("phone", "totp", "v1;ABC;0", true, TestName = "{c}: what is there is replaced")]
    [TestCase("phone", "totp", "v1;ABC;1", false, TestName = "{c}: other data is not")]
    [TestCase("phone", "totp", "v1;abc;0", false, TestName = "{c}: data in other case is not")]
    [TestCase("phone", "totp2", "v1;ABC;0", false, TestName = "{c}: another kind is not")]
    [TestCase("Phone", "totp", "v1;ABC;0", false, TestName = "{c}: another identifier is not")]
    public async Task Only_the_very_factor_that_was_read_is_replaced(string id, string kind, string data, bool isReplaced)
    {
        var store = await OpenAsync();
        await store.SetFactorAsync("alice", s_phone);
        await store.SetFactorAsync("bob", s_phone);
        var after = new StoredFactor(id, "totp", "v1;ABC;2");

        (await store.TryReplaceFactorAsync("alice", new StoredFactor(id, kind, data), after)).Should().Be(isReplaced);

        (await FindAsync("alice")).Should().Equal(isReplaced ? after : s_phone);
        (await FindAsync("bob")).Should().Equal(s_phone);
    }

    [Test]
    public async Task What_has_been_removed_is_not_replaced()
    {
        var store = await OpenAsync();
        await store.SetFactorAsync("alice", s_phone);

        (await store.RemoveFactorAsync("alice", "phone")).Should().BeTrue();

        (await store.RemoveFactorAsync("alice", "phone")).Should().BeFalse();
        (await store.TryReplaceFactorAsync("alice", s_phone, new StoredFactor("phone", "totp", "v1;ABC;1"))).Should().BeFalse();
        (await FindAsync("alice")).Should().BeEmpty();
    }

    [Test]
    public async Task A_user_who_is_removed_leaves_no_factor_to_whoever_gets_the_name()
    {
        var store = await OpenAsync();
        await SetPasswordAsync(store, "alice");
        await store.SetFactorAsync("alice", s_phone);
        await store.SetFactorAsync("bob", s_phone);

        (await ((IWritableCredentialStore)store).RemoveAsync("alice")).Should().BeTrue();

        await SetPasswordAsync(store, "alice");
        (await FindAsync("alice")).Should().BeEmpty();
        (await FindAsync("bob")).Should().Equal(s_phone);
    }

    [Test]
    public async Task Neither_disabling_nor_a_new_password_touches_the_factors()
    {
        var store = await OpenAsync();
        await store.SetFactorAsync("alice", s_phone);

        (await ((IWritableCredentialStore)store).SetDisabledAsync("alice", isDisabled: true)).Should().BeFalse("she has no verifier");
        await SetPasswordAsync(store, "alice");
        (await ((IWritableCredentialStore)store).SetDisabledAsync("alice", isDisabled: true)).Should().BeTrue();

        (await FindAsync("alice")).Should().Equal(s_phone);
    }

    [Test]
    public async Task Of_many_who_replace_one_factor_at_once_by_two_servers_one_does()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var stores = new[] { await OpenAsync(), await OpenAsync() };
            var before = new StoredFactor("phone", "totp", $"v1;ABC;{round}");
            await stores[0].SetFactorAsync("alice", before);

            var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(number => Task.Run(() => stores[number % 2]
                .TryReplaceFactorAsync("alice", before, new StoredFactor("phone", "totp", $"v1;by{number};{round}")).AsTask())));

            outcomes.Count(isReplaced => isReplaced).Should().Be(1);
            (await FindAsync("alice")).Single().Data.Should().Be($"v1;by{Array.IndexOf(outcomes, true)};{round}");
        }
    }

    [Test]
    public async Task All_are_listed_by_user_and_identifier_and_names_are_prepared()
    {
        var store = await OpenAsync();
        var key = new StoredFactor("key", "passkey", "v1");
        await store.SetFactorAsync("bob", s_phone);
        await store.SetFactorAsync("\u2168", s_phone);
        await store.SetFactorAsync("bob", key);

        (await store.ListFactorsAsync()).Should().Equal(new UserFactor("IX", s_phone), new UserFactor("bob", key), new UserFactor("bob", s_phone));
    }

    [TestCase("", TestName = "{c}: no name")]
    [TestCase("a:b", TestName = "{c}: a colon in a name")]
    [TestCase("a\0", TestName = "{c}: a NUL in a name")]
    public async Task What_is_no_name_for_a_user_has_no_factor(string name)
    {
        var store = await OpenAsync();

        await store.Invoking(each => each.SetFactorAsync(name, s_phone).AsTask()).Should().ThrowAsync<ArgumentException>();
        await store.Invoking(each => each.RemoveFactorAsync(name, "phone").AsTask()).Should().ThrowAsync<ArgumentException>();
        await store.Invoking(each => each.TryReplaceFactorAsync("alice", s_phone, new StoredFactor("other", "totp", "v1")).AsTask())
            .Should().ThrowAsync<ArgumentException>();
    }

    /// <summary>Opens the store that the test has, once more: as another server does.</summary>
    protected abstract Task<IFactorListingStore> OpenAsync();

    private async Task<IEnumerable<StoredFactor>> FindAsync(string name) => await (await OpenAsync()).FindFactorsAsync(name);

    private static async Task SetPasswordAsync(IFactorListingStore store, string name)
    {
        using var password = Password.From("pencil");
        await ((IWritableCredentialStore)store).SetAsync(name, ScramVerifier.Create(password, ScramHash.Sha256, ScramVerifier.MinIterations));
    }
}
