using System.CommandLine;
using System.Data.Common;
using Microsoft.Data.Sqlite;
using MutualAuth.Credentials;

namespace MutualAuth.Samples;

/// <summary>Where the users are kept: in a text file or in a database.</summary>
internal sealed class StoreFlags
{
    private readonly Option<string?> _file = new("--file")
    { HelpName = "FILE", Recursive = true, Description = "Users in a text file, as EchoServer's --credentials reads it." };
    private readonly Option<string?> _database = new("--database")
    { HelpName = "FILE", Recursive = true, Description = "Users in a SQLite database." };

    internal void AddTo(RootCommand command)
    {
        command.Options.Add(_file);
        command.Options.Add(_database);
    }

    /// <param name="arguments">The command line.</param>
    /// <param name="mayCreate">Whether a missing one is created, readable by its owner only.</param>
    /// <param name="stop">Cancels it.</param>
    internal async Task<IWritableCredentialStore> OpenAsync(
        ParseResult arguments, bool mayCreate, CancellationToken stop) => (arguments.GetValue(_file), arguments.GetValue(_database)) switch
        {
            ({ } file, null) => mayCreate ? FileCredentialStore.OpenOrCreate(file) : FileCredentialStore.Open(file),
            (null, { } database) => await OpenDatabaseAsync(database, mayCreate, stop),
            _ => throw new UsageException("Say where the users are: --file FILE, or --database FILE; one of them."),
        };

    /// <summary>Runs an action, and turns exceptions of the database, or of a number out of range, into messages.</summary>
    internal static async Task<int> GuardAsync(Func<Task<int>> action)
    {
        try
        {
            return await action();
        }
        catch (DbException exception)
        {
            return CommandLine.Fail(CommandLine.UsageExitCode, "material", $"The database cannot be used: {exception.Message}");
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or IOException or UnauthorizedAccessException)
        {
            throw new UsageException(exception.Message);
        }
    }

    private static async Task<DatabaseCredentialStore> OpenDatabaseAsync(string path, bool mayCreate, CancellationToken stop)
    {
        if (!File.Exists(path))
        {
            if (!mayCreate)
            {
                throw new UsageException($"There is no database {path}; 'add' makes one.");
            }

            CreatePrivate(path);
        }

        var text = new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWrite }.ToString();
        var store = new DatabaseCredentialStore(SqliteFactory.Instance.CreateDataSource(text));
        await store.MigrateAsync(stop);
        return store;
    }

    // SQLite takes an empty file for a new database. A file that we create is readable by its owner only.
    private static void CreatePrivate(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        File.Open(path, options).Dispose();
    }
}
