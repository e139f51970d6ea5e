using System.Globalization;
using System.Net;
using MutualAuth.Benchmarks.Parts;
using MutualAuth.Names;
using MutualAuth.Pinning;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Validation;

namespace MutualAuth.Benchmarks.Scale;

/// <summary>
/// Processor time of both ends for one handshake, with few and with many anchors, pins, revoked serials and live connections, in turns.
/// </summary>
internal static class RateBySize
{
    private const int Rounds = 5;

    internal static async Task RunAsync(bool isSmall)
    {
        using var authority = new TestAuthority();
        using var serverCertificate = authority.IssueServer("server.test");
        using var clientCertificate = authority.IssueClient("client.test");
        var now = TimeProvider.System.GetUtcNow();
        var many = isSmall ? 100 : 1_000_000;
        var plain = new MutualTlsServerOptions
        { Identity = Identity.From(serverCertificate.Certificate), Trust = authority.ToTrustAnchors(), Authorization = Authorize.AnyTrustedPeer };
        var own = SpkiPin.Of(clientCertificate.Certificate);
        (string Name, MutualTlsServerOptions Options)[] cases =
        [
            ("1 anchor, no pins, no lists", plain),
            ($"{many / 100} anchors", plain with { Trust = Anchors(authority, many / 100) }),
            ("2 pins", plain with { Pins = PinSet.Of(own, PinBenchmarks.Pin(0)) }),
            ($"{many} pins", plain with { Pins = PinSet.Of(Enumerable.Range(0, many - 1).Select(PinBenchmarks.Pin).Append(own)) }),
            ("1 revoked serial", plain with { Revocation = new RevocationPolicy { Lists = RevocationBenchmarks.Lists(authority, 1, now) } }),
            ($"{many / 10} live connections", plain),
            (
                $"{many} revoked serials",
                plain with { Revocation = new RevocationPolicy { Lists = RevocationBenchmarks.Lists(authority, many, now) } }),
        ];
        var client = new MutualTlsClient(
            new()
            { Identity = Identity.From(clientCertificate.Certificate), Trust = authority.ToTrustAnchors(), Authorization = Authorize.ServerName });
        var servers = cases.Select(each => new MutualTlsServer(each.Options)).ToArray();
        var listeners = servers.Select(server => MutualTlsListener.Start(new() { Server = server, EndPoint = new IPEndPoint(IPAddress.Loopback, 0) }))
            .ToArray();
        Register(many / 10, authority, servers[Array.FindIndex(cases, each => each.Name.EndsWith("live connections", StringComparison.Ordinal))]);
        var best = Enumerable.Repeat(double.MaxValue, cases.Length).ToArray();
        for (var round = -2; round < (isSmall ? 1 : Rounds); round++)
        {
            for (var which = 0; which < cases.Length; which++)
            {
                var cost = await MeasureAsync(client, listeners[which], isSmall ? 5 : 150);
                best[which] = round < 0 ? best[which] : Math.Min(best[which], cost);
            }
        }

        for (var which = 0; which < cases.Length; which++)
        {
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"a handshake, both ends, {cases[which].Name,-28} {best[which]:F2} ms, ratio {best[which] / best[0]:F2}"));
            await listeners[which].DisposeAsync();
        }
    }

    private static void Register(int count, TestAuthority authority, MutualTlsServer server)
    {
        foreach (var connection in BareConnection.Of(count, authority, new CertificateStage(server.Options)))
        {
            using var ticket = server.Live.Begin();
            ticket.Register(connection, null);
        }
    }

    private static TrustAnchors Anchors(TestAuthority authority, int count)
    {
        var key = TestKey.Shared(KeyAlgorithm.EcdsaP256);
        var others = Enumerable.Range(1, count - 1).Select(
            i => new TestAuthority($"Other {i}", spec => spec with { Key = key }).AsCertificate.RawCertificate);
        return TrustAnchors.FromDer([authority.AsCertificate.RawCertificate, .. others]);
    }

    private static async Task<double> MeasureAsync(MutualTlsClient client, MutualTlsListener listener, int count)
    {
        var before = Environment.CpuUsage.TotalTime;
        for (var done = 0; done < count; done++)
        {
            var accepting = listener.AcceptAsync();
            var connection = await client.ConnectAsync(listener.LocalEndPoint, "server.test");
            var accepted = await accepting;

            // Both at once: each waits for the other to end its side.
            await Task.WhenAll(connection.DisposeAsync().AsTask(), accepted.DisposeAsync().AsTask());
        }

        return (Environment.CpuUsage.TotalTime - before).TotalMilliseconds / count;
    }
}
