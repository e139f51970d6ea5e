using System.CommandLine;
using System.Data.Common;
using Microsoft.Data.Sqlite;
using MutualAuth.Credentials;
using MutualAuth.Samples;
using Npgsql;

namespace MutualAuth.Tool;

/// <summary><c>users</c>: the users of a server, in a file or a database.</summary>
internal static class UsersCommand
{
    private const string Sqlite = "sqlite:";
    private const string Postgres = "postgres:";

    private static readonly Argument<string> s_name = new("NAME") { Description = "The user." };

    private static readonly Option<string> s_store = new("--store")
    {
        HelpName = "FILE|sqlite:FILE|postgres:FILE",
        Required = true,
        Description = "A text file, a SQLite database, or a file whose first line is the connection string of a PostgreSQL database.",
    };

    private static readonly Option<bool> s_sha512 = new("--sha-512")
    { Description = "A verifier for SCRAM-SHA-512 as well. Servers offer it when every user has one." };

    internal static ToolCommand Create() => new ToolCommand(
        "users", "Adds, changes, disables, removes and lists the users of a server, and their generators of one-time codes.").With(
        Verb("add", "Adds a user, and makes the store where there is none.", AddAsync, s_name, s_store, s_sha512),
        Verb("password", "Gives a user another password.", ChangeAsync, s_name, s_store, s_sha512),
        Verb("disable", "Keeps a user out, who is not forgotten.", (arguments, stop) => SetDisabledAsync(arguments, true, stop), s_name, s_store),
        Verb("enable", "Lets a disabled user in again.", (arguments, stop) => SetDisabledAsync(arguments, false, stop), s_name, s_store),
        Verb("remove", "Forgets a user.", RemoveAsync, s_name, s_store),
        Verb("list", "Shows all users, one on a line.", ListAsync, s_store),
        UserFactorCommands.Totp(s_name, s_store),
        UserFactorCommands.Encrypt(s_store),
        UserFactorCommands.AddKey(),
        UserFactorCommands.Rehash(s_store));

    /// <summary>Opens the store of the command line, which must be there.</summary>
    internal static Task<OpenStore> OpenAsync(ParseResult arguments, Option<string> store, CancellationToken stop) =>
        OpenStore.OpenAsync(arguments.GetRequiredValue(store), mayCreate: false, stop);

    private static ToolCommand Verb(
        string verb, string description, Func<ParseResult, CancellationToken, Task<int>> action, params ReadOnlySpan<Symbol> symbols) =>
        new ToolCommand(verb, description)
        {
            Details =
            [
                "The store keeps verifiers, never passwords. A password comes from a prompt, or is the first line of stdin; a connection string "
                    + "comes from a file. The command line carries no secret. A server that is running sees a change at once.",
            ],
            Examples = verb switch
            {
                "list" => ["mutualauth users list --store users"],
                "add" => ["mutualauth users add alice --store users", "mutualauth users add alice --store sqlite:users.db < password"],
                _ => [$"mutualauth users {verb} alice --store postgres:/etc/inventory/database"],
            },
        }.With(symbols).Does((arguments, stop) => GuardAsync(() => action(arguments, stop)));

    private static async Task<int> AddAsync(ParseResult arguments, CancellationToken stop)
    {
        var user = NameOf(arguments);
        using var store = await OpenStore.OpenAsync(arguments.GetRequiredValue(s_store), mayCreate: true, stop);
        return await store.Users.FindAsync(user, stop) is not null
            ? CommandLine.Fail(
                CommandLine.UsageExitCode, "user_exists", $"There is a user {CommandLine.Token(user)} already; 'password' gives it another password.")
            : await SetPasswordAsync(arguments, store.Users, user, "added", [ScramHash.Sha256], stop);
    }

    private static async Task<int> ChangeAsync(ParseResult arguments, CancellationToken stop)
    {
        var user = NameOf(arguments);
        using var store = await OpenStore.OpenAsync(arguments.GetRequiredValue(s_store), mayCreate: false, stop);
        return await store.Users.FindAsync(user, stop) is { } known
            ? await SetPasswordAsync(arguments, store.Users, user, "changed", known.Verifiers.Select(verifier => verifier.Hash), stop)
            : NoSuchUser(user);
    }

    private static async Task<int> SetPasswordAsync(
        ParseResult arguments, IWritableCredentialStore store, string user, string done, IEnumerable<ScramHash> hashes, CancellationToken stop)
    {
        using var password = Console.IsInputRedirected ? await FromInputAsync(stop) : Prompt.ForNewPassword(user);
        await store.SetPasswordAsync(user, password, hashes.Concat(arguments.GetValue(s_sha512) ? [ScramHash.Sha512] : []), null, stop);
        return Done(arguments, user, done);
    }

