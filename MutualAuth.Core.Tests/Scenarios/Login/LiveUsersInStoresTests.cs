using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>Users in memory: found at once.</summary>
public sealed class LiveUsersInMemoryTests : LiveUsersTableTests
{
    protected override TimeSpan Promise => TimeSpan.Zero;

    protected override Task<(ICredentialStore Store, IWritableCredentialStore Administration)> CreateAsync()
    {
        var store = new MemoryCredentialStore();
        return Task.FromResult<(ICredentialStore, IWritableCredentialStore)>((store, store));
    }
}

/// <summary>A file that another process writes: found when it is looked at, each second.</summary>
public sealed class LiveUsersInAFileTests : LiveUsersTableTests
{
    private string _directory = null!;

    protected override TimeSpan Promise => TimeSpan.FromSeconds(1);

    protected override Task<(ICredentialStore Store, IWritableCredentialStore Administration)> CreateAsync()
    {
        _directory = Directory.CreateTempSubdirectory("mutualauth-live-").FullName;
        var path = Path.Combine(_directory, "users");
        return Task.FromResult<(ICredentialStore, IWritableCredentialStore)>(
            (FileCredentialStore.OpenOrCreate(path, Clock), FileCredentialStore.OpenOrCreate(path)));
    }

    protected override Task DeleteAsync()
    {
        Directory.Delete(_directory, recursive: true);
        return Task.CompletedTask;
    }
}

/// <summary>SQLite: found within the interval.</summary>
public sealed class LiveUsersInSqliteTests : LiveUsersTableTests
{
    private string _directory = null!;

    protected override TimeSpan Promise => TimeSpan.FromMinutes(1);

    protected override async Task<(ICredentialStore Store, IWritableCredentialStore Administration)> CreateAsync()
    {
        _directory = Directory.CreateTempSubdirectory("mutualauth-live-").FullName;
        DatabaseCredentialStore Open() => new(
            Microsoft.Data.Sqlite.SqliteFactory.Instance.CreateDataSource($"Data Source={Path.Combine(_directory, "users.db")}"));
        var administration = Open();
        await administration.MigrateAsync();
        return (Open(), administration);
    }

    protected override Task DeleteAsync() => BusyFolder.DeleteAsync(_directory);
}
