using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;
using MutualAuth.Mutation.Build;

namespace MutualAuth.Mutation.Tests;

/// <summary>What one test did.</summary>
internal sealed record TestEnd(string Key, string Status, int Milliseconds, int[] Reached, string Message);

/// <summary>A worker seen from outside: it is given tests, and is killed when it is silent for too long.</summary>
internal sealed class WorkerProcess : IDisposable
{
    private static readonly TimeSpan s_start = TimeSpan.FromMinutes(3);

    private readonly Process _process;
    private readonly Channel<string[]> _lines = Channel.CreateUnbounded<string[]>();

    private WorkerProcess(int mutants, int active)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            WorkingDirectory = Repository.Root,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in new[]
        {
            "exec", "--depsfile", TestBed.Dependencies, "--runtimeconfig", TestBed.RuntimeConfiguration, TestBed.Worker, "worker",
            mutants.ToString(CultureInfo.InvariantCulture), active.ToString(CultureInfo.InvariantCulture),
        })
        {
            start.ArgumentList.Add(argument);
        }

        // A mutant that takes memory without end must not take the machine's.
        start.Environment["DOTNET_GCHeapHardLimit"] = "0x80000000";
        start.Environment["DOTNET_gcServer"] = "0";
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        start.Environment["TMPDIR"] = TestBed.Temporary;
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        _process.OutputDataReceived += (_, line) =>
            _ = line.Data is { } data ? _lines.Writer.TryWrite(data.Split('\t')) : _lines.Writer.TryComplete();
        _process.BeginOutputReadLine();
    }

    /// <summary>Each test, with the fixture that it stands in.</summary>
    internal List<(string Key, string Fixture)> Tests { get; } = [];

    /// <summary>The mutants that were reached while the tests were looked up.</summary>
    internal int[] ReachedAtStart { get; private set; } = [];

    /// <summary>Starts a worker in which a mutant is active from the very first.</summary>
    internal static async Task<WorkerProcess> StartAsync(int mutants, int active = 0)
    {
        var worker = new WorkerProcess(mutants, active);
        using var deadline = new CancellationTokenSource(s_start);
        try
        {
            while (await worker._lines.Reader.ReadAsync(deadline.Token) is var line && line[0] != "done")
            {
                if (line[0] == "ready")
                {
                    worker.ReachedAtStart = Numbers(line[1]);
                }
                else if (line[0] == "test")
                {
                    worker.Tests.Add((line[1], line[2]));
                }
            }

            return worker;
        }
        catch
        {
            worker.Dispose();
            throw;
        }
    }

    /// <summary>Runs tests without a mutant, and says what each reached.</summary>
    internal Task<RunEnd> RecordAsync(IEnumerable<string> tests, TimeSpan perTest) => OrderAsync(["record", .. tests], _ => perTest);

    /// <summary>Runs tests with a mutant until one fails.</summary>
    internal Task<RunEnd> RunAsync(int mutant, IEnumerable<string> tests, Func<string, TimeSpan> deadline) =>
        OrderAsync(["run", mutant.ToString(CultureInfo.InvariantCulture), .. tests], deadline);

    public void Dispose()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }
        catch (InvalidOperationException)
        {
        }

        _process.Dispose();
    }

    private async Task<RunEnd> OrderAsync(string[] words, Func<string, TimeSpan> deadline)
    {
        List<TestEnd> ends = [];
        var running = string.Empty;
        try
        {
            await _process.StandardInput.WriteLineAsync(string.Join('\t', words));
            await _process.StandardInput.FlushAsync();
            while (true)
            {
                using var patience = new CancellationTokenSource(running.Length > 0 ? deadline(running) : TimeSpan.FromSeconds(30));
                var line = await _lines.Reader.ReadAsync(patience.Token);
                switch (line[0])
                {
                    case "start":
                        running = line[1];
                        break;
                    case "end":
                        running = string.Empty;
                        ends.Add(new(line[1], line[2], int.Parse(line[3], CultureInfo.InvariantCulture), Numbers(line[4]), line[5]));
                        break;
                    case "done":
                        return new(ends, line[1] == "Failed" ? RunOutcome.Failed : RunOutcome.Passed, running);
                }
            }
        }
        catch (OperationCanceledException)
        {
            return new(ends, RunOutcome.Hung, running);
        }
        catch (Exception exception) when (exception is ChannelClosedException or IOException)
        {
            return new(ends, RunOutcome.Crashed, running);
        }
    }

    private static int[] Numbers(string text) =>
        [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(number => int.Parse(number, CultureInfo.InvariantCulture))];
}

/// <summary>How a run of tests ended; after all but the first two there is no worker left.</summary>
internal enum RunOutcome
{
    Passed = 1,
    Failed,
    Hung,
    Crashed,
}

/// <param name="Ends">What each test that ended did.</param>
/// <param name="Outcome">How the whole ended.</param>
/// <param name="Running">The test that was running when it hung or crashed.</param>
internal sealed record RunEnd(IReadOnlyList<TestEnd> Ends, RunOutcome Outcome, string Running);
