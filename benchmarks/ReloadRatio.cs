using System.Diagnostics;
using System.Globalization;
using System.Net;
using MutualAuth.Testing;

namespace MutualAuth.Benchmarks;

/// <summary>
/// Handshakes per second while certificate, key and trust are rewritten and reloaded ten times a second, against not reloading, round by round.
/// </summary>
internal static class ReloadRatio
{
    private const int Rounds = 8;

    private static readonly TimeSpan s_round = TimeSpan.FromSeconds(2);

    internal static async Task PrintAsync()
    {
        var directory = Directory.CreateTempSubdirectory("mutualauth-reload-").FullName;
        using var authority = new TestAuthority();
        using var one = authority.IssueServer("server.test");
        using var two = authority.IssueServer("server.test");
        using var clientCertificate = authority.IssueClient("client.test");
        one.WriteTo(directory, "server");
        using var trust = new TrustAnchorFiles(authority.WriteTo(directory));
        using var identity = IdentityFiles.FromPem(Path.Combine(directory, "server.pem"), Path.Combine(directory, "server.key"));
        var reloads = 0;
        identity.Replaced += (_, _) => Interlocked.Increment(ref reloads);
        await using var listener = MutualTlsListener.Start(new()
        {
            Server = new MutualTlsServer(new() { Identity = identity, Trust = trust, Authorization = Authorize.AnyTrustedPeer }),
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
        });
        _ = AnswerAsync(listener);
        var client = new MutualTlsClient(
            new() { Identity = Identity.From(clientCertificate.Certificate), Trust = trust, Authorization = Authorize.ServerName });
        await HandshakesPerSecondAsync(client, listener.LocalEndPoint);

        var ratios = new List<double>();
        for (var round = 0; round < Rounds; round++)
        {
            var without = await HandshakesPerSecondAsync(client, listener.LocalEndPoint);
            using var stop = new CancellationTokenSource();
            var reloading = ReloadAsync(identity, trust, directory, [one, two], authority, stop.Token);
            ratios.Add(await HandshakesPerSecondAsync(client, listener.LocalEndPoint) / without);
            await stop.CancelAsync();
            await reloading;
        }

        Directory.Delete(directory, recursive: true);
        ratios.Sort();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"handshakes per second, reloading ten times a second / not reloading, {Rounds} rounds of {s_round.TotalSeconds} s, {reloads} reloads: "
                + $"median {ratios[Rounds / 2]:F2}, from {ratios[0]:F2} to {ratios[^1]:F2}"));
    }

    private static async Task ReloadAsync(
        IdentityFiles identity,
        TrustAnchorFiles trust,
        string directory,
        TestCertificate[] certificates,
        TestAuthority authority,
        CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        for (var count = 1; !cancellationToken.IsCancellationRequested; count++)
        {
            certificates[count % 2].WriteTo(directory, "server");
            await File.WriteAllTextAsync(trust.Paths[0], $"# {count}\n{authority.CertificatePem}", CancellationToken.None);
            identity.Reload();
            trust.Reload();
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    private static async Task AnswerAsync(MutualTlsListener listener)
    {
        await foreach (var connection in listener.AcceptAllAsync())
        {
            await connection.DisposeAsync();
        }
    }

    private static async Task<double> HandshakesPerSecondAsync(MutualTlsClient client, EndPoint endPoint)
    {
        var began = Stopwatch.GetTimestamp();
        var count = 0;
        while (Stopwatch.GetElapsedTime(began) < s_round)
        {
            await using var connection = await client.ConnectAsync(endPoint, "server.test");
            count++;
        }

        return count / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }
}
