using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using MutualAuth.Reloading;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Reloading;

/// <summary>
/// Any material of files: when it is looked for, when it is judged, and what is told of it. Its measurements are the whole process's.
/// </summary>
[NonParallelizable]
public sealed class WatchedFilesTests
{
    private static readonly TimeSpan s_poll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_quiet = TimeSpan.FromMilliseconds(100);

    private TemporaryFolder _folder = null!;
    private NotingClock _clock = null!;
    private EventLog _log = null!;

    private WatchOptions Options => new() { PollInterval = s_poll, QuietTime = s_quiet, TimeProvider = _clock, LoggerFactory = _log };

    [SetUp]
    public void SetUp()
    {
        _folder = new TemporaryFolder();
        _clock = new NotingClock(_folder);
        _log = new EventLog();
        _folder.Write("file", "one");
    }

    [TearDown]
    public void TearDown()
    {
        _folder.Dispose();
        _log.Dispose();
    }

    [Test]
    public void Without_a_file_there_is_nothing_to_watch() =>
        FluentActions.Invoking(() => new Probe([], Options)).Should().Throw<ArgumentException>().WithParameterName("paths");

    [Test]
    public void Options_that_contradict_themselves_are_refused_all_at_once() =>
        FluentActions.Invoking(() => new Probe([_folder["file"]], Options with { PollInterval = default, QuietTime = -s_quiet }))
            .Should().Throw<ArgumentException>().WithMessage("*PollInterval*QuietTime*").WithParameterName("options");

    [Test]
    public void Content_that_cannot_be_used_at_the_start_is_the_constructors_exception() =>
        FluentActions.Invoking(() => new Probe([_folder["file"], _folder["missing"]], Options)).Should().Throw<MaterialException>();

    [Test]
    public void Paths_are_absolute_and_in_their_order()
    {
        var relative = Path.GetRelativePath(Environment.CurrentDirectory, _folder["file"]);
        using var files = new Probe([_folder.Write("other", "two"), relative], Options);

        files.Paths.Should().Equal(_folder["other"], _folder["file"]);
        files.Current.Should().Be("two|one");
    }

    [Test]
    public void Nothing_is_looked_for_before_the_poll_interval_and_a_change_is_taken_up_after_the_quiet_time()
    {
        using var files = Watch();
        var heard = new Heard(files);
        _folder.Write("file", "two");
        Pass(s_poll - TimeSpan.FromMilliseconds(1));
        files.Current.Should().Be("one");

        Pass(TimeSpan.FromMilliseconds(1));
        (files.Current, heard.Replaced).Should().Be(("one", 0), "it has only just been seen");
        Pass(s_quiet);

        (files.Current, heard.Replaced).Should().Be(("two", 1));
        files.LastFailure.Should().BeNull();
    }

    [Test]
    public void While_files_change_they_are_looked_at_after_the_quiet_time_and_afterwards_at_the_poll_interval()
    {
        using var files = Watch();
        _folder.Write("file", "two");
        Pass(s_poll);
        _clock.NextLook.Should().Be(s_quiet);
        _folder.Write("file", "three");
        Pass(s_quiet);
        _clock.NextLook.Should().Be(s_quiet);

        Pass(s_quiet);

        files.Current.Should().Be("three");
        _clock.NextLook.Should().Be(s_poll);
    }

    [Test]
    public void A_quiet_time_that_is_longer_than_the_poll_interval_makes_no_look_later()
    {
        using var files = Watch(Options with { QuietTime = s_poll * 3 });
        _folder.Write("file", "two");
        Pass(s_poll);
        _folder.Write("file", "three");
        Pass(s_poll);

        _clock.NextLook.Should().Be(s_poll);
    }

