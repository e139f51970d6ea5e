namespace MutualAuth.Mutation.Tests;

/// <summary>What the tests did without any mutant: which mutants each reaches, and how long it takes.</summary>
internal sealed class Recording
{
    private static readonly TimeSpan s_perTest = TimeSpan.FromMinutes(2);

    // They look at the code and the pages themselves, not at what the code does.
    private static readonly string[] s_leftOut =
        ["MutualAuth.Tests.Architecture.RoomsTests.", "MutualAuth.Tests.Architecture.InvariantsTests.", "MutualAuth.Tests.Documentation."];

    private readonly Dictionary<string, int> _milliseconds = new(StringComparer.Ordinal);
    private readonly Dictionary<int, List<string>> _testsOf = [];
    private readonly List<TestEnd> _ends = [];

    private Recording()
    {
    }

    internal int Tests => _milliseconds.Count;

    /// <summary>Tests that were not run before the time was over; what only they reach cannot be judged.</summary>
    internal int NotRun { get; private set; }

    /// <summary>Tests that fail without a mutant, and so tell nothing.</summary>
    internal List<string> Failing { get; } = [];

    /// <summary>The mutants that were reached while the tests were looked up, and may be remembered from then on.</summary>
    internal HashSet<int> ReachedAtStart { get; } = [];

    /// <summary>Runs all tests, one after the other in each of so many processes; those of these rooms first.</summary>
    internal static async Task<Recording> MakeAsync(int mutants, int workers, IReadOnlyCollection<string> rooms, DateTime until, RecordingFile? file)
    {
        var recording = new Recording();
        var known = file?.Read() ?? [];
        recording.Note(known);
        var done = known.Select(test => test.Key).ToHashSet(StringComparer.Ordinal);
        Queue<string[]> fixtures = new();
        using (var first = await WorkerProcess.StartAsync(mutants))
        {
            recording.ReachedAtStart.UnionWith(first.ReachedAtStart);
            foreach (var fixture in first.Tests
                .Where(test => !done.Contains(test.Key) && !s_leftOut.Any(name => test.Key.StartsWith(name, StringComparison.Ordinal)))
                .GroupBy(test => test.Fixture, test => test.Key)
                .OrderByDescending(group => rooms.Any(room => group.Key.Contains($".{room}.", StringComparison.Ordinal))))
            {
                fixtures.Enqueue([.. fixture]);
            }
        }

        await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => recording.RecordAsync(mutants, fixtures, until)));
        recording.NotRun = fixtures.Sum(fixture => fixture.Length);
        file?.Write(recording._ends);
        return recording;
    }

    internal int Milliseconds(string test) => _milliseconds.GetValueOrDefault(test);

    /// <summary>The tests that reach a mutant.</summary>
    internal IReadOnlyCollection<string> Of(int mutant) => _testsOf.TryGetValue(mutant, out var tests) ? tests : [];

    private async Task RecordAsync(int mutants, Queue<string[]> fixtures, DateTime until)
    {
        WorkerProcess? worker = null;
        try
        {
            while (Take(fixtures, until) is { } fixture)
            {
                worker ??= await WorkerProcess.StartAsync(mutants);
                var tests = fixture.ToList();
                while (tests.Count > 0)
                {
                    var end = await worker.RecordAsync(tests, s_perTest);
                    Note(end);
                    tests.RemoveAll(test => end.Ends.Any(ended => ended.Key == test) || test == end.Running);
                    if (end.Outcome is RunOutcome.Hung or RunOutcome.Crashed)
                    {
                        worker.Dispose();
                        worker = await WorkerProcess.StartAsync(mutants);
                    }
                    else if (end.Outcome == RunOutcome.Passed)
                    {
                        break;
                    }
                    else if (end.Ends.Count == 0)
                    {
                        throw new InvalidOperationException($"The fixture of {tests[0]} fails without a mutant.");
                    }
                }
            }
        }
        finally
        {
            worker?.Dispose();
        }
    }

    private static string[]? Take(Queue<string[]> fixtures, DateTime until)
    {
        lock (fixtures)
        {
            return DateTime.UtcNow < until && fixtures.TryDequeue(out var fixture) ? fixture : null;
        }
    }

    private void Note(RunEnd end)
    {
        lock (_milliseconds)
        {
            if (end.Running.Length > 0)
            {
                Failing.Add($"{end.Running}: {end.Outcome}");
            }

            Note(end.Ends);
        }
    }

    private void Note(IEnumerable<TestEnd> ends)
    {
        foreach (var test in ends)
        {
            if (test.Status == "Failed")
            {
                Failing.Add($"{test.Key}: {test.Message}");
            }
            else if (test.Status is "Passed" or "Warning")
            {
                _ends.Add(test);
                _milliseconds[test.Key] = test.Milliseconds;
                foreach (var mutant in test.Reached)
                {
                    (_testsOf.TryGetValue(mutant, out var tests) ? tests : _testsOf[mutant] = []).Add(test.Key);
                }
            }
        }
    }
}
