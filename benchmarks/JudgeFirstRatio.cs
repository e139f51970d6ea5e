using System.Diagnostics;
using System.Globalization;
using System.Net;
using MutualAuth.Testing;

namespace MutualAuth.Benchmarks;

/// <summary>
/// What <see cref="MutualTlsClientOptions.JudgeServerBeforeShowingIdentity"/> costs: processor time of both ends per handshake,
/// with and without, round by round.
/// </summary>
internal static class JudgeFirstRatio
{
    private const int Rounds = 12;
    private const int Handshakes = 50;

    internal static async Task PrintAsync()
    {
        using var authority = new TestAuthority();
        using var serverCertificate = authority.IssueServer("server.test");
        using var clientCertificate = authority.IssueClient("client.test");
        var trust = authority.ToTrustAnchors();
        var server = new MutualTlsServer(new()
        {
            Identity = Identity.From(serverCertificate.Certificate),
            Trust = trust,
            Authorization = Authorize.AnyTrustedPeer,
        });
        await using var listener = MutualTlsListener.Start(new() { Server = server, EndPoint = new IPEndPoint(IPAddress.Loopback, 0) });
        _ = AnswerAsync(listener);

        var options = new MutualTlsClientOptions
        { Identity = Identity.From(clientCertificate.Certificate), Trust = trust, Authorization = Authorize.ServerName };
        var plain = new MutualTlsClient(options);
        var judging = new MutualTlsClient(options with { JudgeServerBeforeShowingIdentity = true });
        await MeasureAsync(plain, listener.LocalEndPoint);
        await MeasureAsync(judging, listener.LocalEndPoint);

        var ratios = new List<double>();
        for (var round = 0; round < Rounds; round++)
        {
            var without = await MeasureAsync(plain, listener.LocalEndPoint);
            var with = await MeasureAsync(judging, listener.LocalEndPoint);
            ratios.Add(with / without);
        }

        ratios.Sort();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"judge first / default, CPU of both ends, {Rounds} rounds of {Handshakes}: median {ratios[Rounds / 2]:F2}, from {ratios[0]:F2} to "
                + $"{ratios[^1]:F2}"));
    }

    private static async Task AnswerAsync(MutualTlsListener listener)
    {
        await foreach (var connection in listener.AcceptAllAsync())
        {
            await connection.DisposeAsync();
        }
    }

    private static async Task<double> MeasureAsync(MutualTlsClient client, EndPoint endPoint)
    {
        using var process = Process.GetCurrentProcess();
        var before = process.TotalProcessorTime;
        for (var count = 0; count < Handshakes; count++)
        {
            await using var connection = await client.ConnectAsync(endPoint, "server.test");
        }

        process.Refresh();
        return (process.TotalProcessorTime - before).TotalMilliseconds / Handshakes;
    }
}
