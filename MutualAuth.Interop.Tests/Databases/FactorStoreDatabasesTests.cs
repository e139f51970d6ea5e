using System.Data.Common;
using MutualAuth.Credentials;
using MutualAuth.Tests.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Databases;

/// <summary>Second factors in PostgreSQL.</summary>
public sealed class PostgresFactorStoreTests : FactorStoreTests
{
    private PostgresCluster? _cluster;
    private DbDataSource _source = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _cluster = await PostgresCluster.StartAsync();

    [SetUp]
    public async Task OpenDatabaseAsync() => _source = _cluster!.Open(await _cluster.CreateDatabaseAsync());

    [TearDown]
    public async Task CloseDatabaseAsync() => await _source.DisposeAsync();

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }
    }

    protected override async Task<IFactorListingStore> OpenAsync()
    {
        var store = new DatabaseCredentialStore(_source);
        await store.MigrateAsync();
        return store;
    }
}

/// <summary>Second factors in MariaDB.</summary>
public sealed class MariaDbFactorStoreTests : FactorStoreTests
{
    private MariaDbServer? _server;
    private DbDataSource _source = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _server = await MariaDbServer.StartAsync();

    [SetUp]
    public async Task OpenDatabaseAsync() => _source = await _server!.CreateDatabaseAsync("CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin");

    [TearDown]
    public async Task CloseDatabaseAsync() => await _source.DisposeAsync();

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    protected override async Task<IFactorListingStore> OpenAsync()
    {
        var store = new DatabaseCredentialStore(_source);
        await store.MigrateAsync();
        return store;
    }
}
