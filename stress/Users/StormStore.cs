using System.Data.Common;
using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;
using MutualAuth.Credentials;

namespace MutualAuth.Stress.Users;

/// <summary>A store of users in a folder, as the server opens it, and as an administrator in another process changes it.</summary>
internal sealed class StormStore : IDisposable
{
    private readonly string _path;
    private readonly FileCredentialStore? _file;
    private readonly DbDataSource? _database;

    private StormStore(string kind, string folder)
    {
        _path = Path.Combine(folder, kind == "file" ? "users" : "users.db");
        Users = kind == "file"
            ? _file = FileCredentialStore.OpenOrCreate(_path)
            : new DatabaseCredentialStore(_database = SqliteFactory.Instance.CreateDataSource($"Data Source={_path}"));
    }

    internal IWritableCredentialStore Users { get; }

    internal static StormStore Open(string kind, string folder) => new(kind, folder);

    /// <summary>Puts all users into it at once, and a few who are never changed.</summary>
    internal async Task SeedAsync(IReadOnlyCollection<StormUser> users)
    {
        if (_file is not null)
        {
            ReplaceFile(users);
            return;
        }

        var store = (DatabaseCredentialStore)Users;
        await store.MigrateAsync();
        await using var connection = await _database!.OpenConnectionAsync();
        await using (var journal = connection.CreateCommand())
        {
            journal.CommandText = "PRAGMA journal_mode = WAL";
            await journal.ExecuteNonQueryAsync();
        }

        await using var transaction = await connection.BeginTransactionAsync();
        foreach (var (name, verifier) in AllOf(users))
        {
            await using var insert = connection.CreateCommand();
            insert.Transaction = transaction;
            insert.CommandText =
                "INSERT INTO mutualauth_credential (name, mechanism, verifier, disabled) VALUES (@name, @mechanism, @verifier, 0)";
            insert.Parameters.Add(new SqliteParameter("@name", name));
            insert.Parameters.Add(new SqliteParameter("@mechanism", "SCRAM-SHA-256"));
            insert.Parameters.Add(new SqliteParameter("@verifier", verifier.ToString()));
            await insert.ExecuteNonQueryAsync();
        }

        await transaction.CommitAsync();
    }

    /// <summary>
    /// Writes what was done to some users: each by a call of its own; or, in a file and where so many are concerned, all by one file that takes the
    /// place of the other, as an operator's tools do it.
    /// </summary>
    internal async Task WriteAsync(IReadOnlyCollection<StormUser> changed, IReadOnlyCollection<StormUser> all)
    {
        if (_file is not null && changed.Count > 2)
        {
            ReplaceFile(all);
            return;
        }

        foreach (var user in changed)
        {
            switch (user.Change)
            {
                case Change.Disable:
                    await Users.SetDisabledAsync(user.Name, user.IsDisabled);
                    break;
                case Change.Remove when user.IsRemoved:
                    await Users.RemoveAsync(user.Name);
                    break;
                case Change.Remove:
                    await Users.SetAsync(user.Name, user.Verifier);
                    break;
                case Change.Password:
                    await Users.ReplaceVerifiersAsync(user.Name, [user.Verifier]);
                    break;
            }
        }
    }

    public void Dispose()
    {
        _file?.Dispose();
        _database?.Dispose();
    }

    private void ReplaceFile(IReadOnlyCollection<StormUser> users)
    {
        var disabled = users.Where(user => user.IsDisabled).Select(user => user.Name).ToHashSet(StringComparer.Ordinal);
        var text = new StringBuilder();
        foreach (var (name, verifier) in AllOf(users.Where(user => !user.IsRemoved)))
        {
            text.Append(CultureInfo.InvariantCulture, $"{name}:{(disabled.Contains(name) ? "!" : "")}{verifier}\n");
        }

        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var writer = new StreamWriter(_path + ".next", options))
        {
            writer.Write(text);
        }

        File.Move(_path + ".next", _path, overwrite: true);
    }

    private static IEnumerable<(string Name, ScramVerifier Verifier)> AllOf(IEnumerable<StormUser> users) =>
        users.Select(user => (user.Name, user.Verifier))
            .Concat(Enumerable.Range(0, Roles.StormClientsRole.SteadyUsers).Select(number => (StormUser.Steady(number), new StormUser(0).Verifier)));
}
