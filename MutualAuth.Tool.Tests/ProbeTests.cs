using System.Net;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>Each kind of peer, and the diagnosis of it: the exit code, the code, and what to do.</summary>
public sealed class ProbeTests
{
    private Bench _bench = null!;

    [SetUp]
    public void SetUp() => _bench = new Bench();

    [TearDown]
    public void TearDown() => _bench.Dispose();

    [Test]
    public async Task A_server_of_ours_that_accepts_us_confirms_it()
    {
        await using var server = Listen();

        var run = await Probe(server, ["--trust", _bench.Trust, .. _bench.Ours]);

        run.ExitCode.Should().Be(0, run.ToString());
        run.Step("speaks").GetProperty("protocol").GetString().Should().Be("tls");
        Texts(run, "versions", "versions").Should().Contain("1.3").And.NotContain("1.1");
        Texts(run, "suites", "suites").Should().Contain("TLS_AES_256_GCM_SHA384");
        Texts(run, "groups", "groups").Should().Contain("x25519");
        run.Step("our_verdict").GetProperty("ok").GetBoolean().Should().BeTrue();
        run.Step("asks_for_ours").GetProperty("asked").GetBoolean().Should().BeTrue();
        run.Step("confirmation").GetProperty("confirmed").GetBoolean().Should().BeTrue();
        run.Step("their_verdict").GetProperty("ok").GetBoolean().Should().BeTrue();
        run.Step("agreed").GetProperty("tls").GetString().Should().Be("1.3");
        run.Json[^1].GetProperty("step").GetString().Should().Be("do");
    }

    [TestCase("", null)]
    [TestCase("h2 http/1.1", null)]
    [TestCase("chat/1", "chat/1")]
    public async Task A_server_that_demands_confirmation_is_asked_in_its_words(string spoken, string? named)
    {
        await using var server = Listen(options => options with
        {
            Confirmation = ConfirmationPolicy.Required,
            ApplicationProtocols = [.. spoken.Split(' ', StringSplitOptions.RemoveEmptyEntries)],
        });

        var run = await Probe(server, ["--trust", _bench.Trust, .. _bench.Ours, .. named is null ? [] : new[] { "--alpn", named }]);

        run.ExitCode.Should().Be(0, run.ToString());
        Texts(run, "versions", "versions").Should().Contain("1.3").And.Contain("1.2");
        run.Step("confirmation").GetProperty("confirmed").GetBoolean().Should().BeTrue();
        run.Step("their_verdict").GetProperty("ok").GetBoolean().Should().BeTrue();
        run.Step("agreed").GetProperty("alpn").GetString().Should().Be(named);
    }

    [Test]
    public async Task A_server_that_demands_confirmation_of_another_protocol_has_the_flag_named()
    {
        await using var server = Listen(options => options with { Confirmation = ConfirmationPolicy.Required, ApplicationProtocols = ["chat/1"] });

        var run = await Probe(server, ["--trust", _bench.Trust, .. _bench.Ours, "--alpn", "other/1"]);

        run.ExitCode.Should().Be(12, run.ToString());
        run.Step("do").GetProperty("do").GetString().Should().Contain("--alpn");
    }

    [Test]
    public async Task A_server_that_names_the_authorities_is_heard()
    {
        await using var server = Listen(options => options with { SendAcceptableIssuers = true });

        var run = await Probe(server, "--quick");

        Texts(run, "asks_for_ours", "authorities").Should().Equal("CN=Tool Authority");
    }

    [Test]
    public async Task Without_a_certificate_of_ours_the_server_says_that_it_wants_one()
    {
        await using var server = Listen();

        Expect(await Probe(server, "--quick", "--trust", _bench.Trust), 11, "certificate_required", "--certificate");
    }

    [Test]
    public async Task A_client_that_is_revoked_learns_it()
    {
        _bench.Authority.Revoke(_bench.Client.Issued);
        await using var server = Listen(
            options => options with { Revocation = new RevocationPolicy { Lists = RevocationLists.FromFiles(_bench.WriteList()) } });

        Expect(await Probe(server, ["--quick", "--trust", _bench.Trust, .. _bench.Ours]), 11, "certificate_revoked", "revoked");
    }

    [Test]
    public async Task A_client_that_is_not_let_in_learns_it()
    {
        await using var server = Listen(options => options with { Authorization = Authorize.Dns("another.test") });

        Expect(await Probe(server, ["--quick", "--trust", _bench.Trust, .. _bench.Ours]), 11, "access_denied", "let our name in");
    }

