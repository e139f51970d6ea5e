using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace MutualAuth.Benchmarks.TlsSession;

/// <summary>Connects, reads one octet, and closes, many times.</summary>
internal static class Client
{
    internal static Process Start(int port, int count)
    {
        string[] arguments = [.. new[] { port, count }.Select(number => number.ToString(CultureInfo.InvariantCulture))];
        return Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["exec", typeof(Client).Assembly.Location, "client", .. arguments]))!;
    }

    internal static async Task RunAsync(int port, int count)
    {
        using var material = new Material();
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = "leaf.test",
            EnabledSslProtocols = SslProtocols.Tls13,
            ClientCertificateContext = SslStreamCertificateContext.Create(material.Leaf, [material.Issuer], offline: true),
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
            CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, DisableCertificateDownloads = true },
            AllowTlsResume = false,
        };
        for (var done = 0; done < count; done++)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, port);
            await using var stream = new SslStream(new NetworkStream(socket));
            await stream.AuthenticateAsClientAsync(options);
            if (await stream.ReadAsync(new byte[1]) != 1)
            {
                throw new IOException("The server said nothing.");
            }
        }
    }
}
