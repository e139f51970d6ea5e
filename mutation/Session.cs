using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using MutualAuth.Mutation.Build;
using MutualAuth.Mutation.Mutants;
using MutualAuth.Mutation.Reports;
using MutualAuth.Mutation.Tests;

namespace MutualAuth.Mutation;

/// <summary>A whole run: find, build, record, judge, report.</summary>
internal sealed class Session(Arguments arguments)
{
    private readonly Stopwatch _watch = Stopwatch.StartNew();

    internal static List<Mutant> Find(CoreSources sources, IReadOnlyCollection<string> rooms) =>
    [
        .. from tree in sources.Compilation.SyntaxTrees
           let file = Repository.PathOf(tree.FilePath)
           let room = Rooms.Of(file)
           where room is not null && rooms.Contains(room)
           orderby file
           from mutant in MutantFinder.Find(sources.Compilation, tree, file, room)
           select mutant,
    ];

    /// <summary>Runs mutants of the chosen rooms: all, or so many by the seed.</summary>
    internal async Task<int> RunAsync(Func<Mutant, bool> wanted)
    {
        var seed = arguments.Number("--seed") ?? 1;
        var workers = arguments.Number("--workers") ?? 2;
        var end = arguments.Number("--minutes") is { } minutes ? DateTime.UtcNow.AddMinutes(minutes) : DateTime.MaxValue;
        var sources = CoreSources.Load();
        var all = Find(sources, arguments.Text("--recording") is null ? arguments.ChosenRooms() : Rooms.All);
        var found = all.FindAll(mutant => arguments.ChosenRooms().Contains(mutant.Room) && wanted(mutant));
        Say($"{found.Count} mutants found");
        if (found.Count == 0)
        {
            return 0;
        }

        using var bed = TestBed.Lay(build: !arguments.Has("--no-build"));
        var count = arguments.Number("--count") ?? found.Count;
        found = Shuffled(found, seed);

        // Some more than are wanted: not all of them compile. A recording serves every later choice, so it knows all of them.
        var file = arguments.Text("--recording");
        var built = new MutatedCore(sources, file is null ? [.. found.Take(count + (count / 4) + 10)] : all).Emit(TestBed.Core);
        List<Mutant> chosen = [.. found.Where(built.ToHashSet().Contains).Take(count)];
        Say($"{chosen.Count} chosen");
        var rooms = chosen.Select(mutant => mutant.Room).ToHashSet();
        var half = end == DateTime.MaxValue ? end : DateTime.UtcNow + ((end - DateTime.UtcNow) / 2);
        var notes = file is null ? null : new RecordingFile(file, built);
        var recording = await Recording.MakeAsync(all.Count, workers, rooms, half, notes);
        Say($"{recording.Tests} tests recorded, {recording.NotRun} not run, {recording.Failing.Count} fail without a mutant");
        recording.Failing.ForEach(Say);

        var verdicts = await JudgeAllAsync(chosen, built, recording, all.Count, workers, end);
        Report.Print(verdicts, seed, _watch.Elapsed);
        if (arguments.Text("--out") is { } path)
        {
            Report.Write(path, verdicts, seed, _watch.Elapsed);
        }

        var judged = verdicts.Count(verdict => verdict.Fate != Fate.NotRun);
        return arguments.Number("--at-least") is { } least && judged >= 10 && Report.Score(verdicts) < least ? 1 : 0;
    }

    private async Task<IReadOnlyCollection<Verdict>> JudgeAllAsync(
        List<Mutant> chosen, IReadOnlyList<Mutant> built, Recording recording, int mutants, int workers, DateTime end)
    {
        var ofFile = built.ToLookup(mutant => mutant.File, mutant => mutant.Number);
        var waiting = new ConcurrentQueue<Mutant>(chosen);
        ConcurrentBag<Verdict> verdicts = [];
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => (signal.Cancel, end) = (true, DateTime.MinValue));
        var seconds = TimeSpan.FromSeconds(arguments.Number("--seconds-each") ?? 60);
        await Task.WhenAll(Enumerable.Range(0, workers).Select(async _ =>
        {
            using var judge = new Judge(recording, ofFile, mutants, seconds);
            while (waiting.TryDequeue(out var mutant))
            {
                var verdict = DateTime.UtcNow < end ? await judge.JudgeAsync(mutant) : new(mutant, Fate.NotRun);
                verdicts.Add(verdict);
                if (verdict.Fate is Fate.Survived or Fate.NotCovered)
                {
                    Say($"{verdict.Fate}: {mutant}");
                }

                if (verdicts.Count % 25 == 0)
                {
                    Say($"{verdicts.Count} of {chosen.Count} judged, {Report.Score([.. verdicts]):0.0} %");
                }
            }
        }));
        return [.. verdicts.OrderBy(verdict => verdict.Mutant.Number)];
    }

    /// <summary>In an order by chance, which is the same with the same seed.</summary>
    private static List<Mutant> Shuffled(List<Mutant> mutants, int seed)
    {
        var shuffled = mutants.ToArray();
#pragma warning disable CA5394 // A seed is wanted, not a secret.
        new Random(seed).Shuffle(shuffled);
#pragma warning restore CA5394
        return [.. shuffled];
    }

    private void Say(string what) => Console.Error.WriteLine($"[{_watch.Elapsed.TotalSeconds,4:0} s] {what}");
}
