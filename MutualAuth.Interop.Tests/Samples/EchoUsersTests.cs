using Microsoft.Data.Sqlite;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Samples;

/// <summary>EchoUsers: what it keeps, in a file and in a database, and what it says when it cannot.</summary>
[CancelAfter(120000)]
[TestFixture("--file")]
[TestFixture("--database")]
public sealed class EchoUsersTests(string kind)
{
    private Workshop _workshop = null!;
    private string _place = null!;
    private string _pencil = null!;
    private string _pen = null!;

    [SetUp]
    public void SetUp()
    {
        _workshop = new Workshop();
        _place = Path.Combine(_workshop.Directory, "users");
        _pencil = _workshop.Write("pencil", "pencil\n");
        _pen = _workshop.Write("pen", "pen\n");
    }

    [TearDown]
    public void TearDown()
    {
        SqliteConnection.ClearAllPools();
        _workshop.Dispose();
    }

    [Test]
    public async Task A_user_goes_through_its_whole_life()
    {
        (await RunAsync("add", "alice", "--password-file", _pencil)).ExitCode.Should().Be(0);
        (await RunAsync("add", "bob smith", "--password-file", _pencil, "--sha-512", "--iterations", "5000")).ExitCode.Should().Be(0);
        (await RunAsync("disable", "alice")).ExitCode.Should().Be(0);
        (await RunAsync("list")).Output.Should().Be("alice disabled SCRAM-SHA-256/600000\nbob%20smith enabled SCRAM-SHA-256/5000 SCRAM-SHA-512/5000");
        (await RunAsync("enable", "alice")).ExitCode.Should().Be(0);
        (await RunAsync("remove", "bob smith")).ExitCode.Should().Be(0);
        (await RunAsync("list")).Output.Should().Be("alice enabled SCRAM-SHA-256/600000");
    }

    [Test]
    public async Task A_new_password_replaces_the_old_one_for_every_hash_and_leaves_the_user_disabled()
    {
        await RunAsync("add", "alice", "--password-file", _pencil, "--sha-512");
        await RunAsync("disable", "alice");
        var before = await FindAsync("alice");

        (await RunAsync("change", "alice", "--password-file", _pen)).ExitCode.Should().Be(0);

        var after = await FindAsync("alice");
        after.IsDisabled.Should().BeTrue();
        after.Verifiers.Select(verifier => verifier.Hash).Should().BeEquivalentTo([ScramHash.Sha256, ScramHash.Sha512]);
        after.Verifiers.Select(verifier => verifier.ToString()).Should().NotIntersectWith(before.Verifiers.Select(verifier => verifier.ToString()));
    }

    [Test]
    public async Task Failures_in_a_row_are_shown_and_an_operator_clears_them()
    {
        (await RunAsync("add", "alice", "--password-file", _pencil, "--iterations", "4096")).ExitCode.Should().Be(0);
        IFailureCountingStore store = kind == "--file"
            ? FileCredentialStore.Open(_place)
            : new DatabaseCredentialStore(SqliteFactory.Instance.CreateDataSource($"Data Source={_place}"));
        await store.AddFailureAsync("alice", 100);
        await store.AddFailureAsync("alice", 100);
        (await RunAsync("list")).Output.Should().Be("alice enabled SCRAM-SHA-256/4096 failures=2");

        (await RunAsync("unlock", "alice")).ExitCode.Should().Be(0);

        (await store.FindFailuresAsync("alice")).Should().Be(0);
        (await RunAsync("list")).Output.Should().Be("alice enabled SCRAM-SHA-256/4096");
        var unknown = await RunAsync("unlock", "nobody");
        (unknown.ExitCode, unknown.Code).Should().Be((1, "no_such_user"), unknown.All);
    }

    [Test]
    public async Task What_is_kept_is_private_and_holds_no_password()
    {
        await RunAsync("add", "alice", "--password-file", _pencil);

        System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(_place)).Should().Contain("SCRAM-SHA-256$").And.NotContain("pencil");
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(_place).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    [Test]
    public async Task Somebody_who_is_there_is_not_added_and_somebody_who_is_not_is_not_changed()
    {
        await RunAsync("add", "alice", "--password-file", _pencil);

        var again = await RunAsync("add", "alice", "--password-file", _pen);

        (again.ExitCode, again.Code).Should().Be((1, "user_exists"), again.All);
        foreach (var verb in new[] { "disable", "enable", "remove" })
        {
            var unknown = await RunAsync(verb, "nobody");
            (unknown.ExitCode, unknown.Code).Should().Be((1, "no_such_user"), unknown.All);
        }

        (await RunAsync("change", "nobody", "--password-file", _pen)).Code.Should().Be("no_such_user");
        (await RunAsync("list")).Output.Should().Be("alice enabled SCRAM-SHA-256/600000");
    }

