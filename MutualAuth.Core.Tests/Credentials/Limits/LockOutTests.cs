using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

/// <summary>A few failures in a row lock a user out, for a time or until an operator unlocks, and somebody is told.</summary>
[CancelAfter(60000)]
public sealed class LockOutTests
{
    private const string Right = "correct horse";
    private const string Wrong = "battery staple";

    private static readonly TimeSpan s_duration = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan s_instant = TimeSpan.FromMilliseconds(1);

    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly FakeLogCollector _log = new();
    private string _directory = null!;
    private int _lastAddress;

    [SetUp]
    public void SetUp()
    {
        _log.Clear();
        _directory = Directory.CreateTempSubdirectory("mutualauth-").FullName;
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_directory, recursive: true);

    [TestCase("memory", "alice", "SCRAM-SHA-256-PLUS")]
    [TestCase("memory", "alice", "PLAIN")]
    [TestCase("memory", "nobody", "SCRAM-SHA-256-PLUS")]
    [TestCase("file", "alice", "SCRAM-SHA-256-PLUS")]
    [TestCase("file", "nobody", "PLAIN")]
    public async Task Five_failures_lock_out_for_the_time_and_then_five_more(string kind, string user, string mechanism)
    {
        var server = new TestServer(this, await StoreAsync(kind), Lock()) { Mechanism = mechanism };
        for (var round = 0; round < 3; round++)
        {
            (await server.FailuresAsync(user, 30)).Should().Be(5, "round {0}", round);
            _clock.Advance(s_duration - s_instant);
            (await server.FailuresAsync(user, 1)).Should().Be(0, "it is not over");
            (await server.LogInAsync(user, Right)).Should().Be(RejectionReason.AttemptsLimited);
            _clock.Advance(s_instant);
        }

        (await server.LogInAsync("bob", Right)).Should().BeNull("another user is not concerned");
        (await server.LogInAsync(user, Right)).Should().Be(user == "alice" ? null : RejectionReason.CredentialsWrong);
    }

    [Test]
    public async Task What_is_tried_during_a_lock_out_is_not_counted()
    {
        var store = await StoreAsync("file");
        var server = new TestServer(this, store, Lock());
        await server.FailuresAsync("alice", 100);

        (await ((IFailureCountingStore)store).FindFailuresAsync("alice")).Should().Be(5);
    }

    [Test]
    public async Task All_lock_outs_together_end_at_the_bound_from_which_an_operator_unlocks()
    {
        var store = await StoreAsync("file");
        var server = new TestServer(this, store, Lock(), max: 12);
        var judged = 0;
        for (var round = 0; round < 5; round++)
        {
            judged += await server.FailuresAsync("alice", 10);
            _clock.Advance(s_duration);
        }

        judged.Should().Be(12);
        _clock.Advance(TimeSpan.FromDays(365));
        (await server.LogInAsync("alice", Right)).Should().Be(RejectionReason.AttemptsLimited);
        await ((IFailureCountingStore)store).ClearFailuresAsync("alice");
        (await server.LogInAsync("alice", Right)).Should().BeNull();
        (await server.FailuresAsync("alice", 10)).Should().Be(5, "it counts from the beginning again");
    }

    [Test]
    public async Task Without_a_duration_an_operator_unlocks()
    {
        var store = await StoreAsync("file");
        var server = new TestServer(this, store, Lock(failures: 10, duration: null));
        (await server.FailuresAsync("alice", 20)).Should().Be(10);
        _clock.Advance(TimeSpan.FromDays(365));
        (await server.LogInAsync("alice", Right)).Should().Be(RejectionReason.AttemptsLimited);

        await ((IFailureCountingStore)store).ClearFailuresAsync("alice");

        (await server.LogInAsync("alice", Right)).Should().BeNull();
    }

