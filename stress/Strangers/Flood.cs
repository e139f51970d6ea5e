using System.Diagnostics;
using System.Globalization;
using MutualAuth.Stress.Roles;
using MutualAuth.Stress.Support;

namespace MutualAuth.Stress.Strangers;

/// <summary>
/// Strangers who begin and never finish, as many as stay open and 300 new ones a second, and an honest client from another address. Attacker, server
/// and client are processes of their own; the client's times are held against those of the same run without the attack.
/// </summary>
/// <param name="Attack">What each stranger does (<see cref="Roles.Attack"/>).</param>
/// <param name="Addresses">From how many addresses.</param>
internal sealed record Flood(string Attack, int Addresses)
{
    private const int Standing = 5000;
    private const int PerSecond = 300;
    private const int Handshakes = 500;
    private const double SecondsOfTheWhole = 30;
    private const double MostAtMedian = 2;
    private const double MostAtWorst = 5;

    // In ms. An idle machine that is quicker than this is taken to be no quicker: a pause of the scheduler's is a multiple of so little.
    private const double QuickMedian = 10;
    private const double QuickWorst = 40;
    private const string HonestAddress = "127.77.0.1";

    // Beyond those of the idle server: the client's connection, and handshakes that are just being served.
    private const int DescriptorsBeside = 32;

    /// <summary>How far away the honest client is, in milliseconds there and back.</summary>
    internal int RoundTrip { get; init; }

    /// <summary>What the server demands.</summary>
    internal string ServerKind { get; init; } = "plain";

    /// <summary>How many of them the server may keep at once: MaxWaitingHandshakes, or MaxLingeringCloses where they are refused.</summary>
    internal int MostKept { get; init; } = 4096;

    /// <summary>How much of a processor the attacker may take: 64 is all that there is.</summary>
    internal double Leash { get; init; } = 64;

    /// <summary>Its share of the time, among all.</summary>
    internal double Share { get; init; } = 2.5;

    internal Scenario Scenario(string name, string attacks) =>
        new(name, attacks, RunAsync) { Seconds = RoundTrip > 0 ? 90 : SecondsOfTheWhole, Share = Share, GoesOnAfterCrash = false };

    private async Task RunAsync(Run run)
    {
        var figures = run.Figures;
        figures.Forbid("honest-refused", "median-over-2x-idle", "p99-over-5x-idle", "more-kept-than-the-bound", "server-died");
        using var material = new Material();
        var (server, said) = await Child.StartRoleAsync(["server", material.Folder, ServerKind]);
        await using var ownedServer = server;
        var (attacker, _) = await Child.StartRoleAsync(["attacker", material.Folder, said[0], Text(Addresses), Attack, Text(Leash)]);
        await using var ownedAttacker = attacker;
        var (honest, _) = await Child.StartRoleAsync(["honest", material.Folder, said[0], HonestAddress, Text(RoundTrip), ServerKind]);
        await using var ownedHonest = honest;

        var seconds = run.Left.TotalSeconds;
        await MeasureAsync(honest, 40, seconds / 8); // everything is compiled then
        var idle = await MeasureAsync(honest, run.Scaled(Handshakes, SecondsOfTheWhole, 20), seconds / 4);
        var ownDescriptors = server.Descriptors;
        figures.Note("idle", string.Create(CultureInfo.InvariantCulture, $"{idle}, server {ownDescriptors} descriptors {server.ResidentMiB:F0} MiB"));
        await attacker.AskAsync($"open {run.Scaled(Standing, SecondsOfTheWhole, 300)} {Lines.Text(seconds / 2)}", TimeSpan.FromMinutes(1));
        await attacker.AskAsync($"rate {PerSecond}");
        var flooded = await FloodedAsync(run, server, attacker, honest, seconds / 3);
        if (flooded.Failed == 0 && IsTooSlow(flooded, idle))
        {
            // A pause of the machine's is no slowness of the server's: it must be as slow a second time.
            var again = await FloodedAsync(run, server, attacker, honest, seconds / 3);
            flooded = again with { Median = Math.Min(again.Median, flooded.Median), Worst = Math.Min(again.Worst, flooded.Worst) };
        }

        var kept = server.IsAlive ? server.Descriptors : 0;
        var counts = await attacker.AskAsync("close");
        figures.Count("attacks", Lines.Number(counts[0]));
        figures.Count("handshakes", flooded.Count);
        figures.Note("flooded", flooded.ToString());
        figures.Fault("honest-refused", flooded.Failed + idle.Failed + (flooded.Count == 0 ? 1 : 0));
        figures.RequiredCheck(Lab.HasHeapChecks || flooded.Median <= MostAtMedian * AtLeast(idle.Median, QuickMedian), "median-over-2x-idle");
        figures.RequiredCheck(Lab.HasHeapChecks || flooded.Worst <= MostAtWorst * AtLeast(idle.Worst, QuickWorst), "p99-over-5x-idle");
        figures.RequiredCheck(kept <= ownDescriptors + MostKept + DescriptorsBeside, "more-kept-than-the-bound");
        figures.RequiredCheck(server.IsAlive, "server-died");
    }

    private static bool IsTooSlow(Times flooded, Times idle) =>
        flooded.Median > MostAtMedian * AtLeast(idle.Median, QuickMedian) || flooded.Worst > MostAtWorst * AtLeast(idle.Worst, QuickWorst);

    private static double AtLeast(double idle, double quick) => Math.Max(idle, quick);

    private async Task<Times> FloodedAsync(Run run, Child server, Child attacker, Child honest, double seconds)
    {
        var (serverBefore, attackerBefore, began) = (server.ProcessorTime, attacker.ProcessorTime, Stopwatch.GetTimestamp());
        var times = await MeasureAsync(honest, run.Scaled(Handshakes, SecondsOfTheWhole, 20), seconds);
        var elapsed = Stopwatch.GetElapsedTime(began);
        run.Figures.Note(
            "server",
            string.Create(
                CultureInfo.InvariantCulture,
                $"{(server.ProcessorTime - serverBefore) / elapsed:F2} processors {server.Descriptors} descriptors {server.ResidentMiB:F0} MiB"));
        run.Figures.Note(
            "attacker", string.Create(CultureInfo.InvariantCulture, $"{(attacker.ProcessorTime - attackerBefore) / elapsed:F2} processors"));
        return times;
    }

    private async Task<Times> MeasureAsync(Child honest, int count, double seconds)
    {
        var atOnce = RoundTrip > 0 ? 16 : 1;
        return Times.Of(await honest.AskAsync($"handshakes {count} {atOnce} {Lines.Text(seconds)}", TimeSpan.FromSeconds(seconds)));
    }

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}
