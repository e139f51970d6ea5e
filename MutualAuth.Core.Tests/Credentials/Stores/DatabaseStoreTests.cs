using System.Collections.Concurrent;
using System.Data.Common;
using System.Globalization;
using MutualAuth.Credentials;
using MutualAuth.Testing;

namespace MutualAuth.Tests.Credentials;

/// <summary>What <see cref="DatabaseCredentialStore"/> promises, held on a real database; each test has an empty one.</summary>
[CancelAfter(60000)]
public abstract class DatabaseStoreTests
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);
    private static readonly ConcurrentDictionary<string, string> s_passwords = new();

    protected DbDataSource Source { get; private set; } = null!;

    protected DatabaseCredentialStore Store { get; private set; } = null!;

    /// <summary>How often a race is run.</summary>
    protected virtual int Rounds => 10;

    [SetUp]
    public async Task OpenAsync()
    {
        Source = await CreateAsync();
        Store = new DatabaseCredentialStore(Source);
        await Store.MigrateAsync();
    }

    [TearDown]
    public async Task CloseAsync()
    {
        if (Source is not null)
        {
            await Source.DisposeAsync();
        }
    }

    [Test]
    public async Task What_was_set_is_found_to_the_letter_and_nobody_else_is()
    {
        var verifier = Verifier("pencil");
        await Store.SetAsync("alice", verifier);

        var found = await FindAsync("alice");

        found!.Verifiers.Select(each => each.ToString()).Should().Equal(verifier.ToString());
        found.IsDisabled.Should().BeFalse();
        (await FindAsync("bob")).Should().BeNull();
    }

    [TestCase(1)]
    [TestCase(16)]
    [TestCase(1100)]
    public async Task Many_are_found_at_once_and_no_other(int count)
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        await Store.SetAsync("alice", Verifier("pencil", ScramHash.Sha512));
        await Store.SetAsync("bob", Verifier("pen"));
        await Store.SetDisabledAsync("bob", isDisabled: true);
        await Store.SetAsync("carol", Verifier("pen"));
        string[] names = [.. Enumerable.Range(0, count - 1).Select(number => $"ALICE{number}"), "alice"];

        var alone = await Store.FindManyAsync(names, CancellationToken.None);
        var both = await Store.FindManyAsync([.. names, "bob"], CancellationToken.None);

        alone.Select(user => (user.UserName, user.IsDisabled, user.Verifiers.Length)).Should().Equal(("alice", false, 2));
        both.Select(user => (user.UserName, user.IsDisabled, user.Verifiers.Length)).Should().BeEquivalentTo([("alice", false, 2), ("bob", true, 1)]);
        (await Store.FindManyAsync([], CancellationToken.None)).Should().BeEmpty();
    }

    [Test]
    public async Task A_row_that_cannot_be_read_does_not_hide_the_others()
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        await ExecuteAsync("INSERT INTO mutualauth_credential (name, mechanism, verifier, disabled) VALUES ('bob', 'SCRAM-SHA-256', 'x', 0)");

        var found = await Store.FindManyAsync(["alice", "bob"], CancellationToken.None);

        found.Select(user => (user.UserName, user.Verifiers.Length)).Should().BeEquivalentTo([("alice", 1), ("bob", 0)]);
    }

    [TestCase("Alice")]
    [TestCase("alice ")]
    [TestCase("alic")]
    [TestCase("a%")]
    [TestCase("x' OR '1'='1")]
    [TestCase("")]
    public async Task Names_are_compared_octet_by_octet(string other)
    {
        await Store.SetAsync("alice", Verifier("pencil"));

        (await FindAsync(other)).Should().BeNull();
        (await FindAsync("alice")).Should().NotBeNull();
    }

    [TestCase("x'; DROP TABLE mutualauth_credential; --")]
    [TestCase("Jos\u00e9 \u4e2d\u6587 %_\\")]
    public async Task A_name_is_data_and_never_a_command(string name)
    {
        await Store.SetAsync(name, Verifier("pencil"));
        await Store.SetAsync("alice", Verifier("pen"));

        (await FindAsync(name))!.Verifiers.Should().ContainSingle();
        (await Store.RemoveAsync(name)).Should().BeTrue();
        (await FindAsync("alice")).Should().NotBeNull();
    }

    [Test]
    public async Task Each_hash_has_a_verifier_of_its_own_and_a_new_one_takes_its_place()
    {
        var (old, other, fresh) = (Verifier("pencil"), Verifier("pencil", ScramHash.Sha512), Verifier("pen"));
        await Store.SetAsync("alice", old);
        await Store.SetAsync("alice", other);

        await Store.SetAsync("alice", fresh);

        (await FindAsync("alice"))!.Verifiers.Select(each => each.ToString()).Should().BeEquivalentTo([other.ToString(), fresh.ToString()]);
    }

    [Test]
    public async Task A_new_password_takes_the_place_of_every_verifier_that_there_was()
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        await Store.SetAsync("alice", Verifier("pencil", ScramHash.Sha512));
        await Store.SetAsync("bob", Verifier("pencil"));
        using var password = Password.From("pen");

        await Store.SetPasswordAsync("alice", password, [ScramHash.Sha256], ScramVerifier.MinIterations);

        (await FindAsync("alice"))!.Verifiers.Select(each => each.Hash).Should().Equal(ScramHash.Sha256);
        await using var old = await LogInAsync(Store, "alice", "pencil");
        await using var fresh = await LogInAsync(Store, "alice", "pen");
        await using var other = await LogInAsync(Store, "bob", "pencil");
        old.ServerFailure!.Reason.Should().Be(RejectionReason.CredentialsWrong);
        fresh.Server.Should().NotBeNull(fresh.ToString());
        other.Server.Should().NotBeNull(other.ToString());
    }

    [Test]
    public async Task Passwords_that_are_set_at_once_leave_one_of_them_whole()
    {
        (string Text, ScramHash[] Hashes)[] passwords =
            [("one", [ScramHash.Sha256]), ("two", [ScramHash.Sha512]), ("three", [ScramHash.Sha256, ScramHash.Sha512])];
        for (var round = 0; round < Rounds; round++)
        {
            await Task.WhenAll(
                passwords.Select(
                    each => Task.Run(
                        () => Store.ReplaceVerifiersAsync("alice", [.. each.Hashes.Select(hash => Verifier(each.Text, hash))]).AsTask())));

            var found = (await FindAsync("alice"))!.Verifiers;
            passwords.Count(
                each => each.Hashes.Length == found.Length && found.All(verifier => each.Hashes.Contains(verifier.Hash) && IsOf(verifier, each.Text)))
                .Should().Be(1);
        }
    }

    [Test]
    public async Task Who_is_disabled_while_the_password_changes_stays_disabled()
    {
        for (var round = 0; round < Rounds; round++)
        {
            await Store.ReplaceVerifiersAsync("alice", [Verifier("pencil")]);
            await Store.SetDisabledAsync("alice", isDisabled: false);

            var changing = Task.Run(() => Store.ReplaceVerifiersAsync("alice", [Verifier("pen", ScramHash.Sha512)]).AsTask());
            var disabling = Task.Run(() => Store.SetDisabledAsync("alice", isDisabled: true).AsTask());
            await changing;

            (await disabling).Should().BeTrue();
            (await FindAsync("alice"))!.IsDisabled.Should().BeTrue();
        }
    }

    [Test]
    public async Task A_disabled_user_stays_so_whatever_verifiers_come_until_it_is_enabled()
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        (await Store.SetDisabledAsync("alice", isDisabled: true)).Should().BeTrue();

        await Store.SetAsync("alice", Verifier("pen"));
        await Store.SetAsync("alice", Verifier("pen", ScramHash.Sha512));

        (await FindAsync("alice"))!.IsDisabled.Should().BeTrue();
        await Store.SetDisabledAsync("alice", isDisabled: false);
        (await FindAsync("alice"))!.IsDisabled.Should().BeFalse();
    }

    [TestCase("SCRAM-SHA-256")]
    [TestCase("SCRAM-SHA-512")]
    public async Task One_disabled_row_disables_the_user(string mechanism)
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        await Store.SetAsync("alice", Verifier("pencil", ScramHash.Sha512));
        await ExecuteAsync($"UPDATE mutualauth_credential SET disabled = 1 WHERE mechanism = '{mechanism}'");

        (await FindAsync("alice"))!.IsDisabled.Should().BeTrue();
        (await Store.ListAsync()).Should().ContainSingle().Which.IsDisabled.Should().BeTrue();
    }

    [Test]
    public async Task Who_is_not_there_can_be_neither_disabled_nor_removed()
    {
        (await Store.SetDisabledAsync("nobody", isDisabled: true)).Should().BeFalse();
        (await Store.RemoveAsync("nobody")).Should().BeFalse();
        (await Store.ListAsync()).Should().BeEmpty();
    }

    [Test]
    public async Task All_users_are_listed_by_name_with_all_that_they_have()
    {
        await Store.SetAsync("bob", Verifier("pencil"));
        await Store.SetAsync("Bob", Verifier("pencil"));
        await Store.SetAsync("alice", Verifier("pencil"));
        await Store.SetAsync("alice", Verifier("pencil", ScramHash.Sha512));
        await Store.SetDisabledAsync("bob", isDisabled: true);

        var users = await Store.ListAsync();

        users.Select(user => (user.UserName, user.Verifiers.Length, user.IsDisabled)).Should().Equal(
            ("Bob", 1, false), ("alice", 2, false), ("bob", 1, true));
    }

    [Test]
    public async Task Writers_at_the_same_time_lose_nothing()
    {
        var names = Enumerable.Range(0, 16).Select(number => $"user{number}").ToArray();
        var verifier = Verifier("pencil");

        await Task.WhenAll(names.Concat(names).Select(name => Task.Run(() => Store.SetAsync(name, verifier).AsTask())));

        (await Store.ListAsync()).Should().HaveCount(names.Length).And.OnlyContain(user => user.Verifiers.Length == 1);
    }

    [Test]
    public async Task Migrating_again_and_by_many_at_once_changes_nothing()
    {
        await Store.SetAsync("alice", Verifier("pencil"));

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Store.MigrateAsync())));

        (await ScalarAsync("SELECT COUNT(*) FROM mutualauth_schema")).Should().Be(1);
        (await ScalarAsync("SELECT version FROM mutualauth_schema")).Should().Be(DatabaseCredentialStore.SchemaVersion);
        (await FindAsync("alice")).Should().NotBeNull();
    }

    [Test]
    public async Task Many_may_make_the_tables_at_once()
    {
        await ExecuteAsync("DROP TABLE mutualauth_credential");
        await ExecuteAsync("DROP TABLE mutualauth_schema");

        await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(() => Store.MigrateAsync())));

        (await ScalarAsync("SELECT version FROM mutualauth_schema")).Should().Be(DatabaseCredentialStore.SchemaVersion);
        (await Store.ListAsync()).Should().BeEmpty();
    }

    [Test]
    public async Task A_schema_that_is_newer_than_the_library_is_left_alone()
    {
        await ExecuteAsync($"UPDATE mutualauth_schema SET version = {DatabaseCredentialStore.SchemaVersion + 1}");

        await Store.Invoking(store => store.MigrateAsync()).Should().ThrowAsync<MaterialException>();

        (await ScalarAsync("SELECT version FROM mutualauth_schema")).Should().Be(DatabaseCredentialStore.SchemaVersion + 1);
    }

    [TestCase("pencil", false, null, TestName = "{c}: the right password is let in")]
    [TestCase("pencils", false, RejectionReason.CredentialsWrong, TestName = "{c}: a wrong one is not")]
    [TestCase("pencil", true, RejectionReason.CredentialsWrong, TestName = "{c}: a disabled user is not")]
    public async Task Users_log_in_by_what_the_database_holds(string password, bool isDisabled, RejectionReason? reason)
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        await Store.SetDisabledAsync("alice", isDisabled);

        await using var outcome = await LogInAsync(Store, "alice", password);

        outcome.ServerFailure?.Reason.Should().Be(reason);
        outcome.Server?.Peer.User!.Name.Should().Be("alice");
        (outcome.Server is null).Should().Be(reason is not null, outcome.ToString());
    }

    [Test]
    public async Task What_is_no_verifier_lets_nobody_in_and_says_so_where_users_are_listed()
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        await ExecuteAsync("UPDATE mutualauth_credential SET verifier = 'pencil'");

        await using var outcome = await LogInAsync(Store, "alice", "pencil");

        outcome.ServerFailure!.Reason.Should().Be(RejectionReason.CredentialCheckFaulted);
        outcome.ClientFailure!.PeerReason.Should().Be(PublicReason.InternalError);
        await Store.Invoking(store => store.ListAsync().AsTask()).Should().ThrowAsync<MaterialException>();
    }

    [Test]
    public async Task A_column_that_compares_exactly_is_taken_and_the_probe_leaves_nothing()
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        await Store.SetAsync("ALICE", Verifier("mallory's"));
        var before = await TableAsync();
        var store = new DatabaseCredentialStore(Source);

        await store.MigrateAsync();
        (await store.FindAsync("alice", CancellationToken.None))!.Verifiers.Should().ContainSingle(verifier => IsOf(verifier, "pencil"));
        (await store.FindAsync("ALICE", CancellationToken.None))!.Verifiers.Should().ContainSingle(verifier => IsOf(verifier, "mallory's"));
        (await store.SetDisabledAsync("Alice", isDisabled: true)).Should().BeFalse();
        (await store.RemoveAsync("aLICE")).Should().BeFalse();

        (await TableAsync()).Should().Be(before);
    }

    [Test]
    public async Task Failures_in_a_row_are_kept_for_users_alone_and_outlive_the_store()
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        await Store.SetAsync("Alice", Verifier("pencil"));
        var counting = Counting(Store);
        foreach (var before in new[] { 0, 1, 2, 3, 3 })
        {
            (await counting.AddFailureAsync("alice", 3)).Should().Be(before);
        }

        (await counting.AddFailureAsync("nobody", 3)).Should().BeNull();
        (await ScalarAsync("SELECT COUNT(*) FROM mutualauth_failure")).Should().Be(1, "nobody is written for whom there is nobody");
        var another = Counting(new DatabaseCredentialStore(Source));
        (await another.FindFailuresAsync("alice")).Should().Be(3);
        (await another.FindFailuresAsync("Alice")).Should().Be(0, "names are told apart");
        (await another.FindFailuresAsync("nobody")).Should().BeNull();
        (await another.ClearFailuresAsync("nobody")).Should().BeFalse();
        (await another.ClearFailuresAsync("alice")).Should().BeTrue();
        (await counting.AddFailureAsync("alice", 3)).Should().Be(0);

        await Store.RemoveAsync("alice");
        await Store.SetAsync("alice", Verifier("pencil"));
        (await counting.FindFailuresAsync("alice")).Should().Be(0, "another user of that name begins at nothing");
    }

    [Test]
    public async Task Failures_that_are_counted_at_once_by_several_servers_are_each_counted_and_none_beyond_the_limit()
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        IFailureCountingStore[] servers = [.. Enumerable.Range(0, 3).Select(_ => Counting(new DatabaseCredentialStore(Source)))];

        var adding = Enumerable.Range(0, 30).Select(index => Task.Run(() => servers[index % 3].AddFailureAsync("alice", 20).AsTask()));
        var before = await Task.WhenAll(adding).WaitAsync(s_deadline);

        before.Where(count => count < 20).Select(count => count!.Value).Should().BeEquivalentTo(Enumerable.Range(0, 20));
        before.Count(count => count == 20).Should().Be(10);
    }

    [TestCase(0, "pencil", null)]
    [TestCase(99, "pencil", null)]
    [TestCase(100, "pencil", RejectionReason.AttemptsLimited)]
    [TestCase(100, "pencils", RejectionReason.AttemptsLimited)]
    public async Task A_user_with_a_hundred_failures_does_not_come_in_from_a_new_place(int failures, string password, RejectionReason? reason)
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        var counting = Counting(Store);
        await counting.AddFailureAsync("alice", 100);
        await ExecuteAsync($"UPDATE mutualauth_failure SET failures = {failures}");

        await using var outcome = await LogInAsync(new DatabaseCredentialStore(Source), "alice", password);

        outcome.ServerFailure?.Reason.Should().Be(reason);
        (outcome.Server is not null).Should().Be(reason is null, outcome.ToString());
        (await counting.FindFailuresAsync("alice")).Should().Be(reason is null ? 0 : 100);
    }

    [Test]
    public async Task Tables_of_the_first_version_let_users_in_and_are_brought_up_with_what_they_hold()
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        await ExecuteAsync("DROP TABLE mutualauth_failure");
        await ExecuteAsync("DROP TABLE mutualauth_factor");
        await ExecuteAsync("UPDATE mutualauth_schema SET version = 1");
        var store = new DatabaseCredentialStore(Source);
        await using var wrong = await LogInAsync(store, "alice", "pencils");
        await using var right = await LogInAsync(store, "alice", "pencil");
        (wrong.ServerFailure!.Reason, right.Server is null).Should().Be((RejectionReason.CredentialsWrong, false));

        await store.MigrateAsync();

        (await ScalarAsync("SELECT version FROM mutualauth_schema")).Should().Be(DatabaseCredentialStore.SchemaVersion);
        (await ((IFailureCountingStore)(object)store).AddFailureAsync("alice", 3)).Should().Be(0);
        (await FindAsync("alice")).Should().NotBeNull();
    }

    [Test]
    public async Task Tables_of_the_second_version_let_users_in_and_get_the_table_of_factors()
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        await ExecuteAsync("DROP TABLE mutualauth_factor");
        await ExecuteAsync("UPDATE mutualauth_schema SET version = 2");
        var store = new DatabaseCredentialStore(Source);
        await using var right = await LogInAsync(store, "alice", "pencil");
        right.Server.Should().NotBeNull();
        await store.Invoking(each => each.FindFactorsAsync("alice").AsTask()).Should().ThrowAsync<DbException>("no factor is not known");

        await store.MigrateAsync();

        (await store.FindFactorsAsync("alice")).Should().BeEmpty();
        (await FindAsync("alice")).Should().NotBeNull();
    }

    [Test]
    public async Task Without_its_tables_nobody_is_let_in()
    {
        await ExecuteAsync("DROP TABLE mutualauth_credential");

        await using var outcome = await LogInAsync(Store, "alice", "pencil");

        outcome.ServerFailure!.Reason.Should().Be(RejectionReason.CredentialCheckFaulted);
    }

    /// <summary>An empty database.</summary>
    protected abstract Task<DbDataSource> CreateAsync();

    protected static ScramVerifier Verifier(string password, ScramHash? hash = null)
    {
        using var secret = Password.From(password);
        var verifier = ScramVerifier.Create(secret, hash, ScramVerifier.MinIterations);
        s_passwords[verifier.ToString()] = password;
        return verifier;
    }

    /// <summary>Whether it was made of this password, by <see cref="Verifier"/>.</summary>
    protected static bool IsOf(ScramVerifier verifier, string password) =>
        s_passwords.TryGetValue(verifier.ToString(), out var known) && known == password;

    /// <summary>A user without a certificate logs in at a server of ours.</summary>
    protected static async Task<PairOutcome> LogInAsync(ICredentialStore store, string user, string password)
    {
        using var authority = new TestAuthority();
        using var pair = authority.CreatePair();
        var login = pair with
        {
            Client = pair.Client with { Identity = MutualAuth.ClientIdentity.None, Credentials = Login.WithPassword(user, password) },
            Server = pair.Server with { Credentials = Require.User(SaslServer.Scram(store)) },
        };
        return await login.ConnectAsync().WaitAsync(s_deadline);
    }

    protected async Task ExecuteAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    protected async Task<long> ScalarAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        return Convert.ToInt64(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture);
    }

    /// <summary>That a store over these tables refuses each of its operations, before it has changed or found anything.</summary>
    protected async Task ShouldBeRefusedAsync(string before)
    {
        (string Operation, Func<DatabaseCredentialStore, Task> Run)[] operations =
        [
            ("find", store => store.FindAsync("alice", CancellationToken.None).AsTask()),
            ("set", store => store.SetAsync("ALICE", Verifier("mallory's")).AsTask()),
            ("replace", store => store.ReplaceVerifiersAsync("ALICE", [Verifier("mallory's")]).AsTask()),
            ("disable", store => store.SetDisabledAsync("ALICE", isDisabled: true).AsTask()),
            ("remove", store => store.RemoveAsync("ALICE").AsTask()),
            ("list", store => store.ListAsync().AsTask()),
            ("migrate", store => store.MigrateAsync()),
        ];
        foreach (var (operation, run) in operations)
        {
            // Each from a store that has not looked yet.
            await new DatabaseCredentialStore(Source).Awaiting(store => run(store)).Should().ThrowAsync<MaterialException>(operation);
        }

        (await TableAsync()).Should().Be(before);
    }

    /// <summary>What the table holds, in one text.</summary>
    protected async Task<string> TableAsync()
    {
        var rows = new List<string>();
        await using var command = Source.CreateCommand("SELECT name, mechanism, verifier, disabled FROM mutualauth_credential");
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            rows.Add($"{reader.GetValue(0)}|{reader.GetValue(1)}|{reader.GetValue(2)}|{reader.GetValue(3)}");
        }

        return string.Join('\n', rows.Order(StringComparer.Ordinal));
    }

    private static IFailureCountingStore Counting(ICredentialStore store) => (IFailureCountingStore)store;

    private async Task<StoredCredential?> FindAsync(string name) => await Store.FindAsync(name, CancellationToken.None);
}
