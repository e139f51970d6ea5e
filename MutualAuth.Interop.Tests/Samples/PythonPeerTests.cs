using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Samples;

/// <summary>
/// samples/python-peer, written from docs/protocol.md alone, with EchoServer and EchoClient: accepted and refused, by frames and by alerts.
/// </summary>
[CancelAfter(120000)]
public sealed class PythonPeerTests
{
    private Workshop _workshop = null!;

    [SetUp]
    public void SetUp() => _workshop = new Workshop();

    [TearDown]
    public void TearDown() => _workshop.Dispose();

    [TestCase("1.2")]
    [TestCase("1.3")]
    public async Task Its_client_is_accepted_and_confirmed_and_everything_comes_back(string tls)
    {
        await using var server = await EchoServer.StartAsync(_workshop, _workshop.Server(), "--alpn", "echo", "--confirmation", "required");
        var lines = string.Join('\n', Enumerable.Range(0, 20_000).Select(number => $"line {number}"));

        await using var client = StartClient(server.Address, _workshop.Client(), "--alpn", "echo", "--max-tls", tls);
        await client.WriteAsync(lines);
        client.EndInput();

        (await client.ExitCodeAsync()).Should().Be(0, client.ToString());
        string.Join('\n', client.Output).Should().Be(lines);
        (await server.LineAsync()).Should().Be($"accepted name=client.test user=- confirmed=yes tls={tls} alpn=echo");
    }

    [TestCase(Flaw.OtherAuthority, "unknown_authority", "unknown_ca")]
    [TestCase(Flaw.Expired, "certificate_expired", "certificate_expired")]
    [TestCase(Flaw.WrongUsage, "wrong_usage", "unsupported_certificate")]
    [TestCase(Flaw.WrongName, "not_authorized", "access_denied")]
    public async Task Its_client_that_the_server_rejects_learns_the_public_reason(Flaw flaw, string reason, string told)
    {
        await using var server = await EchoServer.StartAsync(_workshop, _workshop.Server());

        await using var client = StartClient(server.Address, _workshop.Wrong(flaw, Workshop.ClientName, ExtendedKeyUsage.ClientAuth));

        (await server.LineAsync()).Should().StartWith($"rejected reason={reason} ");
        (await client.ExitCodeAsync()).Should().Be(11, client.ToString());
        client.Errors[^1].Should().StartWith(told + ":");
    }

    [TestCase(Flaw.OtherAuthority, "unknown_ca")]
    [TestCase(Flaw.Expired, "certificate_expired")]
    [TestCase(Flaw.WrongName, "bad_certificate")]
    [TestCase(Flaw.WrongUsage, "unsupported_certificate")]
    public async Task A_server_that_its_client_rejects_learns_it_by_the_alert(Flaw flaw, string told)
    {
        await using var server = await EchoServer.StartAsync(_workshop, _workshop.Wrong(flaw, Workshop.ServerName, ExtendedKeyUsage.ServerAuth));

        await using var client = StartClient(server.Address, _workshop.Client());

        (await server.LineAsync()).Should().Be($"refused-by-peer code={told}");
        (await client.ExitCodeAsync()).Should().Be(10, client.ToString());
    }

    [Test]
    public async Task Its_client_finds_no_agreement_with_a_server_that_never_confirms()
    {
        await using var server = await EchoServer.StartAsync(_workshop, _workshop.Server(), "--confirmation", "never");

        await using var client = StartClient(server.Address, _workshop.Client());

        (await client.ExitCodeAsync()).Should().Be(12, client.ToString());
        client.Errors[^1].Should().Be("failed: confirmation_unavailable");
    }

    [Test]
    public async Task Its_client_finds_no_agreement_with_a_server_of_another_protocol()
    {
        await using var server = await EchoServer.StartAsync(_workshop, _workshop.Server(), "--alpn", "other");

        await using var client = StartClient(server.Address, _workshop.Client(), "--alpn", "echo");

        (await client.ExitCodeAsync()).Should().Be(11, client.ToString());
        client.Errors[^1].Split(':')[0].Should().BeOneOf("no_application_protocol", "refused");
    }

    [TestCase("1.2")]
    [TestCase("1.3")]
    public async Task Its_server_accepts_and_both_know(string tls)
    {
        await using var server = await StartServerAsync(_workshop.Server(), "--alpn", "echo", "--max-tls", tls);

        var client = await EchoClient.RunAsync(
            "hello\nyou\n", AddressOf(server), _workshop, _workshop.Client(), "--alpn", "echo", "--confirmation", "required");

        (client.ExitCode, client.Output).Should().Be((0, "hello\nyou"), client.All);
        client.LastError.Should().Be($"accepted name=server.test confirmed=yes tls={tls} alpn=echo");
        (await server.LineAsync()).Should().Be($"accepted name=client.test confirmed=yes tls={tls} alpn=mutualauth/1+echo");
    }

