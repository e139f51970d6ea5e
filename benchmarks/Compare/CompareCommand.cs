using System.Globalization;
using System.Security.Cryptography;
using MutualAuth.Testing;

namespace MutualAuth.Benchmarks.Compare;

/// <summary>
/// The whole, beside what else one could use: processor time per handshake as the operating system accounts it, servers on one core, clients on
/// another, candidates in turns within each round.
/// </summary>
internal sealed class CompareCommand(CompareOptions options, TextWriter output)
{
    private const string Floor = nameof(PlainStyle.Floor);

    // Ours, in a process with the configuration of OpenSSL that we ship.
    private const string Configured = "OursConfigured";
    private const string FloorConfigured = "FloorConfigured";
    private const string FloorConfirmed = "FloorConfirmed";

    private static readonly Candidate[] s_servers =
    [
        new("Floor", Floor, Floor),
        new("Ours", "Ours", "Ours"),
        new("OursConfigured", Configured, "Ours"),
        new("FloorConfigured", FloorConfigured, Floor),
        new("FloorConfirmed", FloorConfirmed, nameof(PlainStyle.FloorConfirmed)),
        new("OursWithLogin", "OursWithLogin", "OursWithLogin"),
        new("OursWithoutCaches", "OursWithoutCaches", "Ours"),
        new("Tuned", nameof(PlainStyle.Tuned), Floor),
        new("TunedWithTickets", nameof(PlainStyle.TunedWithTickets), Floor),
        new("Typical", nameof(PlainStyle.Typical), Floor),
        new("C", "c 0", Floor),
        new("CWithTickets", "c 1", Floor),
        new("Go", "go 0", Floor),
        new("GoWithTickets", "go 1", Floor),
    ];

    private static readonly Candidate[] s_clients =
    [
        new("Floor", Floor, Floor) { IsClient = true },
        new("Ours", "Ours", "Ours") { IsClient = true },
        new("OursWithLogin", "OursWithLogin", "OursWithLogin") { IsClient = true },
        new("Tuned", Floor, nameof(PlainStyle.Tuned)) { IsClient = true },
        new("TunedWithTickets", Floor, nameof(PlainStyle.TunedWithTickets)) { IsClient = true, Resumes = true }, // and the server issues none
        new("Typical", Floor, nameof(PlainStyle.Typical)) { IsClient = true },

        // At a server that gives no sessions, where ours shares a context.
        new("OursAtConfigured", Configured, "Ours") { IsClient = true },
        new("TunedAtConfigured", Configured, nameof(PlainStyle.Tuned)) { IsClient = true },
    ];

    private static readonly Candidate[] s_resumed =
    [
        new("FloorInFull", Floor, Floor),
        new("TunedWithTickets", nameof(PlainStyle.TunedWithTickets), nameof(PlainStyle.TunedWithTickets)) { Resumes = true },
        new("CWithTickets", "c 1", nameof(PlainStyle.Tuned)) { Resumes = true },
        new("GoWithTickets", "go 1", nameof(PlainStyle.Tuned)) { Resumes = true },
    ];

    private static readonly string[] s_versions = ["1.3", "1.2"];
    private static readonly KeyAlgorithm[] s_keys = [KeyAlgorithm.EcdsaP256, KeyAlgorithm.Rsa2048];

    private const int MaxWarmUps = 60;
    private const int WarmUpsInARow = 4; // it compiles in several stages, with a rest before each
    private const int CompiledWhenWarm = 4;

    private readonly Dictionary<string, ChildProcess> _serverProcesses = [];
    private readonly Dictionary<Candidate, ChildProcess> _clientProcesses = [];

    internal async Task RunAsync()
    {
        output.WriteLine(
            $"{options.Rounds} rounds of {options.Handshakes} handshakes; {DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC; {Environment.ProcessorCount} "
                + $"cores, .NET {Environment.Version}{TheOpenSsl()}");
        output.WriteLine(
            "ratio: processor time to that of the first row, median of the rounds and middle half; bytes: allocated on the managed heap");
        foreach (var scenario in Scenarios())
        {
            await RunAsync(scenario);
        }
    }

    private static string TheOpenSsl()
    {
        if (OperatingSystem.IsWindows())
        {
            return string.Empty;
        }

        var version = SafeEvpPKeyHandle.OpenSslVersion;
        return $", OpenSSL {version >> 28}.{(version >> 20) & 0xff}.{(version >> 4) & 0xff}";
    }

    private IEnumerable<Scenario> Scenarios() =>
        from tls in s_versions
        from keys in s_keys
        where options.Tls is null ? !options.IsSmall || keys == KeyAlgorithm.EcdsaP256 : tls == options.Tls
        where options.Keys is null || (options.Keys == "rsa") == (keys == KeyAlgorithm.Rsa2048)
        select new Scenario(tls, keys);

