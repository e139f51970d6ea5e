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

    protected override Task<DbDataSource> CreateAsync() =>
        Task.FromResult(SqliteFactory.Instance.CreateDataSource($"Data Source={Path.Combine(_directory, $"{++_count}.db")}"));
}
