using System.Globalization;
using MutualAuth.Stress.Roles;
using MutualAuth.Stress.Support;

namespace MutualAuth.Stress.Strangers;

/// <summary>
/// 200 hellos a second with a finite-field key share: what they do to connections that are open, and what one costs against a line of plain HTTP.
/// </summary>
internal static class FiniteField
{
    private const int PerSecond = 200;
    private const int Costed = 600;
    private const double SecondsOfTheWhole = 30;
    private const double MostAtWorst = 3;
    private const double MostCost = 3;

    // In ms: an idle machine that is quicker than this is taken to be no quicker.
    private const double QuickWorst = 10;

    internal static Scenario Scenario { get; } = new(
        "strangers-finite-field", "200 hellos a second with an ffdhe8192 key share, against echo on open connections", RunAsync)
    {
        Share = 2.5,
        GoesOnAfterCrash = false,
    };

    private static async Task RunAsync(Run run)
    {
        var figures = run.Figures;
        figures.Forbid("echoes-failed", "p99-over-3x-idle", "cost-over-3x-http", "server-died");
        using var material = new Material();
        var (server, said) = await Child.StartRoleAsync(["server", material.Folder, "plain"]);
        await using var ownedServer = server;
        var (attacker, _) = await Child.StartRoleAsync(["attacker", material.Folder, said[0], "50", "finite-field", "64"]);
        await using var ownedAttacker = attacker;
        var (passer, _) = await Child.StartRoleAsync(["attacker", material.Folder, said[0], "50", "http", "64"]);
        await using var ownedPasser = passer;
        var (honest, _) = await Child.StartRoleAsync(["honest", material.Folder, said[0], "127.77.0.1", "0", "plain"]);
        await using var ownedHonest = honest;

        var seconds = run.Left.TotalSeconds / 5;
        await EchoAsync(honest, seconds / 2);
        await CostAsync(server, passer, 50);
        var idle = await EchoAsync(honest, seconds);
        await CostAsync(server, attacker, 5);
        await attacker.AskAsync($"rate {PerSecond}");
        var flooded = await EchoAsync(honest, seconds);
        if (flooded.Worst > MostAtWorst * Math.Max(idle.Worst, QuickWorst))
        {
            var again = await EchoAsync(honest, seconds);
            flooded = again.Worst < flooded.Worst ? again : flooded;
        }

        await attacker.AskAsync("close");
        var costed = run.Scaled(Costed, SecondsOfTheWhole, 100);
        var refused = await CostAsync(server, attacker, costed);
        var http = await CostAsync(server, passer, costed);
        figures.Count("hellos", Lines.Number((await attacker.AskAsync("close"))[0]));
        figures.Count("echoes", flooded.Count);
        figures.Note("echo-idle", idle.ToString());
        figures.Note("echo-flooded", flooded.ToString());
        figures.Note("hello-costs", string.Create(CultureInfo.InvariantCulture, $"{refused.TotalMicroseconds:F0} µs"));
        figures.Note("http-line-costs", string.Create(CultureInfo.InvariantCulture, $"{http.TotalMicroseconds:F0} µs"));
        figures.Note("attacker-pays", string.Create(CultureInfo.InvariantCulture, $"{attacker.ProcessorTime.TotalMilliseconds:F0} ms in all"));
        figures.Fault("echoes-failed", idle.Failed + flooded.Failed);
        figures.RequiredCheck(Lab.HasHeapChecks || flooded.Worst <= MostAtWorst * Math.Max(idle.Worst, QuickWorst), "p99-over-3x-idle");
        figures.RequiredCheck(Lab.HasHeapChecks || refused <= MostCost * http, "cost-over-3x-http");
        figures.RequiredCheck(server.IsAlive, "server-died");
    }

    private static async Task<Times> EchoAsync(Child honest, double seconds) =>
        Times.Of(await honest.AskAsync($"echo {Lines.Text(seconds)}", TimeSpan.FromSeconds(seconds)));

    /// <summary>What the server's processor time for each is, while nothing else goes on.</summary>
    private static async Task<TimeSpan> CostAsync(Child server, Child attacker, int count)
    {
        var before = server.ProcessorTime;
        await attacker.AskAsync($"send {count} {PerSecond}", TimeSpan.FromMinutes(2));
        return (server.ProcessorTime - before) / count;
    }
}
