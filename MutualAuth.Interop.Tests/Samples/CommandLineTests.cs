using System.Net;
using System.Net.Sockets;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Samples;

/// <summary>What the two programs promise to scripts: exit codes, first and last lines, signals.</summary>
public sealed class CommandLineTests
{
    private static readonly string[][] s_serverMistakes =
    [
        [],
        ["--listen", "nowhere"],
        ["--listen", "::1:0"],
        ["--listen", "127.0.0.1:99999"],
        ["--listen", "127.0.0.1:0", "--no-such-flag"],
        ["--listen", "127.0.0.1:0", "--certificate", "CERTIFICATE", "--key", "KEY"],
        ["--listen", "127.0.0.1:0", "--trust", "TRUST"],
        ["--listen", "127.0.0.1:0", "--key", "KEY"],
        ["--listen", "127.0.0.1:0", "--certificate", "CERTIFICATE", "--key", "KEY", "--trust", "TRUST"],
        ["--listen", "127.0.0.1:0", "--certificate", "CERTIFICATE", "--key", "KEY", "--trust", "TRUST", "--allow-dns", "not a name"],
        ["--listen", "127.0.0.1:0", "--certificate", "CERTIFICATE", "--key", "KEY", "--trust", "TRUST", "--allow-spiffe", "spiffe://Example/"],
        ["--listen", "127.0.0.1:0", "--certificate", "CERTIFICATE", "--trust", "TRUST", "--allow-any-trusted"],
        ["--listen", "127.0.0.1:0", "--certificate", "CERTIFICATE", "--key", "TRUST", "--trust", "TRUST", "--allow-any-trusted"],
        ["--listen", "127.0.0.1:0", "--certificate", "CERTIFICATE", "--key", "KEY", "--trust", "KEY", "--allow-any-trusted"],
        ["--listen", "127.0.0.1:0", "--certificate", "missing.pem", "--key", "KEY", "--trust", "TRUST", "--allow-any-trusted"],
        ["--listen", "127.0.0.1:0", "--pin", "sha256/short"],
        ["--listen", "127.0.0.1:0", "--crl", "missing.pem"],
        ["--listen", "127.0.0.1:0", "--crl", "KEY"],
        ["--listen", "127.0.0.1:0", "--require", "both"],
        ["--listen", "127.0.0.1:0", "--require", "user"],
        ["--listen", "127.0.0.1:0", "--require", "nothing"],
        ["--listen", "127.0.0.1:0", "--credentials", "missing"],
        ["--listen", "127.0.0.1:0", "--credentials", "KEY"],
        ["--listen", "127.0.0.1:0", "--credentials", "USERS", "--confirmation", "never"],
        ["--listen", "127.0.0.1:0", "--min-tls", "1.1"],
        ["--listen", "127.0.0.1:0", "--confirmation", "maybe"],
        ["--listen", "127.0.0.1:0", "--handshake-timeout", "0"],
        ["--listen", "127.0.0.1:0", "--handshake-timeout", "NaN"],
        ["--listen", "127.0.0.1:0", "--max-handshakes", "0"],
    ];

    private static readonly string[][] s_clientMistakes =
    [
        [],
        ["--connect", "127.0.0.1:1"],
        ["--connect", "127.0.0.1", "--trust", "TRUST"],
        ["--connect", "127.0.0.1:1", "--trust", "TRUST", "--no-such-flag"],
        ["--connect", "127.0.0.1:1", "--trust", "missing.pem"],
        ["--connect", "127.0.0.1:1", "--trust", "KEY"],
        ["--connect", "127.0.0.1:1", "--trust", "TRUST", "--key", "KEY"],
        ["--connect", "127.0.0.1:1", "--trust", "TRUST", "--server-name", "not a name"],
        ["--connect", "127.0.0.1:1", "--trust", "TRUST", "--user", "jo"],
        ["--connect", "127.0.0.1:1", "--trust", "TRUST", "--password-file", "PASSWORD"],
        ["--connect", "127.0.0.1:1", "--trust", "TRUST", "--user", "jo", "--password-file", "missing"],
        ["--connect", "127.0.0.1:1", "--trust", "TRUST", "--user", "jo:e", "--password-file", "PASSWORD"],
        ["--connect", "127.0.0.1:1", "--trust", "TRUST", "--user", "jo", "--password-file", "PASSWORD", "--token-file", "PASSWORD"],
        ["--connect", "127.0.0.1:1", "--trust", "TRUST", "--user", "jo", "--password-file", "PASSWORD", "--mechanism", "OAUTHBEARER"],
        ["--connect", "127.0.0.1:1", "--trust", "TRUST", "--user", "jo", "--password-file", "PASSWORD", "--confirmation", "never"],
        ["--connect", "127.0.0.1:1", "--trust", "TRUST", "--token-file", "missing"],
        ["--connect", "127.0.0.1:1", "--trust", "TRUST", "--token-file", "KEY"],
        ["--connect", "127.0.0.1:1", "--trust", "TRUST", "--mechanism", "SCRAM-SHA-256-PLUS"],
        ["--connect", "127.0.0.1:1", "--trust", "TRUST", "--key-password-file", "missing", "--certificate", "CERTIFICATE"],
    ];

