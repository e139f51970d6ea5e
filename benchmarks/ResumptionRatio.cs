using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Testing;

namespace MutualAuth.Benchmarks;

/// <summary>
/// What session tickets would save and cost: processor time of both ends for a mutual handshake and one octet each way, without tickets, with tickets
/// that nobody comes back with, and resumed. <see cref="SslStream"/> as the library sets it up, without the library, which gives none.
/// </summary>
internal static class ResumptionRatio
{
    private const int Rounds = 9;
    private const int PerRound = 40;

    internal static async Task PrintAsync()
    {
        using var root = new TestAuthority("Root");
        using var issuing = root.IssueIntermediate("Issuing");
        using var server = issuing.IssueServer("server.test");
        using var client = issuing.IssueClient("client.test");
        var (serverContext, clientContext) = (server.ToSslContext(), client.ToSslContext());
        Console.WriteLine("mutual handshake, P-256, one intermediate each; milliseconds of processor time of both ends, median of rounds in turns");
        Console.WriteLine("           no tickets  tickets, not used    resumed  resumed / no tickets  unused / no tickets");
        foreach (var version in new[] { SslProtocols.Tls12, SslProtocols.Tls13 })
        {
            (bool Server, bool Client)[] ways = [(false, false), (true, false), (true, true)];
            var times = ways.Select(_ => new List<double>()).ToArray();
            for (var round = 0; round <= Rounds; round++)
            {
                for (var way = 0; way < ways.Length; way++)
                {
                    var time = await MeasureAsync(serverContext, clientContext, version, ways[way].Server, ways[way].Client);
                    if (round > 0)
                    {
                        times[way].Add(time);
                    }
                }
            }

            var (none, unused, resumed) = (Median(times[0]), Median(times[1]), Median(times[2]));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{version,-8} {none,12:F2} {unused,18:F2} {resumed,10:F2} {resumed / none,21:F2} {unused / none,20:F2}"));
        }
    }

    private static async Task<double> MeasureAsync(
        SslStreamCertificateContext server, SslStreamCertificateContext client, SslProtocols version, bool serverGives, bool clientTakes)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        await MeetAsync(listener, server, client, version, serverGives, clientTakes); // the first is a full one in any case
        using var process = Process.GetCurrentProcess();
        var before = process.TotalProcessorTime;
        for (var count = 0; count < PerRound; count++)
        {
            await MeetAsync(listener, server, client, version, serverGives, clientTakes);
        }

        process.Refresh();
        return (process.TotalProcessorTime - before).TotalMilliseconds / PerRound;
    }

    private static async Task MeetAsync(
        Socket listener,
        SslStreamCertificateContext server,
        SslStreamCertificateContext client,
        SslProtocols version,
        bool serverGives,
        bool clientTakes)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var accepting = listener.AcceptAsync();
        await socket.ConnectAsync(listener.LocalEndPoint!);
        await using var near = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await using var far = new SslStream(new NetworkStream(await accepting, ownsSocket: true));
        await Task.WhenAll(
            far.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
            {
                ServerCertificateContext = server,
                ClientCertificateRequired = true,
                EnabledSslProtocols = version,
                AllowTlsResume = serverGives,
                CertificateChainPolicy = EmptyPolicy(),
                RemoteCertificateValidationCallback = Accept,
            }),
            near.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "server.test",
                ClientCertificateContext = client,
                EnabledSslProtocols = version,
                AllowTlsResume = clientTakes,
                CertificateChainPolicy = EmptyPolicy(),
                RemoteCertificateValidationCallback = Accept,
            }));
        await far.WriteAsync(new byte[1]);
        await near.ReadExactlyAsync(new byte[1]); // takes the tickets in
        await near.ShutdownAsync();
    }

    private static X509ChainPolicy EmptyPolicy() =>
        new() { TrustMode = X509ChainTrustMode.CustomRootTrust, DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck };

    private static bool Accept(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        foreach (var element in chain?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
        {
            element.Certificate.Dispose();
        }

        foreach (var other in chain?.ChainPolicy.ExtraStore ?? Enumerable.Empty<X509Certificate2>())
        {
            other.Dispose();
        }

        return certificate is not null; // it measures what TLS costs, and judges nobody
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