    [Test]
    public async Task Its_server_refuses_a_name_that_is_not_on_its_list_by_a_frame([Values("1.2", "1.3")] string tls)
    {
        await using var server = await StartServerAsync(_workshop.Server(), "--max-tls", tls);

        var client = await EchoClient.RunAsync(
            "hello\n", AddressOf(server), _workshop, _workshop.Wrong(Flaw.WrongName, Workshop.ClientName, ExtendedKeyUsage.ClientAuth));

        (client.ExitCode, client.Code, client.Output).Should().Be((11, "access_denied", string.Empty), client.All);
        (await server.LineAsync()).Should().Be("rejected reason=not_authorized");
    }

    [TestCase(Flaw.OtherAuthority, "unknown_ca")]
    [TestCase(Flaw.Expired, "certificate_expired")]
    [TestCase(Flaw.WrongUsage, "unsupported_certificate")]
    public async Task Its_server_refuses_a_bad_certificate_by_an_alert_which_is_its_verdict(Flaw flaw, string told)
    {
        await using var server = await StartServerAsync(_workshop.Server());

        var client = await EchoClient.RunAsync(
            "hello\n", AddressOf(server), _workshop, _workshop.Wrong(flaw, Workshop.ClientName, ExtendedKeyUsage.ClientAuth));

        (client.ExitCode, client.Code, client.Output).Should().Be((11, told, string.Empty), client.All);
        (await server.LineAsync()).Should().StartWith("rejected reason=");
    }

    [Test]
    public async Task Its_server_refuses_a_client_without_a_certificate()
    {
        await using var server = await StartServerAsync(_workshop.Server());

        var client = await EchoClient.RunAsync("hello\n", AddressOf(server), _workshop, certificate: null);

        (client.ExitCode, client.Code, client.Output).Should().Be((11, "certificate_required", string.Empty), client.All);
        (await server.LineAsync()).Should().Be("rejected reason=no certificate");
    }

    [TestCase(Flaw.OtherAuthority, "unknown_authority")]
    [TestCase(Flaw.WrongName, "server_name_mismatch")]
    [TestCase(Flaw.Expired, "certificate_expired")]
    public async Task Its_server_learns_in_the_handshake_that_the_client_rejects_it_and_no_more(Flaw flaw, string reason)
    {
        await using var server = await StartServerAsync(_workshop.Wrong(flaw, Workshop.ServerName, ExtendedKeyUsage.ServerAuth));

        var client = await EchoClient.RunAsync("hello\n", AddressOf(server), _workshop, _workshop.Client());

        (client.ExitCode, client.Code).Should().Be((10, reason), client.All);
        (await server.LineAsync()).Should().Be("refused-by-peer code=refused");
    }

    [Test]
    public async Task Its_server_turns_away_a_client_that_does_not_confirm()
    {
        await using var server = await StartServerAsync(_workshop.Server());

        var client = await EchoClient.RunAsync("hello\n", AddressOf(server), _workshop, _workshop.Client(), "--confirmation", "never");

        client.ExitCode.Should().NotBe(0);
        client.Output.Should().BeEmpty();
        (await server.LineAsync()).Should().Be("failed: confirmation_unavailable");
    }

    private RunningProgram StartClient(string address, TestCertificateFiles certificate, params string[] arguments) => Start(
        [
            "client", "--connect", address, "--server-name", Workshop.ServerName, "--trust", _workshop.Trust, "--certificate", certificate.Chain,
            "--key", certificate.Key, .. arguments,
        ]);

    private async Task<RunningProgram> StartServerAsync(TestCertificateFiles certificate, params string[] arguments)
    {
        var server = Start(
            [
                "server", "--allow-dns", Workshop.ClientName, "--trust", _workshop.Trust, "--certificate", certificate.Chain, "--key",
                certificate.Key, .. arguments,
            ]);
        await server.LineAsync("listening on ");
        return server;
    }

    private static RunningProgram Start(string[] arguments) =>
        RunningProgram.Start(Tool.Find("python3"), ["-B", Path.Combine(Repository.Root, "samples", "python-peer", "peer.py"), .. arguments]);

    private static string AddressOf(RunningProgram server) => server.Output[0]["listening on ".Length..];
}
