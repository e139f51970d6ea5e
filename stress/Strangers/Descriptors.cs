using System.Diagnostics;
using System.Globalization;
using MutualAuth.Stress.Roles;
using MutualAuth.Stress.Support;

namespace MutualAuth.Stress.Strangers;

/// <summary>A server that may open few descriptors, and strangers who take them all.</summary>
internal static class Descriptors
{
    private const string HonestAddress = "127.77.0.1";
    private const int Tries = 5;
    private const double MostMilliseconds = 1000;

    internal static Scenario Thousand { get; } = new(
        "strangers-1024-descriptors",
        "ulimit -n 1024 and 2,000 silent sockets: an honest client is served within a second",
        run => ServedBesideAsync(run, 1024, 2000, "plain"))
    {
        Share = 1.5,
        GoesOnAfterCrash = false,
    };

    internal static Scenario Few { get; } = new(
        "strangers-150-descriptors", "ulimit -n 150 and silent sockets, four times of four addresses: the process lives", LivesAsync)
    {
        Share = 1.5,
        GoesOnAfterCrash = false,
    };

    internal static Scenario ThrowingLog { get; } = new(
        "descriptors-throwing-log",
        "ulimit -n 256, 600 silent sockets, and a logger that throws when accepting fails",
        run => ServedBesideAsync(run, 256, 600, "throwing-log"))
    {
        Share = 1.5,
        GoesOnAfterCrash = false,
    };

    private static async Task ServedBesideAsync(Run run, int limit, int sockets, string serverKind)
    {
        var figures = run.Figures;
        figures.Forbid("honest-refused", "honest-later-than-a-second", "refused-afterwards", "server-died");
        using var material = new Material();
        var (server, said) = await Child.StartRoleAsync(["server", material.Folder, serverKind], limit);
        await using var ownedServer = server;
        var (attacker, _) = await Child.StartRoleAsync(["attacker", material.Folder, said[0], "50", "silence", "64"]);
        await using var ownedAttacker = attacker;
        var (honest, _) = await Child.StartRoleAsync(["honest", material.Folder, said[0], HonestAddress, "0", serverKind]);
        await using var ownedHonest = honest;
        var idle = await TryAsync(honest, run);
        var counts = await attacker.AskAsync($"open {sockets} {Lines.Text(Math.Max(run.Time.TotalSeconds / 3, 2))}", TimeSpan.FromMinutes(1));
        var beside = await TryAsync(honest, run);
        figures.Count("sockets", Lines.Number(counts[0]));
        figures.Note("idle", idle.ToString());
        figures.Note("beside-them", beside.ToString());
        figures.Note(
            "server",
            server.IsAlive ? string.Create(CultureInfo.InvariantCulture, $"{server.Descriptors} descriptors") : $"died {server.LastError()}");
        figures.Fault("honest-refused", beside.Failed);
        figures.RequiredCheck(beside.Longest <= MostMilliseconds && beside.Count > 0, "honest-later-than-a-second");
        await attacker.AskAsync("close");
        figures.Fault("refused-afterwards", (await TryAsync(honest, run)).Failed);
        figures.RequiredCheck(server.IsAlive, "server-died");
    }

    private static async Task LivesAsync(Run run)
    {
        var figures = run.Figures;
        figures.Forbid("server-died", "refused-afterwards");
        using var material = new Material();
        var (server, said) = await Child.StartRoleAsync(["server", material.Folder, "plain"], 150);
        await using var ownedServer = server;
        var (honest, _) = await Child.StartRoleAsync(["honest", material.Folder, said[0], HonestAddress, "0", "plain"]);
        await using var ownedHonest = honest;
        await TryAsync(honest, run);
        for (var round = 0; round < 4 && server.IsAlive; round++)
        {
            var (attacker, _) = await Child.StartRoleAsync(["attacker", material.Folder, said[0], "4", "silence", "64"]);
            await using var ownedAttacker = attacker;
            figures.Count(
                "sockets",
                Lines.Number(
                    (await attacker.AskAsync($"open 400 {Lines.Text(Math.Max(run.Time.TotalSeconds / 8, 1))}", TimeSpan.FromMinutes(1)))[0]));

            // The pool of threads looks twice a second whether it needs another one, for which it needs descriptors.
            for (var began = Stopwatch.GetTimestamp(); server.IsAlive && Stopwatch.GetElapsedTime(began) < run.Time / 8;)
            {
                await Task.Delay(50);
            }
        }

        figures.RequiredCheck(server.IsAlive, "server-died");
        if (server.IsAlive)
        {
            figures.Fault("refused-afterwards", (await TryAsync(honest, run)).Failed);
        }
        else
        {
            figures.Note("died-of", server.LastError());
        }
    }

    private static async Task<Times> TryAsync(Child honest, Run run)
    {
        var seconds = Math.Max(run.Time.TotalSeconds / 3, 2);
        return Times.Of(await honest.AskAsync($"handshakes {Tries} 1 {Lines.Text(seconds)}", TimeSpan.FromSeconds(seconds)));
    }
}
