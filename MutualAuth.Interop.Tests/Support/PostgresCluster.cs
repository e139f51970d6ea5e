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

    /// <summary>The port on the loopback address, where the cluster speaks TLS too; null otherwise.</summary>
    internal int? Port { get; private init; }

    /// <summary>
    /// With <paramref name="tls"/> it also listens on the loopback address, to clients whose certificate has the role's name as its common name.
    /// </summary>
    internal static async Task<PostgresCluster> StartAsync(ServiceMaterial? tls = null)
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
        int? port = tls is null ? null : FreePorts.Next();
        string[] start = [.. asOther, Path.Combine(programs, "postgres"), "-D", data, "-k", directory, "-c", "fsync=off"];
        if (tls is null)
        {
            start = [.. start, "-c", "listen_addresses="];
        }
        else
        {
            await File.AppendAllTextAsync(Path.Combine(data, "pg_hba.conf"), "hostssl all all 127.0.0.1/32 cert\n");
            var key = Path.Combine(data, "server.key");
            File.Copy(tls.Key, key);
            await RunAsync(Tool.Find("chmod"), "600", key);
            File.Copy(tls.Chain, Path.Combine(data, "server.crt"));
            File.Copy(tls.Authority, Path.Combine(data, "root.crt"));
            if (asOther.Length > 0)
            {
                await RunAsync(Tool.Find("chown"), "-R", $"--reference={data}", data);
            }

            start = [.. start, "-c", "listen_addresses=127.0.0.1", "-p", $"{port}", "-c", "ssl=on", "-c", "ssl_ca_file=root.crt"];
        }

        var server = RunningProgram.Start(start[0], start[1..]);
        try
        {
            await server.ErrorLineAsync("ready to accept connections");
            return new PostgresCluster(directory, server) { Port = port };
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
            {
                Host = SocketDirectory,
                Port = Port ?? 5432,
                Database = database,
                Username = user,
                Password = password,
                Timeout = 10,
                CommandTimeout = 10,
            }.ToString());

    /// <summary>Logs in by psql, and asks who we are.</summary>
    internal Task<EndedProgram> LogInByPsqlAsync(string user, string password) => EndedProgram.OfAsync(RunningProgram.Start(
        Tool.Find("psql"), "--no-psqlrc", "--no-password", "-At", "-c", "SELECT current_user",
        $"host={SocketDirectory} port={Port ?? 5432} dbname=postgres user={user} password={password}"));

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
