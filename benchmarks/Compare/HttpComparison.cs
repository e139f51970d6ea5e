using System.Globalization;

namespace MutualAuth.Benchmarks.Compare;

/// <summary>
/// HTTP over mutual TLS, beside Kestrel's and HttpClient's own client certificates: both sides' processor time, and requests per second.
/// </summary>
internal sealed class HttpComparison(CompareOptions options, TextWriter output)
{
    private static readonly string[] s_kinds = ["HttpKestrel", "HttpOurs"];

    internal async Task RunAsync(Scenario scenario, string directory, ChildProcess client)
    {
        var servers = new ChildProcess[s_kinds.Length];
        try
        {
            for (var which = 0; which < servers.Length; which++)
            {
                servers[which] = await ChildProcess.StartSelfAsync(
                    1, "compare-server", s_kinds[which], directory, scenario.Tls, scenario.Keys.ToString());
            }

            await CompareAsync($"{scenario}: HTTP/1.1, a connection for each request", "http1-new", options.Handshakes, servers, client);
            await CompareAsync($"{scenario}: HTTP/1.1, on open connections", "http1", 10 * options.Handshakes, servers, client);
            await CompareAsync($"{scenario}: HTTP/2, on an open connection", "http2", 10 * options.Handshakes, servers, client);
        }
        finally
        {
            foreach (var server in servers)
            {
                if (server is not null)
                {
                    await server.DisposeAsync();
                }
            }
        }
    }

    private async Task CompareAsync(string title, string task, int count, ChildProcess[] servers, ChildProcess client)
    {
        var (server, sender, rate) = (Rows(), Rows(), Rows());
        for (var round = options.IsSmall ? 0 : -4; round < options.Rounds; round++) // what is used often is compiled once more
        {
            for (var turn = 0; turn < servers.Length; turn++)
            {
                var which = (turn + Math.Max(round, 0)) % servers.Length;
                var before = await servers[which].AskAsync("usage");
                var done = await client.AskAsync($"{task} {s_kinds[which]} {servers[which].Port} {count} 0");
                var after = await servers[which].AskAsync("usage");
                if (round >= 0)
                {
                    server[which].Add((after[0] - before[0]) / 1000.0 / count);
                    sender[which].Add(done[0] / 1000.0 / count);
                    rate[which].Add(count / (done[2] / 1e9));
                }
            }
        }

        output.WriteLine();
        output.WriteLine($"{title}; processor time of each side, per request");
        output.WriteLine($"  {"",-18}{"server µs",10}{"ratio",8}{"",15}{"client µs",10}{"ratio",8}{"",15}{"per second",11}");
        for (var row = 0; row < servers.Length; row++)
        {
            var ((ratio, low, high), (senderRatio, senderLow, senderHigh)) = (server[row].To(server[0]), sender[row].To(sender[0]));
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {s_kinds[row],-18}{server[row].Median,10:F0}{ratio,8:F3}  {low:F3}–{high:F3}{sender[row].Median,10:F0}{senderRatio,8:F3}  "
                    + $"{senderLow:F3}–{senderHigh:F3}{rate[row].Median,11:F0}"));
        }
    }

    private static Series[] Rows() => [.. s_kinds.Select(_ => new Series())];
}
