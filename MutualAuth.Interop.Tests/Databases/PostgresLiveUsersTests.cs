using MutualAuth.Credentials;
using MutualAuth.Tests.Scenarios;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Databases;

/// <summary>PostgreSQL: found within the interval.</summary>
public sealed class PostgresLiveUsersTests : LiveUsersTableTests
{
    private PostgresCluster? _cluster;

    protected override TimeSpan Promise => TimeSpan.FromMinutes(1);

    [OneTimeSetUp]
    public async Task StartAsync() => _cluster = await PostgresCluster.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }
    }

    protected override async Task<(ICredentialStore Store, IWritableCredentialStore Administration)> CreateAsync()
    {
        var database = await _cluster!.CreateDatabaseAsync();
        var administration = new DatabaseCredentialStore(_cluster.Open(database));
        await administration.MigrateAsync();
        return (new DatabaseCredentialStore(_cluster.Open(database)), administration);
    }
}