    [CancelAfter(60000)]
    [TestCase("EchoServer", "--bogus", "--listen", "127.0.0.1:0", "--trust", "TRUST", "--bogus")]
    [TestCase("EchoServer", "--bogus", "--listen", "127.0.0.1:0", "--allow-dns", "a.test", "--bogus", "--allow-any-trusted")]
    [TestCase("EchoServer", "-v", "--listen", "127.0.0.1:0", "--trust", "TRUST", "-v")]
    [TestCase("EchoClient", "--trsut", "--connect", "127.0.0.1:1", "--certificate", "--trsut", "TRUST")]
    [TestCase("EchoClient", "--bogus", "--connect", "127.0.0.1:1", "--trust", "TRUST", "--bogus", "x")]
    [TestCase("EchoUsers", "--bogus", "add", "jo", "--file", "--bogus")]
    public async Task An_option_that_is_none_is_named(string program, string unknown, params string[] arguments)
    {
        using var workshop = new Workshop();
        await using var running = RunningProgram.StartSample(program, Fill(arguments, workshop));

        (await running.ExitCodeAsync()).Should().Be(2, running.ToString());
        running.Errors[^1].Should().Be($"usage: '{unknown}' is not an option of this program. See --help.");
    }

    [Test]
    [CancelAfter(60000)]
    [TestCaseSource(nameof(s_serverMistakes))]
    public async Task The_server_ends_with_2_and_a_sentence_for(params string[] arguments)
    {
        using var workshop = new Workshop();
        await using var server = RunningProgram.StartSample("EchoServer", Fill(arguments, workshop));

        (await server.ExitCodeAsync()).Should().Be(2, server.ToString());
        server.Output.Should().BeEmpty();
        server.Errors[^1].Should().MatchRegex("^(usage|material): .+");
    }

    [Test]
    [CancelAfter(60000)]
    [TestCaseSource(nameof(s_clientMistakes))]
    public async Task The_client_ends_with_2_and_a_sentence_for(params string[] arguments)
    {
        using var workshop = new Workshop();

        var client = await EchoClient.RunAsync(string.Empty, Fill(arguments, workshop));

        (client.ExitCode, client.Output).Should().Be((2, string.Empty), client.All);
        client.LastError.Should().MatchRegex("^(usage|material): .+");
    }

    [Test]
    [CancelAfter(60000)]
    [TestCase("EchoServer", "--listen", "--allow-spiffe", "--max-handshakes", "--confirmation", "--crl", "--resume", "--credentials")]
    [TestCase("EchoClient", "--connect", "--server-name", "--trust", "--pin", "--min-tls", "--user", "--token-file", "--mechanism")]
    public async Task Help_shows_the_flags_and_ends_with_0(string sample, params string[] flags)
    {
        await using var program = RunningProgram.StartSample(sample, "--help");

        (await program.ExitCodeAsync()).Should().Be(0);
        string.Join('\n', program.Output).Should().ContainAll(flags);
    }

    [Test]
    [CancelAfter(60000)]
    [TestCase("127.0.0.1:0", "127.0.0.1:")]
    [TestCase("[::1]:0", "[::1]:")]
    [TestCase("[::]:0", "[::]:")]
    [TestCase("localhost:0", ":")]
    public async Task The_server_says_first_where_it_listens_and_ends_with_0_when_asked_to(string listen, string expected)
    {
        await using var server = RunningProgram.StartSample("EchoServer", "--listen", listen);
        (await server.LineAsync()).Should().StartWith("listening on ").And.Contain(expected).And.NotEndWith(":0");

        server.Terminate();

        (await server.ExitCodeAsync()).Should().Be(0, server.ToString());
        server.Output.Should().ContainSingle();
    }

    [Test]
    [CancelAfter(60000)]
    public async Task A_server_with_an_open_connection_drains_it_and_ends_with_0()
    {
        using var workshop = new Workshop();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server());
        var certificate = workshop.Client();
        await using var client = RunningProgram.StartSample(
            "EchoClient", "--connect", server.Address, "--server-name", Workshop.ServerName, "--trust", workshop.Trust, "--certificate",
            certificate.Chain, "--key", certificate.Key);
        await client.WriteAsync("before\n");
        await client.LineAsync("before");

        server.Program.Terminate();
        await client.WriteAsync("while it drains\n");

