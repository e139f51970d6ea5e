using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace MutualAuth.Testing.Tests.Support;

/// <summary>A plain SslStream handshake over loopback, each side judged by the framework against the given anchors alone.</summary>
internal static class PlainHandshake
{
    internal static async Task<(Exception? Server, Exception? Client)> RunAsync(
        TestCertificate server, TestCertificate client, TestAuthority trustedByServer, TestAuthority trustedByClient, SslProtocols protocol)
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var dialled = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await dialled.ConnectAsync(listener.LocalEndPoint!);
        using var accepted = await listener.AcceptAsync();

        await using var serverStream = new SslStream(new NetworkStream(accepted, ownsSocket: true));
        await using var clientStream = new SslStream(new NetworkStream(dialled, ownsSocket: true));
        var serverRun = Try(serverStream, async () =>
        {
            await serverStream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
            {
                ServerCertificateContext = server.ToSslContext(),
                ClientCertificateRequired = true,
                CertificateChainPolicy = Policy(trustedByServer),
                EnabledSslProtocols = protocol,
            });
            await serverStream.WriteAsync("hello"u8.ToArray());
            serverStream.RemoteCertificate!.GetRawCertData().Should().Equal(client.RawCertificate.ToArray());
        });
        var clientRun = Try(clientStream, async () =>
        {
            await clientStream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "server.test",
                ClientCertificateContext = client.ToSslContext(),
                CertificateChainPolicy = Policy(trustedByClient),
                EnabledSslProtocols = protocol,
            });
            var buffer = new byte[5];
            await clientStream.ReadExactlyAsync(buffer);
        });
        await Task.WhenAll(serverRun, clientRun).WaitAsync(TimeSpan.FromSeconds(15));
        return (await serverRun, await clientRun);
    }

    private static X509ChainPolicy Policy(TestAuthority authority)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(authority.ToCertificateCollection());
        return policy;
    }

    private static async Task<Exception?> Try(SslStream stream, Func<Task> action)
    {
        try
        {
            await action();
            return null;
        }
        catch (Exception exception)
        {
            await stream.DisposeAsync(); // So that the other side sees an end and does not wait for it.
            return exception;
        }
    }
}