    private async Task RunAsync(Scenario scenario)
    {
        using var materials = new Materials(scenario.Keys);
        var native = new Dictionary<string, string?>
        {
            ["c"] = NativePeers.C(options.Peers ?? materials.Directory, output),
            ["go"] = NativePeers.Go(options.Peers ?? materials.Directory, output),
        };
        try
        {
            await using var client = await ChildProcess.StartSelfAsync(
                0, "compare-client", materials.Directory, scenario.Tls, scenario.Keys.ToString());
            foreach (var (part, title, candidates) in new[]
            {
                ("servers", "server, full handshake", s_servers),
                ("clients", "client, full handshake", s_clients),
                ("resumed", "server, resumed handshake", s_resumed),
            })
            {
                if (options.Part is null || options.Part == part)
                {
                    var taking = candidates.Where(candidate => candidate == candidates[0] || options.Wants(candidate.Name))
                        .Where(candidate => IsThere(candidate, native))
                        .ToArray();
                    await StartServersAsync(taking, materials, scenario, native);
                    await StartClientsAsync(taking, materials, scenario);
                    await CompareHandshakesAsync($"{scenario}: {title}", taking, client);
                }
            }

            if (options.Part is null or "streams")
            {
                var taking = s_servers.Where(candidate => candidate == s_servers[0] || options.Wants(candidate.Name))
                    .Where(candidate => IsThere(candidate, native))
                    .ToArray();
                await StartServersAsync(taking, materials, scenario, native);
                await CompareStreamsAsync($"{scenario}: bulk, there and back", "bulk", options.IsSmall ? 1 : 64, taking, client);
                await CompareStreamsAsync(
                    $"{scenario}: messages of 64 bytes, there and back", "messages", options.IsSmall ? 50 : 8000, taking, client);
            }

            if (options.Part is "http" || (options.Part is null && (!options.IsSmall || scenario.Tls == "1.3")))
            {
                await new HttpComparison(options, output).RunAsync(scenario, materials.Directory, client);
            }
        }
        finally
        {
            foreach (var child in _serverProcesses.Values.Concat(_clientProcesses.Values))
            {
                await child.DisposeAsync();
            }

            _serverProcesses.Clear();
            _clientProcesses.Clear();
        }
    }

    private static bool IsThere(Candidate candidate, Dictionary<string, string?> native) =>
        candidate.Server.Split(' ') is not [var language, _] || native[language] is not null;

    private static string StyleOf(string configured) => configured switch
    {
        Configured => "Ours",
        FloorConfirmed => nameof(PlainStyle.FloorConfirmed),
        _ => nameof(PlainStyle.FloorShared),
    };

    private async Task StartServersAsync(Candidate[] candidates, Materials materials, Scenario scenario, Dictionary<string, string?> native)
    {
        foreach (var server in candidates.Select(candidate => candidate.Server))
        {
            if (!_serverProcesses.ContainsKey(server))
            {
                string[] scene = [materials.Directory, scenario.Tls, scenario.Keys.ToString()];
                _serverProcesses.Add(server, server.Split(' ') is [var language, var tickets]
                    ? await ChildProcess.StartAsync(1, native[language]!, materials.Directory, scenario.Tls, tickets)
                    : server is Configured or FloorConfigured or FloorConfirmed
                    ? await ChildProcess.StartConfiguredAsync(
                        1,
                        Path.Combine(AppContext.BaseDirectory, "openssl-strict.cnf"),
                        ["compare-server", StyleOf(server), .. scene])
                    : await ChildProcess.StartSelfAsync(1, ["compare-server", server, .. scene]));
            }
        }
    }

    /// <summary>
    /// Where clients are compared, each is a process of its own: its code is compiled for it alone, and it remembers of the server of that name only
    /// what its own server has shown.
    /// </summary>
    private async Task StartClientsAsync(Candidate[] candidates, Materials materials, Scenario scenario)
    {
        foreach (var candidate in candidates.Where(candidate => candidate.IsClient))
        {
            _clientProcesses.Add(candidate, await ChildProcess.StartSelfAsync(
                0, "compare-client", materials.Directory, scenario.Tls, scenario.Keys.ToString()));
        }
    }

