using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Samples;

/// <summary>Second factors on the command line: EchoUsers registers them, EchoServer asks for them, EchoClient shows them.</summary>
[CancelAfter(180000)]
public sealed class EchoFactorTests
{
    private Workshop _workshop = null!;
    private string _users = null!;
    private string _password = null!;

    [SetUp]
    public async Task SetUpAsync()
    {
        _workshop = new Workshop();
        _users = Path.Combine(_workshop.Directory, "users");
        _password = _workshop.Write("password", "pencil\n");
        (await UsersAsync("add", "alice", "--password-file", _password, "--iterations", "4096")).ExitCode.Should().Be(0);
    }

    [TearDown]
    public void TearDown() => _workshop.Dispose();

    [Test]
    public async Task A_one_time_code_lets_in_once_and_a_client_without_one_leaves()
    {
        var secret = _workshop.Write("secret", (await UsersAsync("factor", "totp", "alice")).Output + "\n");
        await using var server = await StartAsync("user+totp");

        var right = await RunAsync(server, "--totp-secret-file", secret);
        var again = await RunAsync(server, "--totp-secret-file", secret);
        var none = await RunAsync(server);

        (right.ExitCode, right.Output).Should().Be((0, "hello"), right.All);
        again.ExitCode.Should().BeOneOf([11, 0], again.All); // the next step may have begun
        (none.ExitCode, none.Code).Should().Be((10, "second_factor_unavailable"), none.All);
        (await server.LineAsync()).Should().Be("accepted name=user:alice user=alice confirmed=yes tls=1.3 alpn=-");
    }

    [Test]
    public async Task A_secret_that_is_stored_encrypted_lets_in_and_one_in_plain_text_does_not()
    {
        var keys = _workshop.Write("factor-keys", $"k1:{Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32))}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(keys, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        var plain = _workshop.Write("plain", (await UsersAsync("factor", "totp", "alice")).Output + "\n");
        await using var server = await StartAsync("user+totp", "--factor-keys", keys);
        var refused = await RunAsync(server, "--totp-secret-file", plain);
        var made = await UsersAsync("factor", "totp", "alice", "--factor-keys", keys);
        made.ExitCode.Should().Be(0, made.All);
        var secret = _workshop.Write("secret", made.Output + "\n");

        // The server looks at the file once a second: until then it has the secret in plain text.
        using var deadline = new CancellationTokenSource(RunningProgram.Deadline);
        var right = await RunAsync(server, "--totp-secret-file", secret);
        while (right.ExitCode != 0)
        {
            deadline.Token.ThrowIfCancellationRequested();
            right = await RunAsync(server, "--totp-secret-file", secret);
        }

        (refused.ExitCode, refused.Code).Should().Be((11, "internal_error"), refused.All);
        (right.ExitCode, right.Output).Should().Be((0, "hello"), right.All);
    }

    [Test]
    public async Task A_passkey_lets_in_and_one_that_was_removed_does_not()
    {
        var passkeys = Path.Combine(_workshop.Directory, "passkeys");
        var added = await UsersAsync("factor", "passkey", "alice", "--passkey-file", passkeys, "--relying-party", Workshop.ServerName);
        added.ExitCode.Should().Be(0, added.All);
        (await UsersAsync("factor", "list")).Output.Should().Be($"alice {added.Output} passkey");
        await using var server = await StartAsync("user+passkey");

        var right = await RunAsync(server, "--passkey-file", passkeys);
        (await UsersAsync("factor", "remove", "alice", added.Output)).ExitCode.Should().Be(0);
        (await UsersAsync("factor", "remove", "alice", added.Output)).ExitCode.Should().Be(1);

        // The server looks at the file once a second: until then it may let in once more.
        using var deadline = new CancellationTokenSource(RunningProgram.Deadline);
        var removed = await RunAsync(server, "--passkey-file", passkeys);
        while (removed.ExitCode == 0)
        {
            deadline.Token.ThrowIfCancellationRequested();
            removed = await RunAsync(server, "--passkey-file", passkeys);
        }

        (right.ExitCode, right.Output).Should().Be((0, "hello"), right.All);
        (removed.ExitCode, removed.Code).Should().Be((11, "credentials_wrong"), removed.All);
    }

    [Test]
    public async Task A_recovery_code_lets_in_once()
    {
        var code = _workshop.Write("code", (await UsersAsync("factor", "recovery", "alice")).Output.Split('\n')[0] + "\n");
        await using var server = await StartAsync("user+totp");

        (await RunAsync(server, "--recovery-code-file", code)).ExitCode.Should().Be(0);
        var again = await RunAsync(server, "--recovery-code-file", code);

        (again.ExitCode, again.Code).Should().Be((11, "credentials_wrong"), again.All);
    }

    private Task<EndedProgram> UsersAsync(params string[] arguments) =>
        EndedProgram.OfAsync(RunningProgram.StartSample("EchoUsers", [.. arguments, "--file", _users]));

    private Task<EchoServer> StartAsync(string require, params string[] more) =>
        EchoServer.StartAsync(
            _workshop, _workshop.Server(), ["--credentials", _users, "--require", require, "--relying-party", Workshop.ServerName, .. more]);

    private Task<EchoClient> RunAsync(EchoServer server, params string[] factor) =>
        EchoClient.RunAsync("hello\n", server.Address, _workshop, null, ["--user", "alice", "--password-file", _password, .. factor]);
}