    [Test]
    public async Task A_success_ends_the_row()
    {
        var server = new TestServer(this, await StoreAsync("file"), Lock());
        for (var round = 0; round < 4; round++)
        {
            (await server.FailuresAsync("alice", 4)).Should().Be(4);
            (await server.LogInAsync("alice", Right)).Should().BeNull();
        }
    }

    [TestCase("memory", 4)]
    [TestCase("file", 4)]
    public async Task Guesses_that_race_are_judged_as_often_as_may_be(string kind, int servers)
    {
        var store = await StoreAsync(kind);
        var all = Enumerable.Range(0, servers).Select(_ => new TestServer(this, kind == "file" ? Reopen() : store, Lock())).ToList();
        for (var round = 0; round < 2; round++)
        {
            var judged = await Task.WhenAll(
                Enumerable.Range(0, 40).Select(number => Task.Run(() => all[number % servers].FailuresAsync("alice", 1))));

            judged.Sum().Should().Be(5, "round {0}", round);
            await Task.WhenAll(all.Select(server => server.FailuresAsync("alice", 1))); // each has seen it
            _clock.Advance(s_duration);
        }
    }

    /// <summary>A server that saw the first lock-out late must not make the second one shorter.</summary>
    [TestCase(true)]
    [TestCase(false)]
    public async Task No_server_ends_a_lock_out_that_another_began_before_its_time(bool meets)
    {
        var (here, there) = (new TestServer(this, await StoreAsync("file"), Lock()), new TestServer(this, Reopen(), Lock()));
        (await here.FailuresAsync("alice", 5)).Should().Be(5);
        _clock.Advance(s_duration - TimeSpan.FromMinutes(1));
        (await there.FailuresAsync("alice", 1)).Should().Be(0, "it sees the first lock-out here");
        _clock.Advance(TimeSpan.FromMinutes(1));
        (await here.FailuresAsync("alice", 10)).Should().Be(5, "the second lock-out begins");
        (await there.FailuresAsync("alice", meets ? 1 : 0)).Should().Be(0);

        _clock.Advance(s_duration - s_instant);

        (await there.FailuresAsync("alice", 3)).Should().Be(0);
        (await here.FailuresAsync("alice", 3)).Should().Be(0);
    }

    [Test]
    public async Task A_restart_lengthens_a_lock_out_and_does_not_shorten_it()
    {
        var before = new TestServer(this, await StoreAsync("file"), Lock());
        await before.FailuresAsync("alice", 5);
        _clock.Advance(s_duration / 2);
        var after = new TestServer(this, Reopen(), Lock());
        (await after.FailuresAsync("alice", 1)).Should().Be(0);
        _clock.Advance(s_duration - s_instant);
        (await after.FailuresAsync("alice", 1)).Should().Be(0);

        _clock.Advance(s_instant);

        (await after.LogInAsync("alice", Right)).Should().BeNull();
    }

    [TestCase(true, null)]
    [TestCase(false, RejectionReason.AttemptsLimited)]
    public async Task A_stranger_locks_nobody_out_of_a_known_place_unless_that_is_asked_for(bool exempts, RejectionReason? reason)
    {
        var server = new TestServer(this, await StoreAsync("file"), Lock() with { ExemptsKnownPlaces = exempts });
        (await server.LogInAsync("alice", Right, "192.0.2.7")).Should().BeNull();
        (await server.FailuresAsync("alice", 20)).Should().Be(5);

        (await server.LogInAsync("alice", Right, "192.0.2.7")).Should().Be(reason);
    }

