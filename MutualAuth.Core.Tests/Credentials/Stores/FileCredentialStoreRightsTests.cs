using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Credentials;
using MutualAuth.Reloading;

namespace MutualAuth.Tests.Credentials;

/// <summary>Who may read and write the file of users, before a change and after it, and what counts while nobody can read it.</summary>
[UnsupportedOSPlatform("windows")]
[CancelAfter(60000)]
[NonParallelizable] // it switches off the file locks of the process
public sealed class FileCredentialStoreRightsTests
{
    private const uint Nobody = 65534;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly string s_verifier = Sasl.Verifier("pencil").ToString();

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly FakeLogCollector _log = new();
    private string _directory = null!;
    private string _path = null!;

    private FileCredentialStoreOptions Options => new() { TimeProvider = _time, LoggerFactory = new LoggerFactory([new FakeLoggerProvider(_log)]) };

    [SetUp]
    public void SetUp()
    {
        _log.Clear();
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("Windows has other rights.");
        }

        _directory = Directory.CreateTempSubdirectory("mutualauth-").FullName;
        _path = Path.Combine(_directory, "users");
        File.WriteAllText(_path, $"alice:{s_verifier}\n");
        File.SetUnixFileMode(_path, OwnerOnly);
    }

    [TearDown]
    public void TearDown()
    {
        if (_directory is not null)
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    [TestCase(OwnerOnly)]
    [TestCase(OwnerOnly | UnixFileMode.GroupRead)]
    [TestCase(OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead)]
    public async Task A_change_keeps_the_mode(UnixFileMode mode)
    {
        File.SetUnixFileMode(_path, mode);
        var store = FileCredentialStore.Open(_path, Options);

        await store.SetDisabledAsync("alice", isDisabled: true);

        File.GetUnixFileMode(_path).Should().Be(mode);
        File.ReadAllText(_path).Should().StartWith("alice:!");
    }

    [Test]
    public async Task A_change_keeps_owner_and_group()
    {
        AsRoot();
        Native.Chown(Octets(_path), 65533, Nobody).Should().Be(0);
        File.SetUnixFileMode(_path, OwnerOnly | UnixFileMode.GroupRead);
        var store = FileCredentialStore.Open(_path, Options);

        await store.SetDisabledAsync("alice", isDisabled: true);

        (await StatAsync()).Should().Be("65533 65534 640");
    }

    [Test]
    public void A_change_by_somebody_who_cannot_keep_the_owner_fails_and_changes_nothing()
    {
        AsRoot();
        var before = File.ReadAllText(_path);
        File.SetUnixFileMode(_path, OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        File.SetUnixFileMode(_directory, (UnixFileMode)0b111_111_111);
        Exception? thrown = null;
        var other = new Thread(() =>
        {
            // This thread alone becomes nobody where files are concerned.
            _ = Native.SetFsUid(Nobody);
            try
            {
                AtomicFile.Replace(_path, "mallory"u8, onStep: null);
            }
            catch (Exception exception)
            {
                thrown = exception;
            }
            finally
            {
                _ = Native.SetFsUid(0);
            }
        });
        other.Start();
        other.Join(TimeSpan.FromSeconds(20)).Should().BeTrue();

        thrown.Should().BeAssignableTo<IOException>();
        File.ReadAllText(_path).Should().Be(before);
        Directory.GetFiles(_directory).Should().ContainSingle();
    }

    [TestCase(UnixFileMode.GroupWrite)]
    [TestCase(UnixFileMode.OtherWrite)]
    public async Task A_file_that_others_can_write_is_refused_at_the_start_and_later(UnixFileMode write)
    {
        var store = FileCredentialStore.Open(_path, Options);
        File.SetUnixFileMode(_path, OwnerOnly | write);

        FluentActions.Invoking(() => FileCredentialStore.Open(_path, Options)).Should().Throw<MaterialException>().WithMessage("*chmod*");
        await store.Awaiting(each => each.SetDisabledAsync("alice", isDisabled: true).AsTask()).Should().ThrowAsync<MaterialException>();
        File.AppendAllText(_path, $"mallory:{s_verifier}\n");
        _time.Advance(TimeSpan.FromSeconds(1));

        (await store.FindAsync("mallory", default)).Should().BeNull();
        store.Health.Problem.Should().Contain("chmod");
    }

    [TestCase(OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead, true)]
    [TestCase(OwnerOnly | UnixFileMode.OtherRead, true)]
    [TestCase(OwnerOnly | UnixFileMode.GroupRead, true)] // it is ours, and we need no group to read it
    [TestCase(OwnerOnly | UnixFileMode.GroupExecute, false)]
    [TestCase(OwnerOnly, false)]
    public void A_file_of_ours_that_others_can_read_is_warned_about(UnixFileMode mode, bool isWarned)
    {
        File.SetUnixFileMode(_path, mode);

        var store = FileCredentialStore.Open(_path, Options);

        store.Health.CanOthersRead.Should().Be(isWarned);
        _log.GetSnapshot().Count(record => record.Id.Id == 1305 && record.Level == LogLevel.Warning).Should().Be(isWarned ? 1 : 0);
    }

    [TestCase(UnixFileMode.GroupRead, false)] // how an administrator shares it with a server that is in the group
    [TestCase(UnixFileMode.GroupRead | UnixFileMode.OtherRead, true)]
    public async Task A_file_of_somebody_elses_is_read_by_its_group_without_a_warning_and_by_everybody_with_one(UnixFileMode read, bool isWarned)
    {
        AsRoot();
        Native.Chown(Octets(_path), 65533, Nobody).Should().Be(0);
        File.SetUnixFileMode(_path, OwnerOnly | read);

        var store = FileCredentialStore.Open(_path, Options);

        store.Health.CanOthersRead.Should().Be(isWarned);
        _log.GetSnapshot().Count(record => record.Id.Id == 1305).Should().Be(isWarned ? 1 : 0);
        (await StatAsync()).Should().StartWith("65533 65534");
    }

    [Test]
    public async Task Rights_that_are_widened_later_are_warned_about_then()
    {
        var store = FileCredentialStore.Open(_path, Options);
        store.Health.CanOthersRead.Should().BeFalse();

        File.SetUnixFileMode(_path, OwnerOnly | UnixFileMode.GroupRead);
        _time.Advance(TimeSpan.FromSeconds(1));
        await store.FindAsync("alice", default).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        await store.Looking.WaitAsync(TimeSpan.FromSeconds(20));

        store.Health.CanOthersRead.Should().BeTrue();
        _log.GetSnapshot().Count(record => record.Id.Id == 1305).Should().Be(1);
    }

    [Test]
    public void Who_is_warned_of_rights_finds_them_in_the_health()
    {
        FileCredentialStore store = null!;
        bool? found = null;
        var log = FakeLogCollector.Create(new FakeLogCollectorOptions
        {
            OutputFormatter = record => $"{record.Id.Id}",
            OutputSink = id => found = id == "1305" ? store.Health.CanOthersRead : found,
        });
        store = FileCredentialStore.Open(_path, Options with { LoggerFactory = new LoggerFactory([new FakeLoggerProvider(log)]) });
        File.SetUnixFileMode(_path, OwnerOnly | UnixFileMode.GroupRead);

        store.ReloadIfChanged();

        found.Should().BeTrue();
    }

    [Test]
    public async Task While_the_file_cannot_be_read_the_last_users_count_for_a_time_and_then_nobody()
    {
        var store = FileCredentialStore.Open(_path, Options with { MaxUnreadable = TimeSpan.FromMinutes(5) });
        File.Delete(_path);

        _time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromSeconds(1));
        (await store.FindAsync("alice", default)).Should().NotBeNull();
        (store.Health.LetsUsersIn, store.Health.Problem is null).Should().Be((true, false));

        _time.Advance(TimeSpan.FromSeconds(2));
        await store.Awaiting(each => each.FindAsync("alice", default).AsTask()).Should().ThrowAsync<MaterialException>();
        store.Health.LetsUsersIn.Should().BeFalse();
        _log.GetSnapshot().Should().ContainSingle(record => record.Id.Id == 1306 && record.Level == LogLevel.Critical);
        _log.GetSnapshot().Should().ContainSingle(record => record.Id.Id == 1302, "one problem is told once");

        File.WriteAllText(_path, $"bob:{s_verifier}\n");
        File.SetUnixFileMode(_path, OwnerOnly);
        (await store.FindAsync("bob", default)).Should().NotBeNull();
        (await store.FindAsync("alice", default)).Should().BeNull();
        (store.Health.LetsUsersIn, store.Health.Problem).Should().Be((true, null));
    }

    [TestCase(0, true)]
    [TestCase(1, false)]
    public async Task The_last_users_count_to_the_end_of_the_time_and_not_a_tick_longer(int ticksLater, bool comesIn)
    {
        var store = FileCredentialStore.Open(_path, Options with { MaxUnreadable = TimeSpan.FromMinutes(5) });
        File.Delete(_path);
        _time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromMilliseconds(500));
        (await store.FindAsync("alice", default)).Should().NotBeNull("this is a look at the file, half a second before the end");

        _time.Advance(TimeSpan.FromMilliseconds(500) + TimeSpan.FromTicks(ticksLater));

        var find = () => store.FindAsync("alice", default).AsTask();
        if (comesIn)
        {
            (await find()).Should().NotBeNull();
        }
        else
        {
            await find.Should().ThrowAsync<MaterialException>();
        }

        store.Health.LetsUsersIn.Should().Be(comesIn);
    }

    [Test]
    public void That_nobody_comes_in_is_told_once_each_time_it_begins()
    {
        var store = FileCredentialStore.Open(_path, Options with { MaxUnreadable = TimeSpan.FromMinutes(5) });
        foreach (var told in new[] { 1, 2 })
        {
            File.Delete(_path);
            _time.Advance(TimeSpan.FromMinutes(6));
            store.ReloadIfChanged();
            store.ReloadIfChanged();
            _log.GetSnapshot().Count(record => record.Id.Id == 1306).Should().Be(told);

            File.WriteAllText(_path, $"alice:{s_verifier}\n");
            File.SetUnixFileMode(_path, OwnerOnly);
            store.ReloadIfChanged();
        }
    }

    [Test]
    public void That_others_can_read_it_is_told_once()
    {
        File.SetUnixFileMode(_path, OwnerOnly | UnixFileMode.OtherRead);
        var store = FileCredentialStore.Open(_path, Options);

        store.ReloadIfChanged();
        File.AppendAllText(_path, $"bob:{s_verifier}\n");
        store.ReloadIfChanged();

        (store.Count, store.Health.CanOthersRead).Should().Be((2, true));
        _log.GetSnapshot().Count(record => record.Id.Id == 1305).Should().Be(1);
    }

    [Test]
    public async Task Time_in_which_nobody_logs_in_is_no_time_in_which_the_file_cannot_be_read()
    {
        var store = FileCredentialStore.Open(_path, Options);

        _time.Advance(TimeSpan.FromDays(1));

        (await store.FindAsync("alice", default)).Should().NotBeNull();
        store.Health.LetsUsersIn.Should().BeTrue();
    }

    [Test]
    public async Task Whoever_wants_it_keeps_the_last_users_for_ever()
    {
        var store = FileCredentialStore.Open(_path, Options with { MaxUnreadable = Timeout.InfiniteTimeSpan });
        File.Delete(_path);

        _time.Advance(TimeSpan.FromDays(1));

        (await store.FindAsync("alice", default)).Should().NotBeNull();
    }

    [Test]
    public void Refused_changes_of_the_file_are_told_to_whoever_listens()
    {
        using var store = FileCredentialStore.Open(_path, Options);
        var problems = new List<string>();
        store.Refused += (_, refused) => problems.Add(refused.Problem.Message);
        File.WriteAllText(_path, "nonsense\n");

        store.ReloadIfChanged();
        store.ReloadIfChanged();

        problems.Should().ContainSingle().Which.Should().Contain("Line 1");
    }

    [Test]
    public async Task Without_locks_between_processes_nothing_is_changed()
    {
        var store = FileCredentialStore.Open(_path, Options);
        AppContext.SetSwitch("System.IO.DisableFileLocking", isEnabled: true);
        try
        {
            await store.Awaiting(each => each.SetDisabledAsync("alice", isDisabled: true).AsTask())
                .Should().ThrowAsync<MaterialException>()
                .WithMessage("*DisableFileLocking*");
            await store.Awaiting(each => each.ReplaceVerifiersAsync("bob", [Sasl.Verifier("x")]).AsTask()).Should().ThrowAsync<MaterialException>();
            await store.Awaiting(each => each.AddFailureAsync("alice", 3).AsTask()).Should().ThrowAsync<MaterialException>();
        }
        finally
        {
            AppContext.SetSwitch("System.IO.DisableFileLocking", isEnabled: false);
        }

        File.ReadAllText(_path).Should().Be($"alice:{s_verifier}\n");
        (await store.SetDisabledAsync("alice", isDisabled: true)).Should().BeTrue();
    }

    [TestCase("# users\n")]
    [TestCase("")]
    public async Task A_byte_order_mark_is_no_part_of_the_first_line(string first)
    {
        File.WriteAllText(_path, $"{first}alice:{s_verifier}\n", new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));

        (await FileCredentialStore.Open(_path, Options).FindAsync("alice", default)).Should().NotBeNull();
    }

    [Test]
    public void The_timer_runs_as_long_as_somebody_listens_and_no_longer()
    {
        var clock = new CountingClock(_time);
        var store = FileCredentialStore.Open(_path, Options with { TimeProvider = clock });
        clock.Timers.Should().Be(0);

        store.Replaced += Listen;
        store.Replaced += Listen;
        clock.Timers.Should().Be(1);
        store.Replaced -= Listen;
        clock.Timers.Should().Be(1);
        store.Replaced -= Listen;
        clock.Timers.Should().Be(0);

        store.Replaced += Listen;
        store.Dispose();
        clock.Timers.Should().Be(0);
        store.Replaced += Listen;
        clock.Timers.Should().Be(0, "it was disposed of");

        static void Listen(object? sender, EventArgs arguments)
        {
        }
    }

    [Test]
    public void A_file_that_is_longer_than_allowed_is_refused()
    {
        var length = (int)new FileInfo(_path).Length;

        FileCredentialStore.Open(_path, Options with { MaxFileBytes = length }).Count.Should().Be(1);
        FluentActions.Invoking(() => FileCredentialStore.Open(_path, Options with { MaxFileBytes = length - 1 })).Should().Throw<MaterialException>();
    }

    [Test]
    public async Task A_large_file_is_read_beside_the_logins_and_not_by_them()
    {
        var line = $":{s_verifier}\n";
        File.WriteAllText(
            _path, string.Concat(Enumerable.Range(0, FileCredentialStore.WaitsForBytes / line.Length).Select(number => $"user{number}{line}")));
        File.SetUnixFileMode(_path, OwnerOnly);
        using var reading = new ManualResetEventSlim();
        var store = FileCredentialStore.Open(_path, Options);
        store.BeforeParsing = reading.Wait;
        File.AppendAllText(_path, $"alice{line}");
        _time.Advance(TimeSpan.FromSeconds(1));

        // The reader stands; the login does not.
        (await Task.Run(() => store.FindAsync("user1", default).AsTask()).WaitAsync(TimeSpan.FromSeconds(20))).Should().NotBeNull();
        (await Task.Run(() => store.FindAsync("alice", default).AsTask()).WaitAsync(TimeSpan.FromSeconds(20))).Should().BeNull();

        reading.Set();
        await store.Looking.WaitAsync(TimeSpan.FromSeconds(30));
        (await store.FindAsync("alice", default)).Should().NotBeNull();
    }

    [Test]
    public void Options_that_make_no_sense_are_refused()
    {
        FluentActions.Invoking(
            () => FileCredentialStore.Open(_path, new FileCredentialStoreOptions { MaxUnreadable = TimeSpan.FromSeconds(-5), MaxFileBytes = 0 }))
            .Should().Throw<ArgumentException>().WithMessage("*MaxUnreadable*MaxFileBytes*");
    }

    private static void AsRoot()
    {
        if (Environment.UserName != "root" || !OperatingSystem.IsLinux())
        {
            Assert.Ignore("Only root on Linux gives files away.");
        }
    }

    private static byte[] Octets(string path) => Encoding.UTF8.GetBytes(path + '\0');

    private async Task<string> StatAsync()
    {
        using var process = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("stat", ["-c", "%u %g %a", _path]) { RedirectStandardOutput = true })!;
        return (await process.StandardOutput.ReadToEndAsync()).Trim();
    }

    private static class Native
    {
        [DllImport("libc", EntryPoint = "chown", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int Chown(byte[] path, uint owner, uint group);

        [DllImport("libc", EntryPoint = "setfsuid")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int SetFsUid(uint user);
    }

    /// <summary>Counts the timers that are alive.</summary>
    private sealed class CountingClock(TimeProvider inner) : TimeProvider
    {
        private int _timers;

        internal int Timers => Volatile.Read(ref _timers);

        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow();

        public override long GetTimestamp() => inner.GetTimestamp();

        public override long TimestampFrequency => inner.TimestampFrequency;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Interlocked.Increment(ref _timers);
            return new Counted(this, inner.CreateTimer(callback, state, dueTime, period));
        }

        private sealed class Counted(CountingClock clock, ITimer timer) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(dueTime, period);

            public void Dispose()
            {
                Interlocked.Decrement(ref clock._timers);
                timer.Dispose();
            }

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
