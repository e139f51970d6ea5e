using System.Collections.Immutable;
using Microsoft.Data.Sqlite;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

/// <summary>Rewriting a store while it is used, in each of the stores.</summary>
[CancelAfter(60000)]
[TestFixture("memory")]
[TestFixture("file")]
[TestFixture("sqlite")]
public sealed class EncryptAllTests(string kind)
{
    private readonly FactorKey _old = FactorKey.Create("k1");
    private readonly FactorKey _new = FactorKey.Create("k2");
    private TemporaryFolder _folder = null!;
    private IFactorListingStore _store = null!;

    [SetUp]
    public async Task SetUpAsync()
    {
        _folder = new TemporaryFolder();
        _store = kind switch
        {
            "memory" => new MemoryCredentialStore(),
            "file" => FileCredentialStore.OpenOrCreate(_folder["users"]),
            _ => await DatabaseAsync(),
        };
    }

    [TearDown]
    public void TearDown()
    {
        (_store as IDisposable)?.Dispose();
        SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }

    [Test]
    public async Task Plain_text_and_what_is_under_an_earlier_key_are_rewritten_and_the_rest_stays()
    {
        var (earlier, now) = (new FactorKeys(_old), new FactorKeys(_new, _old));
        var foreign = await FactorEncryption.EncryptAsync(new FactorKeys(FactorKey.Create("k9")), "dave", Plain("phone", 1));
        var recovery = new StoredFactor("recovery", "recovery", "1;salt;hash");
        await _store.SetFactorAsync("alice", Plain("phone", 1));
        await _store.SetFactorAsync("alice", recovery);
        await _store.SetFactorAsync("bob", await FactorEncryption.EncryptAsync(earlier, "bob", Plain("phone", 2)));
        await _store.SetFactorAsync("carol", await FactorEncryption.EncryptAsync(now, "carol", Plain("phone", 3)));
        await _store.SetFactorAsync("dave", foreign);

        var first = await FactorEncryption.EncryptAllAsync(now, _store, "totp");
        var second = await FactorEncryption.EncryptAllAsync(now, _store, "totp");

        (first.Rewritten, first.Unchanged, second.Rewritten, second.Unchanged).Should().Be((2, 1, 0, 3));
        first.Refused.Select(refused => (refused.UserName, refused.FactorId, refused.Objection.Reason)).Should()
            .Equal(("dave", "phone", RejectionReason.SecondFactorKeyUnavailable));
        foreach (var (user, number) in new[] { ("alice", 1), ("bob", 2), ("carol", 3) })
        {
            var stored = (await _store.FindFactorsAsync(user)).Single(factor => factor.Kind == "totp");
            var opened = await FactorEncryption.OpenAsync(new FactorKeys(_new), user, stored, true);
            opened.Factor.Should().Be(Plain("phone", number));
        }

        (await _store.FindFactorsAsync("alice")).Should().Contain(recovery);
        (await _store.FindFactorsAsync("dave")).Should().Equal(foreign);
    }

    /// <summary>A login that comes between the read and the write has used a step: the step must not become unused.</summary>
    [Test]
    public async Task What_a_login_changes_meanwhile_is_not_undone()
    {
        await _store.SetFactorAsync("alice", Plain("phone", 1));
        var between = new Between(_store, async () =>
            (await _store.TryReplaceFactorAsync("alice", Plain("phone", 1), Plain("phone", 2))).Should().BeTrue());

        var report = await FactorEncryption.EncryptAllAsync(new FactorKeys(_new), between, "totp");

        report.Rewritten.Should().Be(1);
        var opened = await FactorEncryption.OpenAsync(
            new FactorKeys(_new), "alice", (await _store.FindFactorsAsync("alice")).Should().ContainSingle().Subject, true);
        opened.Factor.Should().Be(Plain("phone", 2));
    }

    [Test]
    public async Task What_is_removed_meanwhile_does_not_come_back_and_what_always_changes_is_told()
    {
        await _store.SetFactorAsync("alice", Plain("phone", 1));
        var removing = new Between(_store, async () => await _store.RemoveFactorAsync("alice", "phone"));
        (await FactorEncryption.EncryptAllAsync(new FactorKeys(_new), removing, "totp")).Should()
            .BeEquivalentTo(new { Rewritten = 0, Unchanged = 1, Refused = Array.Empty<RefusedFactor>() });
        (await _store.FindFactorsAsync("alice")).Should().BeEmpty();

        await _store.SetFactorAsync("bob", Plain("phone", 1));
        var number = 1;
        var restless = new Between(
            _store, async () => await _store.SetFactorAsync("bob", Plain("phone", ++number)), always: true);
        (await FactorEncryption.EncryptAllAsync(new FactorKeys(_new), restless, "totp")).Refused.Should().ContainSingle();
        number.Should().Be(9);
    }

    private static StoredFactor Plain(string id, int number) => new(id, "totp", $"1;secret{number}");

    private async Task<IFactorListingStore> DatabaseAsync()
    {
        var store = new DatabaseCredentialStore(SqliteFactory.Instance.CreateDataSource($"Data Source={_folder["users.db"]}"));
        await store.MigrateAsync();
        return store;
    }

    /// <summary>Does something between what is read and what is written.</summary>
    private sealed class Between(IFactorListingStore store, Func<Task> act, bool always = false) : IFactorListingStore
    {
        private bool _isDone;

        public ValueTask<ImmutableArray<UserFactor>> ListFactorsAsync(CancellationToken cancellationToken = default) =>
            store.ListFactorsAsync(cancellationToken);

        public ValueTask<ImmutableArray<StoredFactor>> FindFactorsAsync(string userName, CancellationToken cancellationToken = default) =>
            store.FindFactorsAsync(userName, cancellationToken);

        public ValueTask SetFactorAsync(string userName, StoredFactor factor, CancellationToken cancellationToken = default) =>
            store.SetFactorAsync(userName, factor, cancellationToken);

        public async ValueTask<bool> TryReplaceFactorAsync(
            string userName, StoredFactor before, StoredFactor after, CancellationToken cancellationToken = default)
        {
            if (always || !_isDone)
            {
                _isDone = true;
                await act();
            }

            return await store.TryReplaceFactorAsync(userName, before, after, cancellationToken);
        }

        public ValueTask<bool> RemoveFactorAsync(string userName, string factorId, CancellationToken cancellationToken = default) =>
            store.RemoveFactorAsync(userName, factorId, cancellationToken);
    }
}
