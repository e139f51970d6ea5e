using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Runtimes;

/// <summary>The Python peer of the samples, written from docs/protocol.md: confirmation between two implementations, accepted and refused.</summary>
[CancelAfter(60000)]
public sealed class PythonConfirmingPeerTests
{
    private Workshop _workshop = null!;

    [SetUp]
    public void SetUp() => _workshop = new Workshop(intermediate: true);

    [TearDown]
    public void TearDown() => _workshop.Dispose();

    [Test]
    public async Task Its_client_and_our_server_confirm_each_other()
    {
        await using var server = await ServeAsync();
        await using var client = Connect(server, _workshop.Client());

        await client.WriteAsync("hello\n");

        (await client.LineAsync()).Should().Be("hello", client.ToString());
        (await server.LineAsync()).Should().Be("accepted name=client.test user=- confirmed=yes tls=1.3 alpn=-");
        client.EndInput();
        (await client.ExitCodeAsync()).Should().Be(0);
    }

    [Test]
    [TestCase(Flaw.WrongName, "not_authorized", "access_denied")]
    [TestCase(Flaw.Expired, "certificate_expired", "certificate_expired")]
    [TestCase(Flaw.OtherAuthority, "unknown_authority", "unknown_ca")]
    [TestCase(Flaw.WrongUsage, "wrong_usage", "unsupported_certificate")]
    public async Task Its_client_is_told_in_band_why_our_server_refused_it(Flaw flaw, string reason, string told)
    {
        await using var server = await ServeAsync();
        await using var client = Connect(server, _workshop.Wrong(flaw, Workshop.ClientName, ExtendedKeyUsage.ClientAuth));

        (await server.LineAsync()).Should().StartWith($"rejected reason={reason} name=");
        (await client.ExitCodeAsync()).Should().Be(11, client.ToString());
        client.Errors.Should().Contain($"refused-by-peer code={told}");
    }

    [Test]
    public async Task Our_server_hears_the_verdict_of_its_client()
    {
        await using var server = await ServeAsync();
        await using var client = Connect(server, _workshop.Client(), "--allow", "another.test");

        (await server.LineAsync()).Should().Be("refused-by-peer code=refused");
        (await client.ExitCodeAsync()).Should().Be(10, client.ToString());
    }

    [Test]
    public async Task Our_server_hears_the_alert_of_its_client()
    {
        using var elsewhere = new Workshop();
        await using var server = await ServeAsync();
        await using var client = Start(
            "connect", server.Address, elsewhere.Trust, _workshop.Client(), ["--server-name", Workshop.ServerName]);

        (await server.LineAsync()).Should().Be("refused-by-peer code=unknown_ca");
        (await client.ExitCodeAsync()).Should().Be(10, client.ToString());
    }

    [Test]
    public async Task Its_server_and_our_client_confirm_each_other()
    {
        await using var server = Listen(_workshop.Server());

        var client = await EchoClient.RunAsync("hello\n", await AddressAsync(server), _workshop, _workshop.Client(), "--confirmation", "required");

        (client.ExitCode, client.Output, client.LastError).Should().Be((0, "hello", "accepted name=server.test confirmed=yes tls=1.3 alpn=-"), client.All);
        (await server.LineAsync()).Should().Be("accepted name=client.test confirmed=yes");
    }

    [Test]
    [TestCase(Flaw.WrongName, "access_denied")] // by a verdict
    [TestCase(Flaw.Expired, "certificate_expired")] // by an alert, as are the next two
    [TestCase(Flaw.OtherAuthority, "unknown_ca")]
    [TestCase(Flaw.WrongUsage, "unsupported_certificate")]
    public async Task Our_client_hears_why_its_server_refused_us(Flaw flaw, string told)
    {
        await using var server = Listen(_workshop.Server());

        var client = await EchoClient.RunAsync(
            "hello\n", await AddressAsync(server), _workshop, _workshop.Wrong(flaw, Workshop.ClientName, ExtendedKeyUsage.ClientAuth), "--confirmation", "required");

        (client.ExitCode, client.Code, client.Output).Should().Be((11, told, string.Empty), client.All);
        (await server.LineAsync()).Should().StartWith("rejected reason=");
    }

    [Test]
    public async Task Its_server_hears_that_our_client_refused_it()
    {
        await using var server = Listen(_workshop.Wrong(Flaw.WrongName, Workshop.ServerName, ExtendedKeyUsage.ServerAuth));

        var client = await EchoClient.RunAsync("hello\n", await AddressAsync(server), _workshop, _workshop.Client(), "--confirmation", "required");

        (client.ExitCode, client.Code).Should().Be((10, "server_name_mismatch"), client.All);
        (await server.LineAsync()).Should().Be("refused-by-peer code=refused");
    }

    private Task<EchoServer> ServeAsync() => EchoServer.StartAsync(_workshop, _workshop.Server(), "--confirmation", "required");

    private RunningProgram Connect(EchoServer server, TestCertificateFiles certificate, params string[] more) =>
        Start("connect", server.Address, _workshop.Trust, certificate, ["--server-name", Workshop.ServerName, .. more]);

    private RunningProgram Listen(TestCertificateFiles certificate) => Start("listen", "127.0.0.1:0", _workshop.Trust, certificate, ["--allow", Workshop.ClientName]);

    private static RunningProgram Start(string role, string address, string trust, TestCertificateFiles certificate, string[] more) => RunningProgram.Start(
        Tool.Find("python3"),
        [
            Path.Combine(Repository.Root, "samples", "python-peer", "peer.py"), role, address, "--trust", trust, "--certificate", certificate.Chain, "--key", certificate.Key, .. more,
        ]);

    private static async Task<string> AddressAsync(RunningProgram server) => (await server.LineAsync("listening on "))["listening on ".Length..];
}
