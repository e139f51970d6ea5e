using System.Globalization;
using System.Text.Json;
using MutualAuth.Mutation.Tests;

namespace MutualAuth.Mutation.Reports;

/// <summary>What a run prints: a table with a row for each room, and each survivor with its place.</summary>
internal static class Report
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    /// <summary>Of those that were judged, the hundredths that were killed.</summary>
    internal static double Score(IReadOnlyCollection<Verdict> verdicts)
    {
        var judged = verdicts.Count(verdict => verdict.Fate != Fate.NotRun);
        return judged == 0 ? 100 : 100.0 * verdicts.Count(IsDead) / judged;
    }

    internal static void Print(IReadOnlyCollection<Verdict> verdicts, int seed, TimeSpan time)
    {
        foreach (var survivor in verdicts.Where(verdict => verdict.Fate is Fate.Survived or Fate.NotCovered)
            .OrderBy(verdict => verdict.Mutant.File, StringComparer.Ordinal).ThenBy(verdict => verdict.Mutant.Line))
        {
            var how = survivor switch
            {
                { Fate: Fate.NotCovered } => "not covered",
                { TestsLeft: > 0 } => $"survived {survivor.TestsRun} tests, {survivor.TestsLeft} not run",
                _ => $"survived {survivor.TestsRun} tests",
            };
            Console.WriteLine($"{survivor.Mutant} ({how})");
        }

        Console.WriteLine();
        Console.WriteLine("| Room | Mutants | Killed | Timed out | Survived | Not covered | Score |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|");
        foreach (var room in verdicts.GroupBy(verdict => verdict.Mutant.Room).OrderBy(group => Rooms.All.ToList().IndexOf(group.Key)))
        {
            Console.WriteLine(Row(room.Key, [.. room]));
        }

        Console.WriteLine(Row("**all**", verdicts));
        Console.WriteLine();
        var notRun = Count(verdicts, Fate.NotRun);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"score {Score(verdicts):0.0} % of {verdicts.Count - notRun} mutants, {notRun} not run, seed {seed}, {time.TotalSeconds:0} s"));
    }

    internal static void Write(string path, IEnumerable<Verdict> verdicts, int seed, TimeSpan time)
    {
        var content = new
        {
            seed,
            seconds = (int)time.TotalSeconds,
            mutants = verdicts.Select(verdict => new
            {
                room = verdict.Mutant.Room,
                file = verdict.Mutant.File,
                line = verdict.Mutant.Line,
                kind = verdict.Mutant.Operator,
                change = verdict.Mutant.ToString(),
                fate = verdict.Fate.ToString(),
                test = verdict.Test,
                testsRun = verdict.TestsRun,
                testsLeft = verdict.TestsLeft,
            }),
        };
        File.WriteAllText(path, JsonSerializer.Serialize(content, s_json));
    }

    private static string Row(string name, IReadOnlyCollection<Verdict> verdicts) => string.Create(
        CultureInfo.InvariantCulture,
        $"| {name} | {verdicts.Count - Count(verdicts, Fate.NotRun)} | {Count(verdicts, Fate.Killed)} | {Count(verdicts, Fate.TimedOut)} "
            + $"| {Count(verdicts, Fate.Survived)} | {Count(verdicts, Fate.NotCovered)} | {Score(verdicts):0} % |");

    private static bool IsDead(Verdict verdict) => verdict.Fate is Fate.Killed or Fate.TimedOut;

    private static int Count(IEnumerable<Verdict> verdicts, Fate fate) => verdicts.Count(verdict => verdict.Fate == fate);
}
