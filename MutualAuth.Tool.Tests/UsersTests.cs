using System.Runtime.Versioning;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>users: the tool as a process, on a file and on a database; no password is on its command line.</summary>
public sealed class UsersTests
{
    private string _directory = null!;

    [SetUp]
    public void SetUp() => _directory = Directory.CreateTempSubdirectory("mutualauth-users-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_directory, recursive: true);

    [TestCase("{0}/users")]
    [TestCase("sqlite:{0}/users.db")]
    public async Task Users_are_added_changed_disabled_and_removed(string storeFormat)
    {
        var store = string.Format(storeFormat, _directory);

        (await ToolRun.AsProcess("pencil\n", "users", "add", "alice", "--store", store)).ExitCode.Should().Be(0);

        var again = await ToolRun.AsProcess("pencil\n", "users", "add", "alice", "--store", store);
        (again.ExitCode, again.ErrorCode).Should().Be((2, "user_exists"), again.ToString());
        (await ListAsync(store)).Should().StartWith("""{"user":"alice","state":"enabled","verifiers":["SCRAM-SHA-256/600000"]}""");
        (await ToolRun.Of("users", "disable", "alice", "--store", store)).Output.Should().Be("disabled alice\n");
        (await ListAsync(store)).Should().Contain("disabled");
        (await ToolRun.Of("users", "enable", "alice", "--store", store)).ExitCode.Should().Be(0);
        (await ToolRun.Of("users", "remove", "alice", "--store", store)).ExitCode.Should().Be(0);
        (await ListAsync(store)).Should().BeEmpty();
        var gone = await ToolRun.Of("users", "disable", "alice", "--store", store);
        (gone.ExitCode, gone.ErrorCode).Should().Be((2, "no_such_user"), gone.ToString());
    }

    [Test]
    [UnsupportedOSPlatform("windows")]
    public async Task The_password_is_the_first_line_of_stdin_and_a_change_replaces_it()
    {
        var path = Path.Combine(_directory, "users");
        await ToolRun.AsProcess("first\nsecond\n", "users", "add", "alice", "--store", path);
        var before = await VerifierAsync(path);
        (await ToolRun.AsProcess("second\n", "users", "password", "alice", "--store", path)).ExitCode.Should().Be(0);

        (await VerifierAsync(path)).Should().NotBe(before);
        File.GetUnixFileMode(path).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Test]
    public async Task Without_a_password_nothing_is_added()
    {
        var run = await ToolRun.AsProcess(string.Empty, "users", "add", "alice", "--store", Path.Combine(_directory, "users"));

        (run.ExitCode, run.ErrorCode).Should().Be((2, "usage"), run.ToString());
    }

    [TestCase("users")]
    [TestCase("sqlite:users.db")]
    [TestCase("postgres:connection")]
    public async Task A_store_that_is_not_there_is_a_failure(string store)
    {
        var run = await ToolRun.Of("users", "list", "--store", store.Replace("users", $"{_directory}/no").Replace("connection", $"{_directory}/no"));

        run.ExitCode.Should().Be(2, run.ToString());
    }

    [Test]
    public async Task A_database_that_does_not_answer_is_a_failure()
    {
        var path = Path.Combine(_directory, "connection");
        await File.WriteAllTextAsync(path, $"Host=127.0.0.1;Port={Bench.FreePort()};Username=u;Password=secret;Database=d;Timeout=2\n");

        var run = await ToolRun.Of("users", "list", "--store", $"postgres:{path}");

        (run.ExitCode, run.ErrorCode).Should().Be((2, "material"), run.ToString());
        run.Errors.Should().NotContain("secret");
    }

    private static async Task<string> ListAsync(string store) => (await ToolRun.Of("users", "list", "--store", store, "--json")).Output;

    private static async Task<string> VerifierAsync(string path)
    {
        using var store = FileCredentialStore.Open(path);
        return (await store.FindAsync("alice", default))!.Verifiers.Single().ToString();
    }
}