    private static async Task<Password> FromInputAsync(CancellationToken stop) =>
        await Console.In.ReadLineAsync(stop) is { Length: > 0 } line
            ? Password.From(line)
            : throw new UsageException("stdin has no password: its first line is taken. On a terminal it is asked for.");

    private static async Task<int> SetDisabledAsync(ParseResult arguments, bool isDisabled, CancellationToken stop)
    {
        using var store = await OpenStore.OpenAsync(arguments.GetRequiredValue(s_store), mayCreate: false, stop);
        return await store.Users.SetDisabledAsync(NameOf(arguments), isDisabled, stop)
            ? Done(arguments, NameOf(arguments), isDisabled ? "disabled" : "enabled")
            : NoSuchUser(NameOf(arguments));
    }

    private static async Task<int> RemoveAsync(ParseResult arguments, CancellationToken stop)
    {
        using var store = await OpenStore.OpenAsync(arguments.GetRequiredValue(s_store), mayCreate: false, stop);
        return await store.Users.RemoveAsync(NameOf(arguments), stop) ? Done(arguments, NameOf(arguments), "removed") : NoSuchUser(NameOf(arguments));
    }

    private static async Task<int> ListAsync(ParseResult arguments, CancellationToken stop)
    {
        var report = Report.ToOutput(arguments);
        using var store = await OpenStore.OpenAsync(arguments.GetRequiredValue(s_store), mayCreate: false, stop);
        foreach (var user in await store.Users.ListAsync(stop))
        {
            string[] verifiers = [.. user.Verifiers.Select(verifier => $"{verifier.Hash}/{verifier.Iterations}")];
            var state = user.IsDisabled ? "disabled" : "enabled";
            report.Line(
                $"{CommandLine.Token(user.UserName)} {state} {string.Join(' ', verifiers)}",
                ("user", user.UserName), ("state", state), ("verifiers", verifiers));
        }

        return 0;
    }

    private static int Done(ParseResult arguments, string user, string done)
    {
        Report.ToOutput(arguments).Line($"{done} {CommandLine.Token(user)}", ("user", user), ("done", done));
        return 0;
    }

    internal static int NoSuchUser(string user) => CommandLine.Fail(
        CommandLine.UsageExitCode, "no_such_user", $"There is no user {CommandLine.Token(user)}; 'list' shows those that there are.");

    internal static string NameOf(ParseResult arguments)
    {
        var text = arguments.GetRequiredValue(s_name);
        try
        {
            return UserNames.Prepare(text);
        }
        catch (ArgumentException)
        {
            throw new UsageException(
                $"{CommandLine.Token(text)} is no name for a user: 1 to 255 octets, no colon and no control character, no # and no space "
                    + "at the beginning.");
        }
    }

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

    /// <summary>A store, and the data source that it needs.</summary>
    internal sealed class OpenStore(IWritableCredentialStore users, IDisposable owned) : IDisposable
    {
        internal IWritableCredentialStore Users => users;

        internal IFactorListingStore Factors => (IFactorListingStore)users;

        internal static async Task<OpenStore> OpenAsync(string text, bool mayCreate, CancellationToken stop)
        {
            if (text.StartsWith(Sqlite, StringComparison.Ordinal))
            {
                return await InDatabaseAsync(SqliteSource(text[Sqlite.Length..], mayCreate), mayCreate, stop);
            }

            if (text.StartsWith(Postgres, StringComparison.Ordinal))
            {
                return await InDatabaseAsync(PostgresSource(text[Postgres.Length..]), mayCreate, stop);
            }

            var file = mayCreate ? FileCredentialStore.OpenOrCreate(text) : FileCredentialStore.Open(text);
            return new OpenStore(file, file);
        }

        public void Dispose() => owned.Dispose();

        private static async Task<OpenStore> InDatabaseAsync(DbDataSource source, bool mayCreate, CancellationToken stop)
        {
            var store = new DatabaseCredentialStore(source);
            if (mayCreate)
            {
                await store.MigrateAsync(stop);
            }

            return new OpenStore(store, source);
        }

        private static DbDataSource SqliteSource(string path, bool mayCreate)
        {
            if (!File.Exists(path))
            {
                if (!mayCreate)
                {
                    throw new UsageException($"There is no database {path}; 'users add' makes one.");
                }

                // SQLite takes an empty file for a new database. A file that we create is readable by its owner only.
                OwnerOnly.Create(path, []);
            }

            var builder = new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWrite, Pooling = false };
            return SqliteFactory.Instance.CreateDataSource(builder.ToString());
        }

        private static NpgsqlDataSource PostgresSource(string path)
        {
            var builder = new NpgsqlSlimDataSourceBuilder(CommandLine.FirstLineOf("--store", path));
            builder.EnableTransportSecurity();
            return builder.Build();
        }
    }
}