    [Test]
    public async Task Operator_and_user_are_told_once_of_each_lock_out_and_before_the_last_attempt()
    {
        var (told, mailed) = (new BlockingCollection<LockOutNotice>(), new BlockingCollection<LockOutNotice>());
        var server = new TestServer(
            this, await StoreAsync("file"), Lock() with { TellOperator = Into(told), TellUser = Into(mailed) }, max: 6);
        await server.FailuresAsync("nobody", 20);
        await server.FailuresAsync("alice", 20, "192.0.2.9");
        _clock.Advance(s_duration);
        await server.FailuresAsync("alice", 20, "192.0.2.9");

        foreach (var each in new[] { told, mailed })
        {
            LockOutNotice[] notices = [Take(each), Take(each), Take(each)];
            notices.Select(notice => (notice.UserName, notice.Kind, notice.Failures)).Should().Equal(
                ("alice", LockOutKind.ForATime, 5), ("alice", LockOutKind.Imminent, 5), ("alice", LockOutKind.UntilUnlocked, 6));
            notices[0].Until.Should().Be(notices[0].At + s_duration);
            notices[2].Until.Should().BeNull();
            notices.Should().OnlyContain(notice => notice.Address!.Equals(IPAddress.Parse("192.0.2.9")));
            each.Should().BeEmpty();
        }

        _log.GetSnapshot().Select(record => record.Id.Id).Where(id => id is 1307 or 1309).Should().Equal(1309, 1307);
    }