        (await client.LineAsync()).Should().Be("while it drains");
        (await server.Program.ExitCodeAsync()).Should().Be(0, server.Program.ToString());
        (await client.ExitCodeAsync()).Should().BeOneOf(0, 1);
    }

    [Test]
    [CancelAfter(60000)]
    public async Task Without_files_the_server_makes_an_authority_and_prints_a_command_that_works()
    {
        await using var server = await EchoServer.StartAsync();
        var printed = await server.Program.ErrorLineAsync("--connect ");
        var arguments = printed[printed.IndexOf("--connect", StringComparison.Ordinal)..].Split(' ');

        var client = await EchoClient.RunAsync("hello\n", arguments);

        (client.ExitCode, client.Output).Should().Be((0, "hello"), client.All);
        (await server.LineAsync()).Should().Be("accepted name=client.test user=- confirmed=yes tls=1.3 alpn=-");
    }

    [Test]
    [CancelAfter(60000)]
    public async Task A_port_where_nobody_listens_is_14()
    {
        using var workshop = new Workshop();
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // Bound and not listening: nobody else gets the port, and it refuses.

        var client = await EchoClient.RunAsync(string.Empty, $"127.0.0.1:{((IPEndPoint)socket.LocalEndPoint!).Port}", workshop, workshop.Client());

        (client.ExitCode, client.Code).Should().Be((14, "unreachable"), client.All);
    }

    [Test]
    [CancelAfter(60000)]
    public async Task A_server_that_says_nothing_is_13()
    {
        using var workshop = new Workshop();
        using var silent = new Socket(SocketType.Stream, ProtocolType.Tcp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        silent.Listen();

        var client = await EchoClient.RunAsync(string.Empty, $"127.0.0.1:{((IPEndPoint)silent.LocalEndPoint!).Port}", workshop, workshop.Client());

        (client.ExitCode, client.Code).Should().Be((13, "handshake_timed_out"), client.All);
    }

    [Test]
    [CancelAfter(60000)]
    [TestCase("HTTP/1.1 400 Bad Request\r\n\r\n", "plain_http")]
    [TestCase("SSH-2.0-OpenSSH_9.2\r\n", "plain_ssh")]
    [TestCase("", "transport_closed")]
    public async Task A_server_that_does_not_speak_TLS_is_12(string answer, string code)
    {
        using var workshop = new Workshop();
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var serving = AnswerAsync(listener, answer);

        var client = await EchoClient.RunAsync(string.Empty, $"127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port}", workshop, workshop.Client());
        await serving.WaitAsync(RunningProgram.Deadline);

        (client.ExitCode, client.Code).Should().Be((12, code), client.All);
    }

    [Test]
    [CancelAfter(60000)]
    public async Task A_server_that_closes_before_everything_is_back_is_1()
    {
        using var workshop = new Workshop();
        using var certificate = workshop.Issue(Workshop.ServerName, ExtendedKeyUsage.ServerAuth);
        await using var listener = MutualTlsListener.Start(new MutualTlsListenerOptions
        {
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            Server = new MutualTlsServer(new MutualTlsServerOptions
            {
                Identity = MutualAuth.Identity.From(certificate.Certificate, certificate.Chain),
                Trust = MutualAuth.TrustAnchors.FromPemFiles(workshop.Trust),
                Authorization = MutualAuth.Authorize.AnyTrustedPeer,
            }),
        });
        var running = EchoClient.RunAsync("hello\n", $"{listener.LocalEndPoint}", workshop, workshop.Client());
        await using (var connection = await listener.AcceptAsync().AsTask().WaitAsync(RunningProgram.Deadline))
        {
            await connection.Stream.ReadExactlyAsync(new byte[6]).AsTask().WaitAsync(RunningProgram.Deadline);
            await connection.Stream.WriteAsync("hel"u8.ToArray());
        }

        var client = await running;

        (client.ExitCode, client.Code, client.Output).Should().Be((1, "peer_closed", "hel"), client.All);
    }

    [Test]
    [CancelAfter(60000)]
    [TestCase("GET / HTTP/1.1\r\n\r\n", "plain_http")]
    [TestCase("SSH-2.0-OpenSSH_9.2\r\n", "plain_ssh")]
    [TestCase("hello\r\n", "not_tls")]
    [TestCase("\u0016\u0003\u0001", "incomplete_client_hello")]
    [TestCase("", "transport_closed", "no_client_hello")]
    public async Task A_client_that_does_not_speak_TLS_is_rejected_for_what_it_is(string words, params string[] reasons)
    {
        using var workshop = new Workshop();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server());
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, server.Port);

        await socket.SendAsync(System.Text.Encoding.Latin1.GetBytes(words));
        socket.Shutdown(SocketShutdown.Send);

        (await server.LineAsync()).Should().BeOneOf(reasons.Select(reason => $"rejected reason={reason} name=-"));
    }

    private static async Task AnswerAsync(Socket listener, string answer)
    {
        using var socket = await listener.AcceptAsync();
        await socket.ReceiveAsync(new byte[4096]);
        await socket.SendAsync(System.Text.Encoding.ASCII.GetBytes(answer));
        socket.Shutdown(SocketShutdown.Send);
        while (await socket.ReceiveAsync(new byte[4096]) > 0)
        {
        }
    }

    private static IEnumerable<string> Fill(string[] arguments, Workshop workshop)
    {
        var server = workshop.Server();
        return arguments.Select(argument => argument switch
        {
            "CERTIFICATE" => server.Chain,
            "KEY" => server.Key,
            "TRUST" => workshop.Trust,
            "PASSWORD" => workshop.Write("password", "pencil\n"),
            "USERS" => workshop.Write("users", string.Empty),
            _ => argument,
        });
    }
}
