using MutualAuth.Credentials;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Samples;

/// <summary>Logging in with EchoClient at EchoServer: each way in beside the neighbour that is kept out.</summary>
[CancelAfter(120000)]
public sealed class EchoLoginTests
{
    private Workshop _workshop = null!;
    private string _users = null!;
    private string _right = null!;
    private string _wrong = null!;

    [SetUp]
    public void SetUp()
    {
        _workshop = new Workshop();
        _users = _workshop.Write("users", $"alice:{Verifier("pencil")}\nbob smith:{Verifier("pen")}\n");
        _right = _workshop.Write("right", "pencil\n");
        _wrong = _workshop.Write("wrong", "pencils\n");
    }

    [TearDown]
    public void TearDown() => _workshop.Dispose();

    [TestCase(null, true)]
    [TestCase("both", true)]
    [TestCase("either", true)]
    [TestCase("either", false)]
    [TestCase("user", false)]
    [TestCase("user", true)]
    public async Task A_user_logs_in(string? require, bool showsCertificate)
    {
        await using var server = await StartAsync(require);

        var client = await RunAsync(server, showsCertificate, LogIn(_right));

        (client.ExitCode, client.Output).Should().Be((0, "hello"), client.All);
        var name = showsCertificate && require != "user" ? "client.test" : "user:alice";
        (await server.LineAsync()).Should().Be($"accepted name={name} user=alice confirmed=yes tls=1.3 alpn=-");
    }

    [TestCase(null, true)]
    [TestCase("either", true)]
    [TestCase("either", false)]
    [TestCase("user", false)]
    public async Task A_wrong_password_keeps_out_and_says_so_on_both_sides(string? require, bool showsCertificate)
    {
        await using var server = await StartAsync(require);

        var client = await RunAsync(server, showsCertificate, LogIn(_wrong));

        (client.ExitCode, client.Code, client.Output).Should().Be((11, "credentials_wrong", string.Empty), client.All);
        (await server.LineAsync()).Should().StartWith("rejected reason=credentials_wrong name=");
    }

    [TestCase("both", "no_certificate", "certificate_required")]
    [TestCase("either", null, null)]
    [TestCase("user", null, null)]
    public async Task A_user_without_a_certificate_is_refused_by_both_alone(string require, string? reason, string? told)
    {
        await using var server = await StartAsync(require);

        var client = await RunAsync(server, showsCertificate: false, LogIn(_right));

        (client.ExitCode, client.Code).Should().Be(
            told is null ? (0, "accepted name=server.test confirmed=yes tls=1.3 alpn=-") : (11, told), client.All);
        (await server.LineAsync()).Should().StartWith(reason is null ? "accepted " : $"rejected reason={reason} name=-");
    }

    [TestCase("both", "credentials_required")]
    [TestCase("user", "credentials_required")]
    [TestCase("either", null)]
    [TestCase("certificate", null)]
    public async Task A_certificate_alone_is_enough_for_either_and_certificate_only(string require, string? code)
    {
        await using var server = await StartAsync(require);

        var client = await RunAsync(server, showsCertificate: true);

        (client.ExitCode, client.Output).Should().Be(code is null ? (0, "hello") : (11, string.Empty), client.All);
        (await server.LineAsync()).Should().StartWith(code is null ? "accepted name=client.test user=- " : $"rejected reason={code} ");
        client.Code.Should().Be(code ?? client.Code);
    }

    [TestCase("either", "unknown_authority")]
    [TestCase("both", "unknown_authority")]
    public async Task A_right_password_does_not_make_up_for_a_bad_certificate(string require, string reason)
    {
        await using var server = await StartAsync(require);

        var client = await EchoClient.RunAsync(
            "hello\n",
            server.Address,
            _workshop,
            _workshop.Wrong(Flaw.OtherAuthority, Workshop.ClientName, ExtendedKeyUsage.ClientAuth),
            LogIn(_right));

        (client.ExitCode, client.Code).Should().Be((11, "unknown_ca"), client.All);
        (await server.LineAsync()).Should().StartWith($"rejected reason={reason} ");
    }

    [Test]
    public async Task Who_shows_and_says_nothing_is_refused_by_either()
    {
        await using var server = await StartAsync("either");

        var client = await RunAsync(server, showsCertificate: false);

        client.ExitCode.Should().Be(11, client.All);
        (await server.LineAsync()).Should().StartWith("rejected reason=");
    }

    [Test]
    public async Task A_server_where_nobody_logs_in_is_refused_by_a_client_that_would()
    {
        await using var server = await StartAsync("certificate");

        var client = await RunAsync(server, showsCertificate: true, LogIn(_right));

        (client.ExitCode, client.Code, client.Output).Should().Be((10, "credentials_not_asked", string.Empty), client.All);
        (await server.LineAsync()).Should().NotStartWith("accepted ");
    }

    [Test]
    public async Task A_token_is_of_no_use_at_a_server_that_takes_passwords()
    {
        await using var server = await StartAsync("user");

        var client = await RunAsync(server, showsCertificate: false, "--token-file", _workshop.Write("token", "abc.def.ghi\n"));

        (client.ExitCode, client.Code).Should().Be((10, "mechanism_unavailable"), client.All);
        client.LastError.Should().Contain("OAUTHBEARER").And.Contain("SCRAM-SHA-256-PLUS");
        (await server.LineAsync()).Should().Be("refused-by-peer code=refused");
    }

