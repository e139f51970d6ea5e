using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Credentials;
using MutualAuth.Spiffe;
using MutualAuth.Spiffe.Testing;
using MutualAuth.Tests.Support;
using MutualAuth.Tokens;

namespace MutualAuth.Tests;

/// <summary>A proxy that ends TLS: the workload's certificate goes no further than to it, and its token does.</summary>
[CancelAfter(60000)]
public sealed class BehindAProxyTests
{
    private const string Audience = "spiffe://example.org/invoices";
    private static readonly SslApplicationProtocol s_confirmed = new("mutualauth/1");

    /// <summary>The neighbour has a token for another service.</summary>
    [Test]
    public async Task The_server_knows_the_workload_by_its_token_and_the_proxy_by_its_certificate([Values] bool isForUs)
    {
        using var domain = new TestTrustDomain("example.org");
        await using var agent = await FakeWorkloadApi.StartAsync(domain.Update("/billing"));
        var address = WorkloadApiAddress.Parse(agent.Address);
        await using var keys = await JwtSource.ConnectAsync(new JwtSourceOptions { Address = address });
        await using var tokens = JwtSvids.Renewing(new JwtSvidRequest { Audiences = [isForUs ? Audience : "payroll"], Address = address });
        var validator = new JwtSvidValidator(new JwtSvidValidatorOptions
        {
            Audiences = [Audience],
            Bundles = keys,
            Workloads = WorkloadRule.SpiffeId("spiffe://example.org/billing"),
        });
        using var serverPort = Listen();
        using var proxyPort = Listen();
        var accepting = AcceptAsync(serverPort, Sockets.Server(validator));
        var proxying = ProxyAsync(proxyPort, (IPEndPoint)serverPort.LocalEndpoint);
        var client = Sockets.Client(Login.WithToken(tokens.GetForAsync));

        var dialled = await Sockets.End.OfAsync(
            client.ConnectAsync((IPEndPoint)proxyPort.LocalEndpoint, "server.test").WaitAsync(Sockets.Deadline));
        var accepted = await Sockets.End.OfAsync(accepting.WaitAsync(Sockets.Deadline));
        await using var ends = new Sockets.Ends(dialled, accepted);

        if (isForUs)
        {
            accepted.Connection!.Peer.User!.Name.Should().Be("spiffe://example.org/billing");
            accepted.Connection.Peer.Name.Should().Be("proxy.test");
            await dialled.Connection!.Stream.WriteAsync(new byte[] { 7 });
            var octet = new byte[1];
            await accepted.Connection.Stream.ReadExactlyAsync(octet).AsTask().WaitAsync(Sockets.Deadline);
            octet[0].Should().Be(7);
        }
        else
        {
            accepted.Failure!.Rejection!.Reason.Should().Be(RejectionReason.TokenAudienceWrong);
            dialled.Connection.Should().BeNull();
        }

        dialled.Connection?.Abort();
        accepted.Connection?.Abort();
        await proxying.WaitAsync(Sockets.Deadline);
    }

    private static TcpListener Listen()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return listener;
    }

    private static async Task<MutualTlsConnection> AcceptAsync(TcpListener listener, MutualTlsServerOptions options) =>
        await new MutualTlsServer(options).AcceptAsync(await listener.AcceptSocketAsync());

    /// <summary>Ends TLS on both sides, and carries octets. It is no code of the library's.</summary>
    private static async Task ProxyAsync(TcpListener listener, IPEndPoint server)
    {
        using var forClients = Sockets.Authority.IssueServer("server.test");
        using var forServers = Sockets.Authority.IssueClient("proxy.test");
        using var near = await listener.AcceptTcpClientAsync();
        await using var client = new SslStream(near.GetStream());
        await client.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificate = forClients.Certificate,
            ClientCertificateRequired = true,
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
            ApplicationProtocols = [s_confirmed],
        });
        using var far = new TcpClient();
        await far.ConnectAsync(server);
        await using var upstream = new SslStream(far.GetStream());
        await upstream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "server.test",
            ClientCertificates = new X509CertificateCollection { forServers.Certificate },
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
            ApplicationProtocols = [s_confirmed],
        });
        try
        {
            await Task.WhenAny(client.CopyToAsync(upstream), upstream.CopyToAsync(client));
        }
        catch (IOException)
        {
            // One side has gone.
        }
    }
}
