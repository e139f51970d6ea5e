using System.Diagnostics;
using System.Globalization;
using MutualAuth.Stress.Support;

namespace MutualAuth.Stress;

/// <summary>What can be asked of the program.</summary>
internal static class Commands
{
    // What a process may take to start and to clear up, beyond its time.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan s_worthARestart = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_least = TimeSpan.FromSeconds(1);

    // Those that start several processes and measure must have time for both.
    private static readonly TimeSpan s_leastOfSeveral = TimeSpan.FromSeconds(8);

    internal static void List()
    {
        foreach (var scenario in Scenarios.All)
        {
            Console.WriteLine($"{scenario.Name,-36} {scenario.Attacks}");
        }
    }

    internal static async Task<int> OneAsync(Scenario scenario, TimeSpan time, int? count) => await RunAsync(scenario, time, count) ? 0 : 1;

    internal static async Task<int> AllAsync(TimeSpan time)
    {
        var began = Stopwatch.GetTimestamp();
        var shares = Scenarios.All.Sum(scenario => scenario.Share);
        var broken = 0;
        foreach (var scenario in Scenarios.All)
        {
            // What the earlier ones took too long the later ones make good.
            var left = time - Stopwatch.GetElapsedTime(began);
            var part = left * (scenario.Share / shares);
            shares -= scenario.Share;
            var least = scenario.Share > 1 ? s_leastOfSeveral : s_least;
            broken += await RunAsync(scenario, part > least ? part : least, null) ? 0 : 1;
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Scenarios.All.Count - broken} held, {broken} broken, in {Stopwatch.GetElapsedTime(began).TotalSeconds:F0} s"));
        return broken == 0 ? 0 : 1;
    }

    /// <summary>
    /// The scenario itself, in the process that may crash. It tells its figures every half second, so that a crash does not lose them.
    /// </summary>
    internal static async Task<int> InsideAsync(Scenario scenario, TimeSpan time, int? count)
    {
        var run = new Run(time, count);
        var running = Task.Run(() => scenario.RunAsync(run));
        while (await Task.WhenAny(running, Task.Delay(TimeSpan.FromMilliseconds(500))) != running)
        {
            Tell(run.Figures);
        }

        try
        {
            await running;
        }
        catch (Exception exception)
        {
            run.Figures.Fault("scenario-failed");
            run.Figures.Note("with", $"{exception.GetType().Name} {exception.Message} {exception.StackTrace?.Split('\n')[0].Trim()}");
        }

        Tell(run.Figures);
        return 0;
    }

    private static void Tell(Figures figures)
    {
        foreach (var line in figures.ToLines())
        {
            Console.WriteLine(line);
        }

        Console.WriteLine("told");
    }

    private static async Task<bool> RunAsync(Scenario scenario, TimeSpan time, int? count)
    {
        var figures = new Figures();
        figures.Forbid("crashes");
        var began = Stopwatch.GetTimestamp();
        do
        {
            if (await RunOnceAsync(scenario, time - Stopwatch.GetElapsedTime(began), count, figures))
            {
                break;
            }
        }
        while (scenario.GoesOnAfterCrash && time - Stopwatch.GetElapsedTime(began) > s_worthARestart);

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{scenario.Name}: {(figures.Held ? "held" : "broken")}: {figures}, {Stopwatch.GetElapsedTime(began).TotalSeconds:F1} s"));
        return figures.Held;
    }

    /// <summary>Whether the process ended by itself.</summary>
    private static async Task<bool> RunOnceAsync(Scenario scenario, TimeSpan time, int? count, Figures figures)
    {
        await using var child = Child.Start([
            "inside", scenario.Name, "--seconds", time.TotalSeconds.ToString("F2", CultureInfo.InvariantCulture),
            .. count is { } many ? new[] { "--count", many.ToString(CultureInfo.InvariantCulture) } : []]);
        using var patience = new CancellationTokenSource(time + s_patience);
        List<string> saying = [];
        List<string> said = [];
        var hung = false;
        try
        {
            while (await child.ReadLineAsync(patience.Token) is { } line)
            {
                if (line == "told")
                {
                    (said, saying) = (saying, []);
                }
                else
                {
                    saying.Add(line);
                }
            }
        }
        catch (OperationCanceledException)
        {
            hung = true;
        }

        figures.Add(Figures.FromLines(said));
        if (hung)
        {
            figures.Fault("hung");
            return true;
        }

        var code = await child.WaitForExitAsync();
        if (code != 0)
        {
            figures.Fault("crashes");
            figures.Note("ended-with", string.Create(CultureInfo.InvariantCulture, $"{code} {child.LastError()}"));
        }

        return code == 0;
    }
}