    [TestCase("SCRAM-SHA-256-PLUS", true)]
    [TestCase("SCRAM-SHA-512-PLUS", false)]
    [TestCase("SCRAM-SHA-256", false)]
    [TestCase("PLAIN", false)]
    public async Task Only_the_mechanism_that_is_asked_for_is_used(string mechanism, bool isOffered)
    {
        await using var server = await StartAsync("user");

        var client = await RunAsync(server, showsCertificate: false, [.. LogIn(_right), "--mechanism", mechanism]);

        client.ExitCode.Should().Be(isOffered ? 0 : 10, client.All);
        client.Code.Should().BeOneOf(isOffered ? [client.Code] : ["mechanism_unavailable", "channel_binding_unavailable"]);
    }

    [Test]
    public async Task The_stronger_hash_is_offered_when_every_user_has_it()
    {
        _users = _workshop.Write("users", $"alice:{Verifier("pencil")}\nalice:{Verifier("pencil", ScramHash.Sha512)}\n");
        await using var server = await StartAsync("user");

        (await RunAsync(server, showsCertificate: false, LogIn(_right))).ExitCode.Should().Be(0);
        (await RunAsync(server, showsCertificate: false, [.. LogIn(_right), "--mechanism", "SCRAM-SHA-512-PLUS"])).ExitCode.Should().Be(0);
        (await RunAsync(server, showsCertificate: false, [.. LogIn(_wrong), "--mechanism", "SCRAM-SHA-512-PLUS"])).Code
            .Should().Be("credentials_wrong");
    }

    [Test]
    public async Task A_name_that_needs_it_is_one_token()
    {
        await using var server = await StartAsync("user");

        var client = await RunAsync(server, showsCertificate: false, "--user", "bob smith", "--password-file", _workshop.Write("pen", "pen"));

        client.ExitCode.Should().Be(0, client.All);
        (await server.LineAsync()).Should().Be("accepted name=user:bob%20smith user=bob%20smith confirmed=yes tls=1.3 alpn=-");
    }

    [Test]
    public async Task A_disabled_user_is_refused_like_one_that_does_not_exist()
    {
        _users = _workshop.Write("users", $"alice:!{Verifier("pencil")}\n");
        await using var server = await StartAsync("user");

        var disabled = await RunAsync(server, showsCertificate: false, LogIn(_right));
        var unknown = await RunAsync(server, showsCertificate: false, "--user", "nobody", "--password-file", _right);

        (disabled.ExitCode, disabled.Code).Should().Be((11, "credentials_wrong"), disabled.All);
        (unknown.ExitCode, unknown.LastError).Should().Be((disabled.ExitCode, disabled.LastError));
    }

    [Test]
    public async Task Without_files_the_printed_command_logs_in_with_a_user_of_ours()
    {
        await using var server = await EchoServer.StartAsync("--credentials", _users);
        var printed = await server.Program.ErrorLineAsync("--connect ");
        printed.Should().EndWith(" --user NAME --password-file FILE");
        var arguments = printed[printed.IndexOf("--connect", StringComparison.Ordinal)..].Replace(
            "NAME", "alice", StringComparison.Ordinal).Replace("FILE", _right, StringComparison.Ordinal).Split(' ');

        var client = await EchoClient.RunAsync("hello\n", arguments);

        (client.ExitCode, client.Output).Should().Be((0, "hello"), client.All);
        (await server.LineAsync()).Should().Be("accepted name=client.test user=alice confirmed=yes tls=1.3 alpn=-");
    }

    [Test]
    public async Task A_change_by_EchoUsers_counts_while_the_server_runs()
    {
        await using var server = await StartAsync("user");
        (await RunAsync(server, showsCertificate: false, LogIn(_right))).ExitCode.Should().Be(0);

        await UsersAsync("change", "alice", "--password-file", _wrong, "--iterations", "4096");
        await EventuallyAsync(_wrong, 0);
        (await RunAsync(server, showsCertificate: false, LogIn(_right))).Code.Should().Be("credentials_wrong");
        await UsersAsync("disable", "alice");
        await EventuallyAsync(_wrong, 11);

        async Task UsersAsync(params string[] arguments)
        {
            var ended = await EndedProgram.OfAsync(RunningProgram.StartSample("EchoUsers", [.. arguments, "--file", _users]));
            ended.ExitCode.Should().Be(0, ended.All);
        }

        // The server looks at the file when a second has passed since the last look.
        async Task EventuallyAsync(string password, int exitCode)
        {
            EchoClient last;
            var tries = 0;
            do
            {
                last = await RunAsync(server, showsCertificate: false, LogIn(password));
            }
            while (last.ExitCode != exitCode && ++tries < 5);

            last.ExitCode.Should().Be(exitCode, last.All);
        }
    }

    private static ScramVerifier Verifier(string password, ScramHash? hash = null)
    {
        using var secret = Password.From(password);
        return ScramVerifier.Create(secret, hash, ScramVerifier.MinIterations);
    }

    private static string[] LogIn(string passwordFile) => ["--user", "alice", "--password-file", passwordFile];

    private Task<EchoServer> StartAsync(string? require) =>
        EchoServer.StartAsync(
            _workshop, _workshop.Server(), ["--credentials", _users, .. require is null ? Array.Empty<string>() : ["--require", require]]);

    private Task<EchoClient> RunAsync(EchoServer server, bool showsCertificate, params string[] arguments) =>
        EchoClient.RunAsync("hello\n", server.Address, _workshop, showsCertificate ? _workshop.Client() : null, arguments);
}