    [Test]
    public async Task Who_is_told_and_throws_is_told_the_next_and_no_login_notices()
    {
        var told = new BlockingCollection<LockOutNotice>();
        var server = new TestServer(this, await StoreAsync("memory"), Lock() with
        {
            TellOperator = (_, _) => throw new InvalidOperationException("canary"),
            TellUser = Into(told),
        });

        (await server.FailuresAsync("alice", 10)).Should().Be(5);
        (await server.FailuresAsync("bob", 10)).Should().Be(5);

        new[] { Take(told).UserName, Take(told).UserName }.Should().Equal("alice", "bob");
        while (_log.GetSnapshot().Count(record => record.Id.Id == 1311) < 2)
        {
            await Task.Yield();
        }

        _log.GetSnapshot().Should().NotContain(record => record.Message.Contains("canary"));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Who_is_told_and_does_not_come_back_holds_up_no_login_and_nobody_else(bool blocks)
    {
        using var never = new ManualResetEventSlim();
        var told = new BlockingCollection<LockOutNotice>();
        var server = new TestServer(this, await StoreAsync("memory"), Lock() with
        {
            TellOperator = async (_, _) =>
            {
                if (blocks)
                {
                    never.Wait(ConnectedPair.Deadline, CancellationToken.None);
                }

                await Task.Delay(Timeout.Infinite, CancellationToken.None);
            },
            TellUser = Into(told),
        });

        (await server.FailuresAsync("alice", 10)).Should().Be(5);
        (await server.LogInAsync("bob", Right)).Should().BeNull();

        Take(told).UserName.Should().Be("alice");
        never.Set();
    }

    [Test]
    public void Notices_that_nobody_takes_are_bounded()
    {
        using var never = new ManualResetEventSlim();
        var teller = new LockOutTeller((_, _) =>
        {
            never.Wait(ConnectedPair.Deadline, CancellationToken.None);
            return default;
        }, _clock);
        var logger = new FakeLogger(_log);
        for (var count = 0; count < LockOutTeller.MaxWaiting + 10; count++)
        {
            teller.Tell(new LockOutNotice($"user-{count}", LockOutKind.ForATime, 5, _clock.GetUtcNow()), logger);
        }

        _log.GetSnapshot().Count(record => record.Id.Id == 1312).Should().BeInRange(9, 10);
        never.Set();
    }

    [TestCase(0, 15.0, "Failures must be from 1")]
    [TestCase(101, 15.0, "at most MaxConsecutiveFailures")]
    [TestCase(5, 0.0, "Duration must be from a second")]
    [TestCase(5, 20_000.0, "Duration must be from a second")]
    public void A_policy_that_means_nothing_is_refused(int failures, double minutes, string problem)
    {
        var policy = Require.User(SaslServer.Scram(new MemoryCredentialStore()));

        (policy with { LockOut = Lock(failures, TimeSpan.FromMinutes(minutes)) }).Problems().Should().ContainSingle().Which.Should().Contain(problem);
        (policy with { LockOut = Lock() }).Problems().Should().BeEmpty();
    }

    private static LockOutPolicy Lock(int failures = 5) => Lock(failures, s_duration);

    private static LockOutPolicy Lock(int failures, TimeSpan? duration) => new() { Failures = failures, Duration = duration };

    private static Func<LockOutNotice, CancellationToken, ValueTask> Into(BlockingCollection<LockOutNotice> notices) => (notice, _) =>
    {
        notices.Add(notice, CancellationToken.None);
        return default;
    };

    private static LockOutNotice Take(BlockingCollection<LockOutNotice> notices) =>
        notices.TryTake(out var notice, ConnectedPair.Deadline) ? notice : throw new AssertionException("Nobody was told.");

    private string Users => Path.Combine(_directory, "users");

    private FileCredentialStore Reopen() => FileCredentialStore.Open(Users);

    private async Task<ICredentialStore> StoreAsync(string kind)
    {
        IWritableCredentialStore store = kind == "file" ? FileCredentialStore.OpenOrCreate(Users) : new MemoryCredentialStore();
        foreach (var user in new[] { "alice", "bob" })
        {
            await store.SetAsync(user, Sasl.Verifier(Right));
        }

        return store;
    }

    /// <summary>A server without the wire, at which everybody comes from an address of its own unless it is said otherwise.</summary>
    private sealed class TestServer
    {
        private readonly LockOutTests _test;
        private readonly CredentialPolicy _policy;
        private readonly LoginServices _services;
        private readonly ILogger _logger;

        internal TestServer(LockOutTests test, ICredentialStore store, LockOutPolicy lockOut, int max = 100)
        {
            _test = test;
            _policy = Sasl.Policy([SaslServer.Scram(store), SaslServer.PasswordsInPlain(store)]) with
            {
                LockOut = lockOut,
                MaxConsecutiveFailures = max,
                AttemptLimiter = new NotingLimiter(),
                MaxConcurrentKeyDerivations = 8,
                MaxWaitingKeyDerivations = 100,
            };
            _services = LoginServices.OverStore(_policy, test._clock);
            _logger = new FakeLogger(test._log);
        }

        internal string Mechanism { get; init; } = "SCRAM-SHA-256-PLUS";

        /// <summary>Tries a wrong password so many times.</summary>
        /// <returns>How many of them were judged.</returns>
        internal async Task<int> FailuresAsync(string user, int times, string? address = null)
        {
            var judged = 0;
            for (var count = 0; count < times; count++)
            {
                var reason = await LogInAsync(user, Wrong, address);
                reason.Should().BeOneOf(RejectionReason.CredentialsWrong, RejectionReason.AttemptsLimited);
                judged += reason == RejectionReason.CredentialsWrong ? 1 : 0;
            }

            return judged;
        }

        /// <returns>Null when the user is in.</returns>
        internal async Task<RejectionReason?> LogInAsync(string user, string password, string? address = null)
        {
            var next = Interlocked.Increment(ref _test._lastAddress);
            var from = address is null ? new IPAddress([198, 51, (byte)(next >> 8), (byte)next]) : IPAddress.Parse(address);
            var credentials = Mechanism == "PLAIN"
                ? Login.DangerouslyWithPasswordInPlain(user, Password.From(password))
                : Login.WithPassword(user, password);
            await using var session = new SaslServerSession(
                _policy, new SaslServerContext(_policy, _services, Sasl.Binding, null, new IPEndPoint(from, 1)), _logger);
            var (step, objection) = await Sasl.RunAsync(credentials, session, Sasl.Binding).WaitAsync(ConnectedPair.Deadline);
            objection.Should().BeNull();
            return step is SaslServerStep.Succeeded ? null : step.Reason();
        }
    }
}