    [Test]
    public async Task A_server_whose_certificate_has_expired_is_named_as_that()
    {
        var expired = _bench.Authority.Issue(spec => spec with
        {
            DnsNames = ["server.test"],
            IPAddresses = [IPAddress.Loopback],
            ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth],
            NotBefore = DateTimeOffset.UtcNow.AddDays(-10),
            NotAfter = DateTimeOffset.UtcNow.AddDays(-1),
        });
        await using var server = Listen(options => options with { Identity = expired.ToIdentity() });

        var run = await Probe(server, "--quick", "--trust", _bench.Trust);

        Expect(run, 10, "certificate_expired", "renew");
        run.Step("certificate").GetProperty("state").GetString().Should().Be("certificate_expired");
        Expect(await Probe(server, "--quick"), 10, "certificate_expired", "renew");
    }

    [Test]
    public async Task A_server_with_another_name_is_named_as_that()
    {
        await using var server = Listen();

        Expect(await Probe(server, "--quick", "--trust", _bench.Trust, "--server-name", "other.test"), 10, "server_name_mismatch",
            "server.test, 127.0.0.1");
        (await Probe(server, ["--quick", "--trust", _bench.Trust, "--server-name", "server.test", .. _bench.Ours])).ExitCode.Should().Be(0);
    }

    [Test]
    public async Task A_server_that_is_revoked_is_named_as_that()
    {
        await using var server = Listen();
        string[] arguments = ["--quick", "--trust", _bench.Trust, .. _bench.Ours];
        (await Probe(server, [.. arguments, "--crl", _bench.WriteList("before")])).ExitCode.Should().Be(0);
        _bench.Authority.Revoke(_bench.Server.Issued);

        Expect(await Probe(server, [.. arguments, "--crl", _bench.WriteList("after")]), 10, "certificate_revoked", "new certificate");
    }

    [Test]
    public async Task A_server_of_an_authority_that_we_do_not_trust_is_named_as_that()
    {
        using var other = new TestAuthority("Another Authority");
        await using var server = Listen();

        Expect(await Probe(server, "--quick", "--trust", other.WriteTo(Path.GetDirectoryName(_bench.Trust)!, "other")), 10, "unknown_authority",
            "CN=Tool Authority");
    }

    [Test]
    public async Task A_server_with_another_key_than_the_pinned_one_is_named_as_that()
    {
        await using var server = Listen();
        var pins = (await ToolRun.Of("pin", _bench.Client.Certificate, "--json")).Json[0].GetProperty("pin").GetString()!;

        Expect(await Probe(server, "--quick", "--trust", _bench.Trust, "--pin", pins), 10, "pin_mismatch", "--pin");
    }

    [Test]
    public async Task Without_trust_there_is_no_verdict_of_ours_and_it_says_so()
    {
        await using var server = Listen();

        var run = await Probe(server, "--quick");

        run.ExitCode.Should().Be(0, run.ToString());
        run.Step("our_verdict").GetProperty("trust").GetString().Should().Be("assumed");
        run.Step("do").GetProperty("do").GetString().Should().Contain("--trust");
    }

    [TestCase("HTTP/1.1 400 Bad Request\r\n\r\n", "", "plain_http", "TLS")]
    [TestCase("HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1.0\r\n\r\n", "plain_http", "TLS",
        TestName = "An_HTTP_server_that_waits_for_a_line_is_recognised")]
    [TestCase("SSH-2.0-OpenSSH_9.2\r\n", "", "plain_ssh", "port")]
    [TestCase("220 mail.test ESMTP\r\n", "", "not_tls", "port")]
    public async Task A_port_that_speaks_something_else_is_recognised(string text, string waitsFor, string code, string cure)
    {
        await using var server = new OneLineServer(text, waitsFor);

        var run = await ToolRun.Of("probe", server.Address, "--json", "--timeout", "0.5");

        Expect(run, 12, code, cure);
        run.Step("reached").GetProperty("ok").GetBoolean().Should().BeTrue();
        run.Step("speaks").GetProperty("ok").GetBoolean().Should().BeFalse();
    }

    [Test]
    public async Task A_port_that_says_nothing_times_out()
    {
        await using var server = new OneLineServer(null);

        Expect(await ToolRun.Of("probe", server.Address, "--json", "--timeout", "0.3"), 13, "handshake_timed_out", "stuck");
    }

    [TestCase("127.0.0.1")]
    [TestCase("localhost")]
    public async Task A_port_where_nothing_listens_is_not_reached(string host)
    {
        var address = $"{host}:{FreePorts.Next()}";

        var run = await ToolRun.Of("probe", address, "--json");

        Expect(run, 14, "unreachable", "start the server");
        run.Step("reached").GetProperty("text").GetString().Should().StartWith($"no: {address} ");
        run.Step("reached").GetProperty("ok").GetBoolean().Should().BeFalse();
    }

    [TestCase("-tls1_3", "1.3")]
    [TestCase("-tls1_2", "1.2")]
    public async Task OpenSSL_is_diagnosed(string version, string tls)
    {
        await using var server = OpenSsl(_bench.Trust, version);
        var address = (await server.LineAsync("ACCEPT "))["ACCEPT ".Length..].Trim();

        var good = await ToolRun.Of(["probe", address, "--json", "--trust", _bench.Trust, .. _bench.Ours]);
        var none = await ToolRun.Of("probe", address, "--json", "--quick", "--trust", _bench.Trust);

        good.ExitCode.Should().Be(0, good.ToString());
        Texts(good, "versions", "versions").Should().Equal(tls);
        Texts(good, "suites", "suites").Should().HaveCountGreaterThan(2);
        Texts(good, "groups", "groups").Should().Contain("x25519").And.Contain("secp256r1").And.Contain("secp521r1");
        good.Step("agreed").GetProperty("tls").GetString().Should().Be(tls);
        good.Step("confirmation").GetProperty("confirmed").GetBoolean().Should().BeFalse();
        good.Step("asks_for_ours").GetProperty("authorities").EnumerateArray().Should().ContainSingle();
        none.ExitCode.Should().Be(11, none.ToString());
        none.Step("do").GetProperty("do").GetString().Should().Contain("--certificate");
    }

    [Test]
    public async Task OpenSSL_that_trusts_another_authority_says_so()
    {
        using var other = new TestAuthority("Another Authority");
        await using var server = OpenSsl(other.WriteTo(Path.GetDirectoryName(_bench.Trust)!, "other"), "-tls1_3");
        var address = (await server.LineAsync("ACCEPT "))["ACCEPT ".Length..].Trim();

        var run = await ToolRun.Of(["probe", address, "--json", "--quick", "--trust", _bench.Trust, .. _bench.Ours]);

        Expect(run, 11, "unknown_ca", "CN=Another Authority");
    }

    [Test]
    public async Task OpenSSL_that_asks_for_no_certificate_is_named_as_that()
    {
        await using var server = RunningProgram.Start(
            Support.Tool.Find("openssl"), "s_server", "-accept", "127.0.0.1:0", "-rev", "-cert", _bench.Server.Certificate, "-key",
                _bench.Server.Key);
        var address = (await server.LineAsync("ACCEPT "))["ACCEPT ".Length..].Trim();

        var run = await ToolRun.Of(["probe", address, "--json", "--quick", "--trust", _bench.Trust, .. _bench.Ours]);

        run.Step("asks_for_ours").GetProperty("asked").GetBoolean().Should().BeFalse();
        run.ErrorCode.Should().Be("server_asked_for_no_certificate", run.ToString());
        run.ExitCode.Should().Be(10);
    }

    [TestCase(true, 0, "")]
    [TestCase(false, 11, "access_denied")]
    public async Task Nginx_is_diagnosed(bool showsOurs, int exitCode, string code)
    {
        var port = FreePorts.Next();
        var directory = Path.GetDirectoryName(_bench.Trust)!;
        await using var server = RunningProgram.Start(
            Support.Tool.FindFile("nginx", "/usr/sbin/nginx", "/usr/bin/nginx"),
            "-e", "stderr", "-p", directory, "-c", _bench.Write(
                "nginx.conf",
                $$"""
                daemon off;
                master_process off;
                pid {{directory}}/nginx.pid;
                error_log stderr info;
                events {}
                http {
                    access_log off;
                    client_body_temp_path {{directory}}/body;
                    proxy_temp_path {{directory}}/proxy;
                    fastcgi_temp_path {{directory}}/fastcgi;
                    uwsgi_temp_path {{directory}}/uwsgi;
                    scgi_temp_path {{directory}}/scgi;
                    server {
                        listen 127.0.0.1:{{port}} ssl;
                        ssl_certificate {{_bench.Server.Certificate}};
                        ssl_certificate_key {{_bench.Server.Key}};
                        ssl_client_certificate {{_bench.Trust}};
                        ssl_verify_client on;
                        ssl_protocols TLSv1.2 TLSv1.3;
                        location / { return 200 "hello"; }
                    }
                }

                """));
        await ListensAsync(port, server);

        var run = await ToolRun.Of(
            ["probe", $"127.0.0.1:{port}", "--json", "--alpn", "http/1.1", "--trust", _bench.Trust, .. showsOurs ? _bench.Ours : []]);

        run.ExitCode.Should().Be(exitCode, $"{run}\n{server}");
        run.ErrorCode.Should().Be(code);
        Texts(run, "versions", "versions").Should().Equal("1.3", "1.2");
        run.Step("asks_for_ours").GetProperty("authorities").EnumerateArray().Should().ContainSingle();
        run.Step("their_verdict").GetProperty("answer").GetString().Should().Contain(showsOurs ? " 200 " : " 400 ");
    }

    [Test]
    public async Task Go_is_diagnosed()
    {
        var directory = Path.GetDirectoryName(_bench.Trust)!;
        var program = Path.Combine(directory, "server-go");
        await using var go = RunningProgram.Start(
            Support.Tool.Find("go"), "build", "-o", program, Path.Combine(AppContext.BaseDirectory, "Peers", "server.go"));
        (await go.ExitCodeAsync(TimeSpan.FromMinutes(2))).Should().Be(0, go.ToString());
        await using var server = RunningProgram.Start(program, directory);
        var address = (await server.LineAsync("listening on "))["listening on ".Length..];

        var good = await ToolRun.Of(["probe", address, "--json", "--trust", _bench.Trust, .. _bench.Ours]);
        var none = await ToolRun.Of("probe", address, "--json", "--quick", "--trust", _bench.Trust);

        good.ExitCode.Should().Be(0, good.ToString());
        Texts(good, "versions", "versions").Should().StartWith("1.3").And.Contain("1.2");
        Texts(good, "groups", "groups").Should().Contain("x25519");
        good.Step("asks_for_ours").GetProperty("authorities").EnumerateArray().Should().ContainSingle();
        none.ExitCode.Should().Be(11, none.ToString());
        none.Step("do").GetProperty("do").GetString().Should().Contain("--certificate");
    }

    private MutualTlsListener Listen(Func<MutualTlsServerOptions, MutualTlsServerOptions>? change = null)
    {
        var options = new MutualTlsServerOptions
        {
            Identity = _bench.Server.Issued.ToIdentity(),
            Trust = _bench.Authority.ToTrustAnchors(),
            Authorization = Authorize.Dns("client.test"),
        };
        return MutualTlsListener.Start(new MutualTlsListenerOptions
        { EndPoint = new IPEndPoint(IPAddress.Loopback, 0), Server = new MutualTlsServer(change?.Invoke(options) ?? options) });
    }

    private static Task<ToolRun> Probe(MutualTlsListener server, params string[] arguments) =>
        ToolRun.Of(["probe", server.LocalEndPoint.ToString()!, "--json", .. arguments]);

    private RunningProgram OpenSsl(string trust, string version) => RunningProgram.Start(
        Support.Tool.Find("openssl"), "s_server", "-accept", "127.0.0.1:0", "-rev", "-cert", _bench.Server.Certificate, "-key", _bench.Server.Key,
        "-CAfile", trust, "-Verify", "3", "-verify_return_error", version);

    private static async Task ListensAsync(int port, RunningProgram server)
    {
        using var deadline = new CancellationTokenSource(RunningProgram.Deadline);
        while (true)
        {
            try
            {
                using var client = new System.Net.Sockets.TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port, deadline.Token);
                return;
            }
            catch (System.Net.Sockets.SocketException) when (!deadline.IsCancellationRequested && !server.HasEnded)
            {
                await Task.Yield();
            }
        }
    }

    private static IEnumerable<string?> Texts(ToolRun run, string step, string property) =>
        run.Step(step).GetProperty(property).EnumerateArray().Select(text => text.GetString());

    private static void Expect(ToolRun run, int exitCode, string code, string cure)
    {
        run.ExitCode.Should().Be(exitCode, run.ToString());
        run.ErrorCode.Should().Be(code, run.ToString());
        var last = run.Json[^1];
        last.GetProperty("step").GetString().Should().Be("do");
        last.GetProperty("code").GetString().Should().Be(code);
        last.GetProperty("do").GetString().Should().Contain(cure);
    }
}