    [Test]
    public async Task A_password_is_typed_twice_at_a_terminal()
    {
        var alike = await TypeAsync("pencil", "pencil");
        var stored = await FindAsync("alice");
        var different = await TypeAsync("pen", "pencil", verb: "change");

        alike.ExitCode.Should().Be(0, alike.All);
        different.ExitCode.Should().Be(2, different.All);
        different.All.Should().Contain("not the same");
        (await FindAsync("alice")).Should().BeEquivalentTo(stored);
    }

    [TestCase("list", TestName = "{c} list before there is anything")]
    [TestCase("add", TestName = "{c} add without a name")]
    [TestCase("add", "alice", TestName = "{c} no password and no terminal")]
    [TestCase("add", "alice", "pencil", TestName = "{c} a password on the command line")]
    [TestCase("add", "al:ice", "--password-file", "PENCIL", TestName = "{c} a name that is none")]
    [TestCase("add", "alice", "--password-file", "missing", TestName = "{c} a password file that is not there")]
    [TestCase("add", "alice", "--password-file", "EMPTY", TestName = "{c} an empty password")]
    [TestCase("add", "alice", "--password-file", "PENCIL", "--iterations", "4095", TestName = "{c} too few iterations")]
    [TestCase("add", "alice", "--password-file", "PENCIL", "--iterations", "1000001", TestName = "{c} too many iterations")]
    public async Task It_ends_with_2_and_a_sentence(params string[] arguments)
    {
        var run = await RunAsync(
            [.. arguments.Select(argument => argument switch { "PENCIL" => _pencil, "EMPTY" => _workshop.Write("empty", "\n"), _ => argument })]);

        (run.ExitCode, run.Output).Should().Be((2, string.Empty), run.All);
        run.LastError.Should().MatchRegex("^(usage|material): .+");
    }

    [Test]
    public async Task Something_else_than_users_is_left_as_it_is()
    {
        const string Text = "This is neither a list of users nor a database.\n";
        _place = _workshop.Write("text", Text);

        var run = await RunAsync("add", "alice", "--password-file", _pencil);

        (run.ExitCode, run.Code).Should().Be((2, "material"), run.All);
        (await File.ReadAllTextAsync(_place)).Should().Be(Text);
    }

    [Test]
    public async Task Users_are_kept_in_one_place()
    {
        await using var both = RunningProgram.StartSample("EchoUsers", "list", "--file", _place, "--database", _place);
        await using var neither = RunningProgram.StartSample("EchoUsers", "list");

        (await both.ExitCodeAsync()).Should().Be(2, both.ToString());
        (await neither.ExitCodeAsync()).Should().Be(2, neither.ToString());
    }

    private async Task<StoredCredential> FindAsync(string user)
    {
        IWritableCredentialStore store = kind == "--file"
            ? FileCredentialStore.Open(_place)
            : new DatabaseCredentialStore(SqliteFactory.Instance.CreateDataSource($"Data Source={_place};Mode=ReadOnly"));
        return (await store.FindAsync(user, CancellationToken.None))!;
    }

    private Task<EndedProgram> RunAsync(params string[] arguments) =>
        EndedProgram.OfAsync(RunningProgram.StartSample("EchoUsers", [.. arguments, kind, _place]));

    /// <summary>Runs it at a terminal, and types.</summary>
    private Task<EndedProgram> TypeAsync(string first, string second, string verb = "add")
    {
        const string Script = """
            import os, pty, sys
            pid, terminal = pty.fork()
            if pid == 0:
                os.execvp(sys.argv[3], sys.argv[3:])
            seen = b""
            for question, answer in ((b"Password for", sys.argv[1]), (b"Once more", sys.argv[2])):
                while question not in seen:
                    seen += os.read(terminal, 1024)
                os.write(terminal, answer.encode() + b"\r")
            try:
                while part := os.read(terminal, 1024):
                    seen += part
            except OSError:
                pass
            sys.stderr.write(seen.decode().replace("\r", ""))
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            """;
        string[] program = ["dotnet", Repository.Program("EchoUsers"), verb, "alice", "--iterations", "4096", kind, _place];
        return EndedProgram.OfAsync(RunningProgram.Start(Tool.Find("python3"), ["-c", Script, first, second, .. program]));
    }
}