    private async Task CompareHandshakesAsync(string title, Candidate[] candidates, ChildProcess client)
    {
        var cpu = candidates.Select(_ => new Series()).ToArray();
        var bytes = candidates.Select(_ => new Series()).ToArray();
        await WarmUpAsync(candidates, client);
        for (var round = 0; round < options.Rounds; round++)
        {
            for (var turn = 0; turn < candidates.Length; turn++)
            {
                // Each round begins with another candidate, so that none always follows the same one.
                var which = (turn + round) % candidates.Length;
                var used = await MeasureAsync(candidates[which], "handshakes", options.Handshakes, client);
                cpu[which].Add(used.Cpu / 1000.0 / options.Handshakes);
                bytes[which].Add((double)used.Bytes / options.Handshakes);
            }
        }

        output.WriteLine();
        output.WriteLine(title);
        output.WriteLine($"  {"",-18}{"µs",9}{"ratio",8}{"",15}{"bytes",10}");
        for (var row = 0; row < candidates.Length; row++)
        {
            var (ratio, low, high) = cpu[row].To(cpu[0]);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {candidates[row].Name,-18}{cpu[row].Median,9:F0}{ratio,8:F3}  {low:F3}–{high:F3}{bytes[row].Median,10:F0}"));
        }
    }

    /// <summary>
    /// The runtime compiles what is used often once more, and does so when nothing new has been called for a moment, which is a second in a process
    /// with one core: handshakes and pauses in turns, until no process has compiled anything worth mentioning for several turns. One that does
    /// would be measured with its compiler.
    /// </summary>
    private async Task WarmUpAsync(Candidate[] candidates, ChildProcess client)
    {
        var compiled = new Dictionary<ChildProcess, long>();
        ChildProcess[] all =
        [
            client,
            .. candidates.SelectMany(candidate => new[] { _serverProcesses[candidate.Server], ClientOf(candidate, client) }),
        ];
        var inARow = 0;
        for (var time = 0; time < (options.IsSmall ? 1 : MaxWarmUps); time++)
        {
            var isWarm = true;
            foreach (var candidate in candidates)
            {
                await MeasureAsync(candidate, "handshakes", options.IsSmall ? 5 : 150, client);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(options.IsSmall ? 1 : 1200));
            foreach (var child in all.Distinct())
            {
                // A server in C or Go says nothing of it.
                var count = await child.AskAsync("usage") is [_, _, var methods] ? methods : 0;
                isWarm &= count - compiled.GetValueOrDefault(child) <= CompiledWhenWarm;
                compiled[child] = count;
            }

            inARow = isWarm ? inARow + 1 : 0;
            if (inARow == WarmUpsInARow)
            {
                return;
            }
        }
    }

    private async Task CompareStreamsAsync(string title, string task, int count, Candidate[] candidates, ChildProcess client)
    {
        var cpu = candidates.Select(_ => new Series()).ToArray();
        var time = candidates.Select(_ => new Series()).ToArray();
        for (var round = -1; round < options.Rounds; round++)
        {
            for (var turn = 0; turn < candidates.Length; turn++)
            {
                var which = (turn + Math.Max(round, 0)) % candidates.Length;
                var used = await MeasureAsync(candidates[which], task, count, client);
                if (round >= 0)
                {
                    cpu[which].Add(used.Cpu / 1000.0 / count);
                    time[which].Add(used.Time / 1000.0 / count);
                }
            }
        }

        output.WriteLine();
        output.WriteLine($"{title}; processor time of the server and time that passed, per {(task == "bulk" ? "MiB" : "message")}");
        output.WriteLine($"  {"",-18}{"µs",9}{"ratio",8}{"",15}{"time µs",10}{"ratio",8}");
        for (var row = 0; row < candidates.Length; row++)
        {
            var ((ratio, low, high), (slower, slowLow, slowHigh)) = (cpu[row].To(cpu[0]), time[row].To(time[0]));
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {candidates[row].Name,-18}{cpu[row].Median,9:F1}{ratio,8:F3}  {low:F3}–{high:F3}{time[row].Median,10:F1}{slower,8:F3}  "
                    + $"{slowLow:F3}–{slowHigh:F3}"));
        }
    }

    private async Task<(long Cpu, long Bytes, long Time)> MeasureAsync(Candidate candidate, string task, int count, ChildProcess client)
    {
        var server = _serverProcesses[candidate.Server];
        var before = await server.AskAsync("usage");
        var done = await ClientOf(candidate, client).AskAsync($"{task} {candidate.Client} {server.Port} {count} {(candidate.Resumes ? 1 : 0)}");
        var after = await server.AskAsync("usage");
        return candidate.IsClient ? (done[0], done[1], done[2]) : (after[0] - before[0], after[1] - before[1], done[2]);
    }

    private ChildProcess ClientOf(Candidate candidate, ChildProcess common) => _clientProcesses.GetValueOrDefault(candidate, common);
}
