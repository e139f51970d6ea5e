using MutualAuth.Mutation.Mutants;

namespace MutualAuth.Mutation.Tests;

/// <summary>What became of a mutant.</summary>
internal enum Fate
{
    Killed = 1,
    TimedOut,
    Survived,
    NotCovered,
    NotRun,
}

/// <param name="Mutant">The mutant.</param>
/// <param name="Fate">What became of it.</param>
/// <param name="Test">The test that killed it.</param>
/// <param name="TestsRun">How many tests were run with it.</param>
/// <param name="TestsLeft">How many reach it and were not run, because their time was over.</param>
internal sealed record Verdict(Mutant Mutant, Fate Fate, string? Test = null, int TestsRun = 0, int TestsLeft = 0);

/// <summary>
/// Judges mutants in a worker, one after the other. A failure counts only when the same test passes in the same process without the mutant; a test
/// that hangs, only when it does so once more in a new process, and not without the mutant.
/// </summary>
internal sealed class Judge(Recording recording, ILookup<string, int> mutantsOfFile, int mutants, TimeSpan perMutant) : IDisposable
{
    private WorkerProcess? _worker;

    internal async Task<Verdict> JudgeAsync(Mutant mutant)
    {
        var once = mutant.IsStatic || (recording.ReachedAtStart.Contains(mutant.Number) && recording.Of(mutant.Number).Count == 0);
        var tests = TestsOf(mutant, once);
        if (tests.Count == 0)
        {
            return new(mutant, recording.NotRun > 0 ? Fate.NotRun : Fate.NotCovered);
        }

        if (once)
        {
            Replace();
        }

        var verdict = await JudgeAsync(mutant, tests, once);
        if (once)
        {
            Replace();
        }

        return verdict;
    }

    public void Dispose() => Replace();

    private async Task<Verdict> JudgeAsync(Mutant mutant, List<string> tests, bool once)
    {
        var (run, seconds) = (0, 0.0);
        HashSet<string> doubted = [];
        foreach (var batch in Batches(tests))
        {
            var rest = batch.ToList();
            while (rest.Count > 0)
            {
                RunEnd end;
                try
                {
                    _worker ??= await WorkerProcess.StartAsync(mutants, once ? mutant.Number : 0);
                    end = await _worker.RunAsync(mutant.Number, rest, Deadline);
                }
                catch (Exception exception) when (once && exception is OperationCanceledException or System.Threading.Channels.ChannelClosedException)
                {
                    return new(mutant, Fate.Killed, "(the tests cannot be looked up)");
                }

                run += end.Ends.Count;
                seconds += end.Ends.Sum(test => test.Milliseconds) / 1000.0;
                var failed = end.Ends.FirstOrDefault(test => test.Status == "Failed")?.Key;
                var killer = end.Outcome is RunOutcome.Hung or RunOutcome.Crashed ? end.Running : failed;
                if (end.Outcome == RunOutcome.Passed)
                {
                    break;
                }

                if (killer is not { Length: > 0 } || await IsConfirmedAsync(mutant, killer, end.Outcome, once, doubted))
                {
                    if (end.Outcome is not RunOutcome.Failed)
                    {
                        Replace();
                    }

                    var fate = end.Outcome == RunOutcome.Hung ? Fate.TimedOut : Fate.Killed;
                    return new(mutant, fate, killer is { Length: > 0 } ? killer : "(a fixture)", run);
                }

                rest.RemoveAll(test => end.Ends.Any(ended => ended.Key == test && ended.Status != "Failed") || doubted.Contains(test));
            }

            if (seconds > perMutant.TotalSeconds)
            {
                break;
            }
        }

        return new(mutant, Fate.Survived, null, run, Math.Max(0, tests.Count - run));
    }

    /// <summary>
    /// Whether it is the mutant that the test fails of. When it fails without as well, the worker is worn out, and the test is
    /// tried again in a new one.
    /// </summary>
    private async Task<bool> IsConfirmedAsync(Mutant mutant, string test, RunOutcome outcome, bool once, HashSet<string> doubted)
    {
        if (outcome == RunOutcome.Failed && !once)
        {
            if ((await _worker!.RunAsync(0, [test], Deadline)).Outcome == RunOutcome.Passed)
            {
                return true;
            }
        }
        else if (once || outcome == RunOutcome.Crashed)
        {
            return true;
        }

        Replace();
        _worker = await WorkerProcess.StartAsync(mutants);
        var again = await _worker.RunAsync(mutant.Number, [test], name => 2 * Deadline(name));
        if (again.Outcome is RunOutcome.Hung or RunOutcome.Crashed)
        {
            Replace();
            _worker = await WorkerProcess.StartAsync(mutants);
        }

        if (again.Outcome != RunOutcome.Passed && (await _worker.RunAsync(0, [test], Deadline)).Outcome == RunOutcome.Passed)
        {
            return true;
        }

        doubted.Add(test);
        return false;
    }

    /// <summary>
    /// The tests that reach it, the cheapest first, where those of its own room count as cheaper. For one that runs once in a
    /// process, all that reach its file.
    /// </summary>
    private List<string> TestsOf(Mutant mutant, bool once)
    {
        IEnumerable<string> tests = recording.Of(mutant.Number);
        if (once)
        {
            tests = mutantsOfFile[mutant.File].SelectMany(recording.Of).Distinct(StringComparer.Ordinal);
        }

        return [.. tests.OrderBy(test => (5 + recording.Milliseconds(test)) * (test.Contains($".{mutant.Room}.", StringComparison.Ordinal) ? 1 : 5))];
    }

    /// <summary>Few tests at first, that a mutant which dies at once costs little; then more at a time.</summary>
    private IEnumerable<string[]> Batches(List<string> tests)
    {
        var most = 200.0;
        for (var at = 0; at < tests.Count;)
        {
            var (from, sum) = (at, 0.0);
            do
            {
                sum += 5 + recording.Milliseconds(tests[at++]);
            }
            while (at < tests.Count && sum < most);

            yield return [.. tests[from..at]];
            most = Math.Min(most * 3, 5000);
        }
    }

    private TimeSpan Deadline(string test) => TimeSpan.FromMilliseconds(8000 + (6 * recording.Milliseconds(test)));

    private void Replace()
    {
        _worker?.Dispose();
        _worker = null;
    }
}
