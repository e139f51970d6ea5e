using Npgsql;

namespace MutualAuth.Tests.Support;

/// <summary>A PostgreSQL of the test's own: in a directory that goes away with it, and on a Unix socket there, so that no port is taken.</summary>
/// <remarks>The account <c>admin</c> gets in without a password; everybody else by <c>scram-sha-256</c>.</remarks>
internal sealed class PostgresCluster : IAsyncDisposable
{
    private const string Administrator = "admin";

    private readonly RunningProgram _server;
    private int _count;

    private PostgresCluster(string directory, RunningProgram server)
    {
        SocketDirectory = directory;
        _server = server;
    }

    internal string SocketDirectory { get; }

    internal static async Task<PostgresCluster> StartAsync()
    {
        var programs = FindServerPrograms();
        var directory = Directory.CreateTempSubdirectory("mutualauth-pg-").FullName;
        var data = Path.Combine(directory, "data");
        string[] asOther = [];
        if (Environment.UserName == "root")
        {
            // PostgreSQL refuses to run as root.
            var user = File.ReadLines("/etc/passwd").Any(line => line.StartsWith("postgres:", StringComparison.Ordinal)) ? "postgres" : "nobody";
            asOther = [Tool.Find("setpriv"), $"--reuid={user}", "--clear-groups", "--"];
            await RunAsync(Tool.Find("chown"), user, directory);
        }

        await RunAsync(
            [.. asOther, Path.Combine(programs, "initdb"), "-D", data, "-U", Administrator, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        await File.WriteAllTextAsync(Path.Combine(data, "pg_hba.conf"), $"local all {Administrator} trust\nlocal all all scram-sha-256\n");
        string[] start = [.. asOther, Path.Combine(programs, "postgres"), "-D", data, "-k", directory, "-c", "listen_addresses=", "-c", "fsync=off"];
        var server = RunningProgram.Start(start[0], start[1..]);
        try
        {
            await server.ErrorLineAsync("ready to accept connections");
            return new PostgresCluster(directory, server);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes an empty database.</summary>
    internal async Task<string> CreateDatabaseAsync()
    {
        var name = $"test{Interlocked.Increment(ref _count)}";
        await using var source = Open("postgres");
        await using var command = source.CreateCommand($"CREATE DATABASE {name}");
        await command.ExecuteNonQueryAsync();
        return name;
    }

    /// <summary>Opens a database as the administrator, or as somebody else.</summary>
    internal NpgsqlDataSource Open(string database, string user = Administrator, string? password = null) =>
        NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder
            { Host = SocketDirectory, Database = database, Username = user, Password = password, Timeout = 10, CommandTimeout = 10 }.ToString());

    /// <summary>Logs in by psql, and asks who we are.</summary>
    internal Task<EndedProgram> LogInByPsqlAsync(string user, string password) => EndedProgram.OfAsync(RunningProgram.Start(
        Tool.Find("psql"), "--no-psqlrc", "--no-password", "-At", "-c", "SELECT current_user",
        $"host={SocketDirectory} dbname=postgres user={user} password={password}"));

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        _server.Terminate("INT"); // "fast": ends sessions, and leaves nothing behind
        await _server.ExitCodeAsync();
        await _server.DisposeAsync();
        Directory.Delete(SocketDirectory, recursive: true);
    }

    private static string FindServerPrograms()
    {
        const string Debian = "/usr/lib/postgresql";
        var candidates = (Directory.Exists(Debian) ? Directory.GetDirectories(Debian) : [])
            .OrderByDescending(directory => int.TryParse(Path.GetFileName(directory), out var version) ? version : 0)
            .Select(directory => Path.Combine(directory, "bin"))
            .Concat((Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator));
        return candidates.FirstOrDefault(
            directory => File.Exists(Path.Combine(directory, "initdb")) && File.Exists(Path.Combine(directory, "postgres")))
            ?? throw Tool.Missing("PostgreSQL's server (initdb, postgres) is not on this machine; the package is called postgresql.");
    }

    private static async Task RunAsync(params string[] command)
    {
        var ended = await EndedProgram.OfAsync(RunningProgram.Start(command[0], command[1..]));
        ended.ExitCode.Should().Be(0, ended.All);
    }
}
