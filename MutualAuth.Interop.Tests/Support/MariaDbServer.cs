using MySqlConnector;

namespace MutualAuth.Tests.Support;

/// <summary>A MariaDB of the test's own: in a directory that goes away with it, and on a Unix socket there, so that no port is taken.</summary>
internal sealed class MariaDbServer : IAsyncDisposable
{
    private readonly string _directory;
    private readonly RunningProgram _server;
    private int _count;

    private MariaDbServer(string directory, RunningProgram server)
    {
        _directory = directory;
        _server = server;
    }

    internal static async Task<MariaDbServer> StartAsync()
    {
        var program = FindServer();
        var directory = Directory.CreateTempSubdirectory("mutualauth-my-").FullName;
        var data = Path.Combine(directory, "data");
        string[] common = ["--no-defaults", $"--datadir={data}", $"--user={Environment.UserName}"];
        var made = await EndedProgram.OfAsync(
            RunningProgram.Start(Tool.Find("mariadb-install-db"), [.. common, "--auth-root-authentication-method=normal", "--skip-test-db"]));
        made.ExitCode.Should().Be(0, made.All);
        var server = RunningProgram.Start(
            program,
            [
                .. common,
                "--skip-networking",
                $"--socket={SocketIn(directory)}",
                $"--pid-file={Path.Combine(directory, "pid")}",
                "--innodb-flush-log-at-trx-commit=0",
            ]);
        try
        {
            await server.ErrorLineAsync("ready for connections");
            return new MariaDbServer(directory, server);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes an empty database, with the server's own character set and collation unless others are given, and opens it.</summary>
    internal async Task<MySqlDataSource> CreateDatabaseAsync(string options = "")
    {
        var name = $"test{Interlocked.Increment(ref _count)}";
        await using var source = Open(string.Empty);
        await using var command = source.CreateCommand($"CREATE DATABASE {name} {options}");
        await command.ExecuteNonQueryAsync();
        return Open(name);
    }

    public async ValueTask DisposeAsync()
    {
        MySqlConnection.ClearAllPools();
        _server.Terminate("TERM");
        await _server.ExitCodeAsync();
        await _server.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private MySqlDataSource Open(string database) => new(new MySqlConnectionStringBuilder
    {
        ConnectionProtocol = MySqlConnectionProtocol.UnixSocket,
        Server = SocketIn(_directory),
        UserID = "root",
        Database = database,
        ConnectionTimeout = 10,
        DefaultCommandTimeout = 10,
    }.ToString());

    private static string SocketIn(string directory) => Path.Combine(directory, "s");

    // Debian keeps it where only root looks for programs.
    private static string FindServer()
    {
        const string Debian = "/usr/sbin/mariadbd";
        return File.Exists(Debian) ? Debian : Tool.Find("mariadbd");
    }
}
