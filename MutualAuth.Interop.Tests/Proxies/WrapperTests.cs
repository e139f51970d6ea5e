using System.Net;
using System.Net.Sockets;
using System.Text;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Proxies;

/// <summary>nginx and stunnel as the other end of mutual TLS: in front of a plain server, and behind a plain client.</summary>
[CancelAfter(120000)]
public sealed class WrapperTests
{
    private const string Greeting = "hello through a wrapper";

    private Workshop _workshop = null!;

    [SetUp]
    public void SetUp() => _workshop = new Workshop();

    [TearDown]
    public void TearDown() => _workshop.Dispose();

    [Test]
    public async Task Our_client_is_let_in_by_its_server([Values] bool isNginx)
    {
        using var plain = PlainEcho.Start();
        await using var server = await ServerAsync(isNginx, plain, _workshop.Server());

        var client = await EchoClient.RunAsync(Greeting + "\n", $"127.0.0.1:{server.Port}", _workshop, _workshop.Client());

        (client.ExitCode, client.Output).Should().Be((0, Greeting), client.All + server);
        client.LastError.Should().Be("accepted name=server.test confirmed=no tls=1.3 alpn=-");
    }

    [Test]
    public async Task Our_client_is_not_let_in_with_a_certificate_of_elsewhere([Values] bool isNginx)
    {
        using var plain = PlainEcho.Start();
        await using var server = await ServerAsync(isNginx, plain, _workshop.Server());

        var client = await EchoClient.RunAsync(
            Greeting + "\n",
            $"127.0.0.1:{server.Port}",
            _workshop,
            _workshop.Wrong(Flaw.OtherAuthority, Workshop.ClientName, ExtendedKeyUsage.ClientAuth));

        // stunnel sends an alert; nginx judges after TLS and closes.
        client.Output.Should().BeEmpty();
        client.ExitCode.Should().Be(isNginx ? 1 : 11, client.All + server);
        client.Code.Should().Be(isNginx ? "peer_closed" : "unknown_ca");
    }

    [Test]
    public async Task Our_client_rejects_its_server([Values] bool isNginx)
    {
        using var plain = PlainEcho.Start();
        await using var server = await ServerAsync(
            isNginx, plain, _workshop.Wrong(Flaw.Expired, Workshop.ServerName, ExtendedKeyUsage.ServerAuth));

        var client = await EchoClient.RunAsync(Greeting + "\n", $"127.0.0.1:{server.Port}", _workshop, _workshop.Client());

        (client.ExitCode, client.Code, client.Output).Should().Be((10, "certificate_expired", string.Empty), client.All);
    }

    [Test]
    public async Task Our_server_lets_its_client_in([Values] bool isNginx)
    {
        await using var server = await EchoServer.StartAsync(_workshop, _workshop.Server());
        await using var client = await ClientAsync(isNginx, server, _workshop.Client());
        using var plain = await client.DialAsync();
        await plain.SendAsync(Encoding.ASCII.GetBytes(Greeting));

        (await server.LineAsync("accepted")).Should().Be("accepted name=client.test user=- confirmed=no tls=1.3 alpn=-");
        (await ReadAsync(plain, Greeting.Length)).Should().Be(Greeting);
    }

    [Test]
    public async Task Our_server_rejects_its_client([Values] bool isNginx)
    {
        await using var server = await EchoServer.StartAsync(_workshop, _workshop.Server());
        await using var client = await ClientAsync(
            isNginx, server, _workshop.Wrong(Flaw.Expired, Workshop.ClientName, ExtendedKeyUsage.ClientAuth));
        using var plain = await client.DialAsync();
        await plain.SendAsync(Encoding.ASCII.GetBytes(Greeting));

        (await server.LineAsync("certificate_expired")).Should().Be("rejected reason=certificate_expired name=client.test");
        (await ReadAsync(plain, 1)).Should().BeEmpty();
    }

    private Task<Forwarder> ServerAsync(bool isNginx, Socket plain, TestCertificateFiles certificate)
    {
        var port = ((IPEndPoint)plain.LocalEndPoint!).Port;
        return isNginx
            ? Forwarder.NginxAsync(
                _workshop,
                port,
                $"""
                ssl_certificate {certificate.Chain};
                ssl_certificate_key {certificate.Key};
                ssl_protocols TLSv1.2 TLSv1.3;
                ssl_client_certificate {_workshop.Trust};
                ssl_verify_client on;
                """,
                "ssl")
            : Forwarder.StunnelAsync(
                _workshop,
                port,
                $"""
                cert = {certificate.Chain}
                key = {certificate.Key}
                CAfile = {_workshop.Trust}
                verifyChain = yes
                requireCert = yes
                """);
    }

    private Task<Forwarder> ClientAsync(bool isNginx, EchoServer server, TestCertificateFiles certificate) => isNginx
        ? Forwarder.NginxAsync(
            _workshop,
            server.Port,
            $"""
            proxy_ssl on;
            proxy_ssl_protocols TLSv1.2 TLSv1.3;
            proxy_ssl_certificate {certificate.Chain};
            proxy_ssl_certificate_key {certificate.Key};
            proxy_ssl_trusted_certificate {_workshop.Trust};
            proxy_ssl_verify on;
            proxy_ssl_server_name on;
            proxy_ssl_name {Workshop.ServerName};
            """)
        : Forwarder.StunnelAsync(
            _workshop,
            server.Port,
            $"""
            client = yes
            cert = {certificate.Chain}
            key = {certificate.Key}
            CAfile = {_workshop.Trust}
            verifyChain = yes
            checkHost = {Workshop.ServerName}
            sni = {Workshop.ServerName}
            """);

    private static async Task<string> ReadAsync(Socket socket, int length)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: false);
        var buffer = new byte[length];
        using var deadline = new CancellationTokenSource(RunningProgram.Deadline);
        try
        {
            return Encoding.ASCII.GetString(buffer, 0, await stream.ReadAtLeastAsync(buffer, length, throwOnEndOfStream: false, deadline.Token));
        }
        catch (IOException)
        {
            return string.Empty; // a reset ends it too
        }
    }
}
