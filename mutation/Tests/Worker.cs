using System.Globalization;
using System.Reflection;
using System.Runtime.Loader;
using MutualAuth.Mutation.Build;
using NUnit.Framework.Api;
using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;

namespace MutualAuth.Mutation.Tests;

/// <summary>
/// A process that holds the tests and the mutated assembly, and does as it is told, one line at a time: <c>run MUTANT KEY…</c> runs tests with a
/// mutant until one fails, <c>record KEY…</c> runs tests without one and says which mutants each reaches. Words are parted by tabs.
/// </summary>
internal sealed class Worker
{
    private readonly NUnitTestAssemblyRunner _runner = new(new DefaultTestAssemblyBuilder());
    private readonly Dictionary<string, ITest> _tests = new(StringComparer.Ordinal);
    private readonly TextWriter _answers;
    private readonly FieldInfo _active;
    private readonly FieldInfo _reached;

    private Worker(TextWriter answers, int mutants, int active)
    {
        _answers = answers;
        var core = AssemblyLoadContext.Default.LoadFromAssemblyPath(TestBed.CoreBeside(AppContext.BaseDirectory));
        var type = core.GetType(MutantSwitchSource.TypeName, throwOnError: true)!;
        _active = type.GetField("Active", BindingFlags.Static | BindingFlags.NonPublic)!;
        _reached = type.GetField("Reached", BindingFlags.Static | BindingFlags.NonPublic)!;
        _active.SetValue(null, active);
        var reached = new bool[mutants + 1];
        _reached.SetValue(null, reached);
        var tests = AssemblyLoadContext.Default.LoadFromAssemblyPath(TestBed.TestsBeside(AppContext.BaseDirectory));
        Dictionary<string, object> settings = new() { ["NumberOfTestWorkers"] = 0, ["StopOnError"] = true, ["SynchronousEvents"] = true };
        Index(_runner.Load(tests, settings));
        _reached.SetValue(null, null);
        Tell("ready", Numbers(reached));
        foreach (var (key, test) in _tests)
        {
            Tell("test", key, test.Parent!.FullName);
        }

        Tell("done");
    }

    /// <summary>Serves until there is nothing more to read.</summary>
    internal static int Serve(int mutants, int active)
    {
        var answers = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
        var orders = Console.In;
        Console.SetOut(TextWriter.Null);
        Console.SetIn(TextReader.Null);
        var worker = new Worker(answers, mutants, active);
        while (orders.ReadLine() is { } line)
        {
            worker.Obey(line.Split('\t'), mutants);
        }

        return 0;
    }

    private void Obey(string[] words, int mutants)
    {
        var record = words[0] == "record";
        var reached = record ? new bool[mutants + 1] : null;
        _reached.SetValue(null, reached);
        _active.SetValue(null, record ? 0 : int.Parse(words[1], CultureInfo.InvariantCulture));
        var tests = words.Skip(record ? 1 : 2).Where(_tests.ContainsKey).Select(key => _tests[key]);
        var result = _runner.Run(new Listener(this, reached), new Chosen(tests));
        Tell("done", result.ResultState.Status.ToString());
    }

    private void Index(ITest test)
    {
        foreach (var inner in test.Tests)
        {
            Index(inner);
        }

        if (!test.IsSuite && test.RunState is RunState.Runnable)
        {
            var key = test.FullName.ReplaceLineEndings(" ").Replace('\t', ' ');
            for (var number = 2; !_tests.TryAdd(key, test); number++)
            {
                key = $"{test.FullName} (once more: {number})".ReplaceLineEndings(" ").Replace('\t', ' ');
            }

            test.Properties.Set("key", key);
        }
    }

    private void Tell(params string[] words)
    {
        lock (_answers)
        {
            _answers.WriteLine(string.Join('\t', words));
        }
    }

    private static string Numbers(bool[] reached) =>
        string.Join(',', Enumerable.Range(0, reached.Length).Where(number => reached[number]));

    /// <summary>Exactly these tests, and what they stand in.</summary>
    private sealed class Chosen : TestFilter
    {
        private readonly HashSet<ITest> _chosen = [];

        internal Chosen(IEnumerable<ITest> tests)
        {
            foreach (var test in tests)
            {
                for (var outer = test; outer is not null && _chosen.Add(outer); outer = outer.Parent)
                {
                }
            }
        }

        public override bool Match(ITest test) => _chosen.Contains(test);

        public override bool Pass(ITest test, bool negated) => _chosen.Contains(test);

        public override TNode AddToXml(TNode parentNode, bool recursive) => parentNode.AddElement("chosen");
    }

    /// <summary>Tells of each test. What is reached between two tests is the setting-up of a fixture, and counts for each of its tests.</summary>
    private sealed class Listener(Worker worker, bool[]? reached) : ITestListener
    {
        private readonly Dictionary<ITest, bool[]> _settingUp = [];

        public void TestStarted(ITest test)
        {
            if (test.IsSuite)
            {
                return;
            }

            if (reached is not null && test.Parent is { } fixture)
            {
                var before = _settingUp.GetValueOrDefault(fixture) ?? new bool[reached.Length];
                _settingUp[fixture] = Or(before, reached);
                Array.Clear(reached);
            }

            worker.Tell("start", Key(test));
        }

        public void TestFinished(ITestResult result)
        {
            if (result.Test.IsSuite)
            {
                return;
            }

            var all = reached is null ? [] : Or(_settingUp[result.Test.Parent!], reached);
            if (reached is not null)
            {
                Array.Clear(reached);
            }

            var milliseconds = ((int)(result.Duration * 1000)).ToString(CultureInfo.InvariantCulture);
            worker.Tell("end", Key(result.Test), result.ResultState.Status.ToString(), milliseconds, Numbers(all), OneLine(result.Message));
        }

        public void TestOutput(TestOutput output)
        {
        }

        public void SendMessage(TestMessage message)
        {
        }

        private static string OneLine(string? text) => (text ?? string.Empty).ReplaceLineEndings(" ").Replace('\t', ' ');

        private static string Key(ITest test) => (string)test.Properties.Get("key")!;

        private static bool[] Or(bool[] one, bool[] other) => [.. one.Zip(other, (left, right) => left || right)];
    }
}
