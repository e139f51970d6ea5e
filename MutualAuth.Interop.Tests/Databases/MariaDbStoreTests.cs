using System.Data.Common;
using MutualAuth.Credentials;
using MutualAuth.Tests.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Databases;

/// <summary>MariaDB, which compares without regard to case, accents and trailing spaces unless it is told otherwise.</summary>
public sealed class MariaDbStoreTests : DatabaseStoreTests
{
    private MariaDbServer? _server;

    [OneTimeSetUp]
    public async Task StartAsync() => _server = await MariaDbServer.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    [TestCase("CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")]
    [TestCase("CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci")]
    [TestCase("CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")] // pads with spaces
    [TestCase("CHARACTER SET latin1 COLLATE latin1_swedish_ci")]
    [TestCase("CHARACTER SET latin1 COLLATE latin1_nopad_bin")] // exact, and without most of Unicode
    public async Task Tables_that_take_two_names_for_one_or_cannot_hold_them_are_not_migrated_to(string options)
    {
        await using var source = await _server!.CreateDatabaseAsync(options);
        var store = new DatabaseCredentialStore(source);

        await store.Awaiting(each => each.MigrateAsync()).Should().ThrowAsync<MaterialException>();
        await store.Awaiting(each => each.SetAsync("alice", Verifier("pencil")).AsTask()).Should().ThrowAsync<MaterialException>();

        await using var count = source.CreateCommand("SELECT COUNT(*) FROM mutualauth_credential");
        (await count.ExecuteScalarAsync()).Should().Be(0L);
    }

    [TestCase("ENGINE=MyISAM")]
    [TestCase("ENGINE=InnoDB")]
    public async Task A_column_that_takes_two_names_for_one_is_refused_in_every_operation(string engine)
    {
        await ExecuteAsync("DROP TABLE mutualauth_credential");
        await ExecuteAsync($"""
            CREATE TABLE mutualauth_credential (
                name VARCHAR(180) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL,
                mechanism VARCHAR(20) NOT NULL, verifier VARCHAR(512) NOT NULL,
                disabled SMALLINT NOT NULL, PRIMARY KEY (name, mechanism)) {engine}
            """);
        await ExecuteAsync($"INSERT INTO mutualauth_credential VALUES ('alice', 'SCRAM-SHA-256', '{Verifier("pencil")}', 0)");

        await ShouldBeRefusedAsync(await TableAsync());
    }

    protected override async Task<DbDataSource> CreateAsync() =>
        await _server!.CreateDatabaseAsync("CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin");
}
