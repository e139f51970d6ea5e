using System.Data.Common;
using Microsoft.Data.Sqlite;
using MutualAuth.Credentials;

namespace MutualAuth.Tests.Databases;

/// <summary>SQLite, which needs no server.</summary>
public sealed class SqliteStoreTests : DatabaseStoreTests
{
    private readonly string _directory = Directory.CreateTempSubdirectory("mutualauth-sqlite-").FullName;
    private int _count;

    [OneTimeTearDown]
    public void Delete()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_directory, recursive: true);
    }

    [Test]
    public async Task A_database_that_may_only_be_read_is_enough_to_log_in_and_not_to_change_anything()
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        var path = new SqliteConnectionStringBuilder(Source.ConnectionString).DataSource;
        var reader = new DatabaseCredentialStore(SqliteFactory.Instance.CreateDataSource($"Data Source={path};Mode=ReadOnly"));

        await using var outcome = await LogInAsync(reader, "alice", "pencil");

        outcome.Server.Should().NotBeNull(outcome.ToString());
        await reader.Invoking(store => store.SetAsync("alice", Verifier("pen")).AsTask()).Should().ThrowAsync<DbException>();
    }

    [TestCase("COLLATE NOCASE")]
    [TestCase("COLLATE RTRIM")]
    public async Task A_column_that_takes_two_names_for_one_is_refused_in_every_operation(string collation)
    {
        await ExecuteAsync("DROP TABLE mutualauth_credential");
        await ExecuteAsync($"""
            CREATE TABLE mutualauth_credential (
                name VARCHAR(255) {collation} NOT NULL, mechanism VARCHAR(20) NOT NULL, verifier VARCHAR(512) NOT NULL,
                disabled SMALLINT NOT NULL, PRIMARY KEY (name, mechanism))
            """);
        await ExecuteAsync($"INSERT INTO mutualauth_credential VALUES ('alice', 'SCRAM-SHA-256', '{Verifier("pencil")}', 0)");

        await ShouldBeRefusedAsync(await TableAsync());
    }

    [Test]
    public async Task A_table_that_may_only_be_read_and_takes_two_names_for_one_finds_nobody_under_the_others_name()
    {
        await ExecuteAsync("DROP TABLE mutualauth_credential");
        await ExecuteAsync(
            $"CREATE VIEW mutualauth_credential AS SELECT 'alice' COLLATE NOCASE AS name, 'SCRAM-SHA-256' AS mechanism, '{Verifier("pencil")}' AS "
                + "verifier, 0 AS disabled");
        var store = new DatabaseCredentialStore(Source);

        (await store.FindAsync("ALICE", CancellationToken.None)).Should().BeNull();
        (await store.FindAsync("alice", CancellationToken.None)).Should().NotBeNull();
    }

    [Test]
    public async Task A_database_that_another_process_has_locked_is_given_up_after_the_lookups_time_and_not_after_the_connections()
    {
        await Store.SetAsync("alice", Verifier("pencil"));
        await using var other = await Source.OpenConnectionAsync();
        await using var exclusive = other.CreateCommand();
        exclusive.CommandText = "BEGIN EXCLUSIVE";
        await exclusive.ExecuteNonQueryAsync();
        var store = new DatabaseCredentialStore(Source) { LookupTimeout = TimeSpan.FromSeconds(1) };

        // Microsoft.Data.Sqlite's own is 30 seconds, which the deadline of this test does not wait for.
        var outcome = await LogInAsync(store, "alice", "pencil").WaitAsync(TimeSpan.FromSeconds(25));

        outcome.ServerFailure!.Reason.Should().Be(RejectionReason.CredentialCheckFaulted);
        await outcome.DisposeAsync();
        exclusive.CommandText = "ROLLBACK";
        await exclusive.ExecuteNonQueryAsync();
        await using var later = await LogInAsync(store, "alice", "pencil");
        later.Server.Should().NotBeNull(later.ToString());
    }

    protected override Task<DbDataSource> CreateAsync() =>
        Task.FromResult(SqliteFactory.Instance.CreateDataSource($"Data Source={Path.Combine(_directory, $"{++_count}.db")}"));
}