    [Test]
    public void Files_that_somebody_writes_are_looked_at_every_ten_milliseconds_at_most()
    {
        Assume.That(OperatingSystem.IsLinux(), "Linux tells.");
        using var files = Watch(Options with { QuietTime = default });
        _folder.Write("file", "two");
        using (new FileStream(_folder["file"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            Pass(s_poll);
            files.Current.Should().Be("one");
            _clock.NextLook.Should().Be(TimeSpan.FromMilliseconds(10));
        }

        Pass(TimeSpan.FromMilliseconds(10));
        files.Current.Should().Be("two");
    }

    [Test]
    public void Files_that_never_stand_still_are_refused_once_after_ten_seconds()
    {
        using var files = Watch(Options with { QuietTime = s_poll * 2 });
        var heard = new Heard(files);
        for (var second = 0; second <= 10; second++)
        {
            heard.Refused.Should().BeEmpty();
            _folder.Write("file", $"{second}");
            Pass(s_poll);
        }

        heard.Refused.Should().ContainSingle().Which.Message.Should().Contain("10 seconds");
        _folder.Write("file", "again");
        Pass(s_poll);
        heard.Refused.Should().HaveCount(1, "it has been said");
        files.LastFailure!.Message.Should().Be(heard.Refused[0].Message);
        Pass(s_poll);
        Pass(s_poll);
        files.LastFailure.Should().BeNull();
        files.Current.Should().Be("again");
    }

    [Test]
    public void What_was_refused_is_judged_again_ten_seconds_later_and_told_once()
    {
        using var files = Watch();
        var heard = new Heard(files);
        files.Problem = "the date has not come";
        _folder.Write("file", "two");
        files.Reload().Should().BeFalse();
        files.Loads.Should().Be(2);

        Pass(TimeSpan.FromSeconds(10) - TimeSpan.FromMilliseconds(1));
        files.Loads.Should().Be(2);
        files.Problem = null;
        Pass(TimeSpan.FromSeconds(1));

        (files.Loads, files.Current).Should().Be((3, "two"));
        files.LastFailure.Should().BeNull();
        (heard.Refused.Count, heard.Replaced).Should().Be((1, 1));
    }

    [Test]
    public void At_the_tenth_second_what_was_refused_may_be_asked_for_again()
    {
        using var files = Watch(Options with { PollInterval = TimeSpan.FromHours(1) });
        files.Problem = "no";
        _folder.Write("file", "two");
        files.Reload();
        files.Problem = null;

        Pass(TimeSpan.FromSeconds(10) - TimeSpan.FromTicks(1));
        files.Reload().Should().BeFalse();
        Pass(TimeSpan.FromTicks(1));

        files.Reload().Should().BeTrue();
    }

    [Test]
    public void Another_refusal_is_told_and_the_same_one_is_not()
    {
        using var files = Watch();
        var heard = new Heard(files);
        foreach (var (content, problem) in new[] { ("two", "a"), ("three", "a"), ("four", "b"), ("five", "a") })
        {
            files.Problem = problem;
            _folder.Write("file", content);
            files.Reload().Should().BeFalse();
        }

        heard.Refused.Select(refused => refused.Message).Should().Equal("a", "b", "a");
        files.LastFailure!.Message.Should().Be("a");
        files.Current.Should().Be("one");
    }

    [Test]
    public void What_is_put_back_is_no_failure_any_more_and_nothing_new()
    {
        using var files = Watch();
        var heard = new Heard(files);
        files.Problem = "no";
        _folder.Write("file", "two");
        files.Reload();
        files.LastFailure.Should().NotBeNull();
        _folder.Write("file", "one");

        files.Reload().Should().BeFalse();

        files.LastFailure.Should().BeNull();
        (files.Loads, heard.Replaced).Should().Be((2, 0));
    }

    [Test]
    public void What_proved_bad_afterwards_stays_a_failure_until_there_is_other_content()
    {
        using var files = Watch();
        var heard = new Heard(files);
        files.FindBad("forged");
        files.LastFailure!.Message.Should().Be("forged");
        files.Problem = "no";
        _folder.Write("file", "two");
        files.Reload();
        files.Problem = null;
        _folder.Write("file", "one");
        files.Reload().Should().BeFalse();
        files.LastFailure!.Message.Should().Be("forged", "the content that proved bad is there again");

        _folder.Write("file", "three");
        files.Reload().Should().BeTrue();

        files.LastFailure.Should().BeNull();
        heard.Refused.Select(refused => refused.Message).Should().Equal("forged", "no");
    }

    [Test]
    public void A_loader_that_fails_in_its_own_way_is_a_refusal_that_says_how()
    {
        using var files = Watch();
        files.Fault = new InvalidOperationException("broken");
        _folder.Write("file", "two");

        files.Reload().Should().BeFalse();

        files.LastFailure!.Message.Should().Contain("InvalidOperationException").And.Contain("broken");
        files.LastFailure.InnerException.Should().BeSameAs(files.Fault);
    }

    [Test]
    public void A_clock_that_fails_while_files_are_looked_at_is_a_refusal_and_the_next_look_comes()
    {
        using var files = Watch();
        var heard = new Heard(files);
        _folder.Write("file", "two");
        Pass(s_poll);
        _clock.Fails = true;
        Pass(s_poll);
        _clock.Fails = false;
        heard.Refused.Should().ContainSingle().Which.InnerException.Should().BeOfType<InvalidOperationException>();

        Pass(s_poll);

        files.Current.Should().Be("two");
    }

    [Test]
    public void Every_handler_is_told_once_the_material_is_in_force_and_one_that_throws_stops_no_other()
    {
        using var files = Watch();
        var seen = new List<(object?, string)>();
        files.Replaced += (_, _) => throw new InvalidOperationException("planted");
        files.Replaced += (sender, _) => seen.Add((sender, files.Current));
        files.Refused += (_, _) => throw new InvalidOperationException("planted");
        files.Refused += (sender, refused) => seen.Add((sender, refused.Problem.Message));
        _folder.Write("file", "two");
        files.Reload();
        files.Problem = "no";
        _folder.Write("file", "three");
        files.Reload();

        seen.Should().Equal((files, "two"), (files, "no"));
        _log.Drain().Select(each => each.Id).Should().HaveCount(4, "two reloads and two handlers that failed");
    }

    [Test]
    public void Each_reload_is_measured_with_its_material_and_its_outcome()
    {
        var measured = new List<(object?, object?)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, each) =>
            {
                if (instrument.Name == "mutualauth.reload")
                {
                    each.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, count, tags, _) =>
        {
            var named = tags.ToArray().ToDictionary();
            if ((string?)named["mutualauth.material"] == "probe")
            {
                measured.Add((named["mutualauth.reload.outcome"], count));
            }
        });
        listener.Start();
        using var files = Watch();

        _folder.Write("file", "two");
        files.Reload();
        files.Problem = "no";
        _folder.Write("file", "three");
        files.Reload();

        measured.Should().Equal(("replaced", 1L), ("refused", 1L));
    }

    [Test]
    public void What_is_disposed_of_looks_no_more_and_keeps_its_material()
    {
        var files = Watch();
        files.Dispose();
        files.Dispose();
        _folder.Write("file", "two");

        Pass(s_poll * 3);

        files.Current.Should().Be("one");
        files.Loads.Should().Be(1);
        FluentActions.Invoking(files.Reload).Should().Throw<ObjectDisposedException>();
    }

    private Probe Watch(WatchOptions? options = null) => new([_folder["file"]], options ?? Options);

    private void Pass(TimeSpan time) => _folder.Clock.Advance(time);

    /// <summary>Material of text, of which tests say whether it may be loaded.</summary>
    [Test, CancelAfter(60000)]
    public async Task A_reload_that_is_asked_for_a_hundred_times_at_once_is_one_and_each_asker_has_its_answer(CancellationToken cancellationToken)
    {
        const int Askers = 100;
        using var files = new Probe([_folder["file"]], Options);
        using var gate = new ManualResetEventSlim();
        var isHeld = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        files.Loading = () =>
        {
            isHeld.TrySetResult();
            gate.Wait(cancellationToken);
        };
        _folder.Write("file", "two");
        var first = Ask();
        await isHeld.Task.WaitAsync(cancellationToken);

        _folder.Write("file", "three"); // while the first reload is under way, and before the others ask
        var others = Enumerable.Range(0, Askers).Select(_ => Ask()).ToArray();
        SpinWait.SpinUntil(() => files.Asked == Askers + 1, TimeSpan.FromSeconds(30)).Should().BeTrue();
        gate.Set();

        (await first.WaitAsync(cancellationToken)).Should().BeTrue();
        (await Task.WhenAll(others).WaitAsync(cancellationToken)).Should().AllBeEquivalentTo(true, "each asked before it was read");
        files.Current.Should().Be("three");
        files.Loads.Should().Be(3, "the first, the second, and one for all the others");
        files.Reload().Should().BeFalse("who asks afterwards has a reading of its own");

        Task<bool> Ask() => Task.Factory.StartNew(files.Reload, cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private sealed class Probe : WatchedFiles<string>
    {
        private readonly Verdict _verdict;

        internal Probe(IEnumerable<string> paths, WatchOptions options)
            : this(paths, options, new Verdict())
        {
        }

        private Probe(IEnumerable<string> paths, WatchOptions options, Verdict verdict)
            : base("probe", FileUse.Anchors, paths, 1000, verdict.Load, text => text, options) => _verdict = verdict;

        internal string? Problem
        {
            set => _verdict.Fault = value is null ? null : new MaterialException(value);
        }

        internal Exception? Fault
        {
            get => _verdict.Fault;
            set => _verdict.Fault = value;
        }

        internal int Loads => _verdict.Loads;

        /// <summary>Called while material is made.</summary>
        internal Action? Loading
        {
            set => _verdict.Loading = value;
        }

        internal void FindBad(string message) => RefuseAfterwards(new MaterialException(message));
    }

    private sealed class Verdict
    {
        internal Exception? Fault { get; set; }

        internal int Loads { get; private set; }

        internal Action? Loading { get; set; }

        internal string Load(ImmutableArray<FileContent> contents)
        {
            Loads++;
            Loading?.Invoke();
            return Fault is { } fault ? throw fault : string.Join('|', contents.Select(content => content.Text));
        }
    }

    /// <summary>The folder's clock, which notes when its timer is to ring next, and fails when it is told to.</summary>
    private sealed class NotingClock(TemporaryFolder folder) : TimeProvider
    {
        internal TimeSpan NextLook { get; private set; }

        internal bool Fails { get; set; }

        public override long TimestampFrequency => folder.Clock.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => folder.Clock.GetUtcNow();

        public override long GetTimestamp() => Fails ? throw new InvalidOperationException("The clock is broken.") : folder.Clock.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new NotingTimer(this, folder.Clock.CreateTimer(callback, state, dueTime, period));

        private sealed class NotingTimer(NotingClock clock, ITimer timer) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                clock.NextLook = dueTime;
                return timer.Change(dueTime, period);
            }

            public void Dispose() => timer.Dispose();

            public ValueTask DisposeAsync() => timer.DisposeAsync();
        }
    }
}
