using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Testing;
using MutualAuth.Credentials;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

/// <summary>At most so many failures in a row for one user, whatever the time between them (NIST SP 800-63B-4 §3.2.2).</summary>
[CancelAfter(60000)]
public sealed class ConsecutiveFailuresTests
{
    private const string Right = "correct horse";
    private const string Wrong = "battery staple";

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    private readonly FakeLogCollector _log = new();
    private string _directory = null!;
    private int _lastAddress;

    [SetUp]
    public void SetUp()
    {
        _log.Clear();
        _lastAddress = 0;
        _directory = Directory.CreateTempSubdirectory("mutualauth-").FullName;
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_directory, recursive: true);

    [Test]
    public void A_hundred_is_the_default_and_none_is_no_bound()
    {
        var policy = Require.User(SaslServer.Scram(new MemoryCredentialStore()));

        policy.MaxConsecutiveFailures.Should().Be(100);
        (policy with { MaxConsecutiveFailures = 1 }).Problems().Should().BeEmpty();
        (policy with { MaxConsecutiveFailures = 0 }).Problems()
            .Should().ContainSingle().Which.Should().Contain(nameof(CredentialPolicy.MaxConsecutiveFailures));
        (policy with { MaxConsecutiveFailures = 1_000_001 }).Problems().Should().ContainSingle();
    }

    [TestCase("memory", "SCRAM-SHA-256-PLUS")]
    [TestCase("memory", "PLAIN")]
    [TestCase("file", "SCRAM-SHA-256-PLUS")]
    [TestCase("file", "PLAIN")]
    [TestCase("own", "SCRAM-SHA-256-PLUS")]
    [TestCase("own", "PLAIN")]
    public async Task After_so_many_failures_from_anywhere_the_right_password_from_a_new_place_is_refused_too(string kind, string mechanism)
    {
        var server = new TestServer(this, await StoreAsync(kind), max: 4) { Mechanism = mechanism };
        foreach (var _ in Enumerable.Range(0, 3))
        {
            (await server.LogInAsync("alice", Wrong)).Should().Be(RejectionReason.CredentialsWrong);
        }

        (await server.LogInAsync("bob", Right)).Should().BeNull("another user is not concerned");
        (await server.LogInAsync("alice", Wrong)).Should().Be(RejectionReason.CredentialsWrong, "the fourth is the last that is judged");

        (await server.LogInAsync("alice", Right)).Should().Be(RejectionReason.AttemptsLimited);
        (await server.LogInAsync("alice", Wrong)).Should().Be(RejectionReason.AttemptsLimited);
        (await server.LogInAsync("bob", Right)).Should().BeNull();
        var told = _log.GetSnapshot().Where(record => record.Id.Id == 1307).Should().ContainSingle("it is told once").Subject;
        (told.Level, told.Message)
            .Should().Match<(LogLevel, string)>(each => each.Item1 == LogLevel.Warning && each.Item2.Contains("alice", StringComparison.Ordinal));
    }

    [TestCase("memory")]
    [TestCase("file")]
    [TestCase("own")]
    public async Task A_success_sets_it_back_and_one_before_the_last_still_comes_in(string kind)
    {
        var server = new TestServer(this, await StoreAsync(kind), max: 4);
        foreach (var _ in Enumerable.Range(0, 3))
        {
            foreach (var __ in Enumerable.Range(0, 3))
            {
                (await server.LogInAsync("alice", Wrong)).Should().Be(RejectionReason.CredentialsWrong);
            }

            (await server.LogInAsync("alice", Right)).Should().BeNull();
        }

        _log.GetSnapshot().Should().NotContain(record => record.Id.Id == 1307);
    }

    [TestCase("192.0.2.7", "192.0.2.7", true)]
    [TestCase("192.0.2.7", "192.0.2.8", false)]
    [TestCase("2001:db8::7", "2001:db8::8", true)] // one /64
    public async Task Where_a_user_has_logged_in_it_still_does(string before, string then, bool comesIn)
    {
        var server = new TestServer(this, await StoreAsync("file"), max: 2);
        (await server.LogInAsync("alice", Right, before)).Should().BeNull();
        await server.FailAsync("alice", 2);

        (await server.LogInAsync("alice", Right, then)).Should().Be(comesIn ? null : RejectionReason.AttemptsLimited);
        (await server.LogInAsync("alice", Right))
            .Should().Be(comesIn ? null : RejectionReason.AttemptsLimited, "a success takes the bar away from everywhere");
    }

    [TestCase("laptop.test", true)]
    [TestCase("phone.test", false)]
    public async Task A_certificate_with_which_a_user_has_logged_in_is_a_place_from_every_address(string then, bool comesIn)
    {
        var server = new TestServer(this, await StoreAsync("file"), max: 2);
        var devices = new Dictionary<string, AuthenticatedPeer>
        {
            ["laptop.test"] = Sasl.PeerOf(new TestPeer { Dns = ["laptop.test"] }),
            ["phone.test"] = Sasl.PeerOf(new TestPeer { Dns = ["phone.test"], Key = TestKey.Shared(KeyAlgorithm.EcdsaP384) }),
        };
        (await server.LogInAsync("alice", Right, peer: devices["laptop.test"])).Should().BeNull();
        await server.FailAsync("alice", 2);

        (await server.LogInAsync("alice", Right, peer: devices[then])).Should().Be(comesIn ? null : RejectionReason.AttemptsLimited);
    }

    [Test]
    public async Task A_certificate_as_the_credential_is_not_concerned()
    {
        var store = await StoreAsync("file");
        var server = new TestServer(this, store, max: 2);
        await server.FailAsync("device", 2);
        await server.FailAsync("alice", 2);

        (await server.LogInAsync(Login.WithCertificate(), peer: Sasl.Peer)).Should().BeNull();
        (await server.LogInAsync("alice", Right)).Should().Be(RejectionReason.AttemptsLimited);
    }

    [Test]
    public async Task A_file_keeps_it_across_a_restart_and_an_operator_clears_it()
    {
        var server = new TestServer(this, await StoreAsync("file"), max: 4);
        await server.FailAsync("alice", 3);

        var second = new TestServer(this, Reopen(), max: 4);
        (await second.LogInAsync("alice", Wrong)).Should().Be(RejectionReason.CredentialsWrong, "the fourth in a row, at the second server");
        (await second.LogInAsync("alice", Right)).Should().Be(RejectionReason.AttemptsLimited);
        (await server.LogInAsync("alice", Right)).Should().Be(RejectionReason.AttemptsLimited, "the first sees what the second counted");

        var third = Counting(Reopen());
        (await third.FindFailuresAsync("alice")).Should().Be(4);
        (await third.ClearFailuresAsync("nobody")).Should().BeFalse();
        (await third.ClearFailuresAsync("alice")).Should().BeTrue();
        (await third.FindFailuresAsync("alice")).Should().Be(0);
        (await third.FindFailuresAsync("nobody")).Should().BeNull();

        (await second.LogInAsync("alice", Right)).Should().BeNull("what an operator clears counts in servers that run");
        (await server.LogInAsync("alice", Right)).Should().BeNull();
    }

    [Test]
    public async Task A_user_who_is_removed_and_added_again_begins_at_nothing()
    {
        var store = await StoreAsync("file");
        await new TestServer(this, store, max: 2).FailAsync("alice", 2);

        await ((IWritableCredentialStore)store).RemoveAsync("alice");
        await ((IWritableCredentialStore)store).SetAsync("alice", Sasl.Verifier(Right));

        (await new TestServer(this, Reopen(), max: 2).LogInAsync("alice", Right)).Should().BeNull();
    }

    [TestCase("memory", 1)]
    [TestCase("own", 1)]
    [TestCase("file", 1)]
    [TestCase("file", 3)] // as many processes: each has a store of its own over the file
    public async Task Guesses_at_once_are_not_more(string kind, int servers)
    {
        const int Max = 10;
        var store = await StoreAsync(kind);
        TestServer[] all = [new(this, store, Max), .. Enumerable.Range(1, servers - 1).Select(_ => new TestServer(this, Reopen(), Max))];

        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(index => Task.Run(() => all[index % servers].LogInAsync("alice", Wrong))))
            .WaitAsync(s_limit);

        // Whoever hears more than "try again later" has learnt that the guess was wrong.
        answers.Count(reason => reason == RejectionReason.CredentialsWrong).Should().Be(Max);
        answers.Count(reason => reason == RejectionReason.AttemptsLimited).Should().Be(60 - Max);
        (await all[^1].LogInAsync("alice", Right)).Should().Be(RejectionReason.AttemptsLimited);
        _log.GetSnapshot().Count(record => record.Id.Id == 1307).Should().Be(1);
    }

    [Test]
    public async Task A_right_guess_among_the_racing_ones_comes_in_only_before_the_bound()
    {
        // The proof is begun before the bound is reached, and judged after it.
        var server = new TestServer(this, await StoreAsync("file"), max: 3);
        var begun = await server.BeginAsync("alice", Right);
        await server.FailAsync("alice", 3);

        (await begun()).Should().Be(RejectionReason.AttemptsLimited);

        await ((IFailureCountingStore)(object)server.Store).ClearFailuresAsync("alice");
        var next = await server.BeginAsync("alice", Right);
        await server.FailAsync("alice", 2);
        (await next()).Should().BeNull();
    }

    [Test]
    public async Task Nothing_is_written_once_the_bound_is_reached_nor_for_a_name_that_nobody_has()
    {
        var server = new TestServer(this, await StoreAsync("file"), max: 5);
        var users = File.ReadAllBytes(Users);
        await server.FailAsync("nobody", 5);
        await server.FailAsync("mallory", 3);
        Written().Should().BeEmpty("nobody has these names");

        await server.FailAsync("alice", 5);
        var before = Written();
        before.Should().ContainSingle().Which.Should().Match<(string, long, DateTime)>(file => file.Item2 <= 5);
        foreach (var _ in Enumerable.Range(0, 20))
        {
            (await server.LogInAsync("alice", Wrong)).Should().Be(RejectionReason.AttemptsLimited);
        }

        Written().Should().Equal(before);
        File.ReadAllBytes(Users).Should().Equal(users, "the credentials themselves are never rewritten for a failure");
    }

    [TestCase("memory")]
    [TestCase("file")]
    [TestCase("own")]
    public async Task A_name_that_nobody_has_is_answered_like_one_that_somebody_has_and_not_logged(string kind)
    {
        var server = new TestServer(this, await StoreAsync(kind), max: 4);
        var answers = new List<(RejectionReason? Known, RejectionReason? Unknown)>();
        foreach (var _ in Enumerable.Range(0, 8))
        {
            answers.Add((await server.LogInAsync("alice", Wrong), await server.LogInAsync("s3cret-typed-as-name", Wrong)));
        }

        answers.Should().OnlyContain(pair => pair.Known == pair.Unknown);
        answers[^1].Known.Should().Be(RejectionReason.AttemptsLimited);
        _log.GetSnapshot().Should().NotContain(record => record.Message.Contains("s3cret", StringComparison.Ordinal));
    }

    [Test]
    public async Task A_failure_is_answered_after_the_same_time_whether_there_was_anything_to_write_or_not()
    {
        var waits = new List<TimeSpan>();
        var server = new TestServer(this, await StoreAsync("file"), max: 2);
        server.Services.Failures.Level = (span, _) =>
        {
            waits.Add(span);
            return Task.CompletedTask;
        };
        await server.LogInAsync("alice", Wrong);
        await server.LogInAsync("nobody", Wrong);
        await server.LogInAsync("alice", Wrong);
        var begun = waits.Count;
        await server.LogInAsync("bob", Right);

        waits.Should().HaveCount(3).And.OnlyContain(wait => wait == ConsecutiveFailures.SameTime);
        begun.Should().Be(3, "a success waits for nothing");
    }

    [Test]
    public async Task A_store_that_cannot_keep_it_says_so_once_and_the_bound_holds_in_memory()
    {
        var own = new TestServer(this, await StoreAsync("own"), max: 2);
        await own.FailAsync("alice", 2);
        (await own.LogInAsync("alice", Right)).Should().Be(RejectionReason.AttemptsLimited);
        _log.GetSnapshot().Count(record => record.Id.Id == 1308 && record.Level == LogLevel.Warning).Should().Be(1);

        _log.Clear();
        var memory = new TestServer(this, await StoreAsync("memory"), max: 2);
        await memory.FailAsync("alice", 2);
        _log.GetSnapshot().Should().NotContain(record => record.Id.Id == 1308, "whoever keeps users in memory knows it");
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_directory_that_others_can_write_is_not_used_for_it(bool canOthersWrite)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("Windows has other rights.");
            return;
        }

        await StoreAsync("file");
        var kept = Directory.CreateDirectory(Path.Combine(_directory, "kept")).FullName;
        var mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        File.SetUnixFileMode(kept, canOthersWrite ? mode | UnixFileMode.OtherWrite : mode);
        var server = new TestServer(this, FileCredentialStore.Open(Users, new FileCredentialStoreOptions { FailureDirectory = kept }), max: 2);

        await server.FailAsync("alice", 2);

        (await server.LogInAsync("alice", Right)).Should().Be(RejectionReason.AttemptsLimited, "it is counted in the process in any case");
        Directory.GetFiles(kept).Should().HaveCount(canOthersWrite ? 0 : 1);
        _log.GetSnapshot().Count(record => record.Id.Id == 1308).Should().Be(canOthersWrite ? 1 : 0);
        Directory.Exists(Users + ".failures").Should().BeFalse();
    }

    [TestCase(nameof(IFailureCountingStore.AddFailureAsync))]
    [TestCase(nameof(IFailureCountingStore.FindFailuresAsync))]
    [TestCase(nameof(IFailureCountingStore.ClearFailuresAsync))]
    public async Task A_store_that_throws_leaves_the_bound_in_memory_and_honest_users_in(string operation)
    {
        var server = new TestServer(this, new Breaking(await StoreAsync("memory"), operation), max: 3);
        await server.FailAsync("alice", 2);
        (await server.LogInAsync("alice", Right)).Should().BeNull();
        await server.FailAsync("bob", 3);

        (await server.LogInAsync("bob", Right)).Should().Be(RejectionReason.AttemptsLimited);
        var records = _log.GetSnapshot().Where(record => record.Id.Id == 1308).ToArray();
        records.Length.Should().BeLessThanOrEqualTo(1);
        records.Should().NotContain(record => record.Message.Contains("the secret", StringComparison.Ordinal));
        if (operation == nameof(IFailureCountingStore.AddFailureAsync))
        {
            records.Should().ContainSingle();
        }
    }

    [Test]
    public async Task Servers_over_one_store_object_count_together_without_its_help()
    {
        var store = await StoreAsync("own");
        var policy = Sasl.Policy(SaslServer.Scram(store));

        var (one, other) = (LoginServices.OverStore(policy, TimeProvider.System), LoginServices.OverStore(policy, TimeProvider.System));

        one.Failures.Should().BeSameAs(other.Failures);
    }

    [Test]
    public async Task Names_in_memory_are_bounded_and_those_who_failed_most_stay()
    {
        var failures = new ConsecutiveFailures();
        var store = await StoreAsync("own");
        foreach (var _ in Enumerable.Range(0, 3))
        {
            await failures.FailedAsync(store, "alice", 3, isKnown: true, NullLogger.Instance, default);
        }

        for (var number = 0; number < ConsecutiveFailures.MaxNames + 10; number++)
        {
            await failures.FailedAsync(store, $"name-{number}", 3, isKnown: false, NullLogger.Instance, default);
        }

        failures.Names.Should().BeLessThanOrEqualTo(ConsecutiveFailures.MaxNames);
        (await failures.IsBarredAsync(store, "alice", 3, default)).Should().BeTrue();
    }

    [Test]
    public async Task A_store_that_fails_again_after_it_has_worked_is_told_of_again()
    {
        var store = new Switched(await StoreAsync("memory"));
        var server = new TestServer(this, store, max: 100);
        foreach (var (isBroken, told) in new[] { (true, 1), (true, 1), (false, 1), (true, 2), (true, 2) })
        {
            store.IsBroken = isBroken;
            await server.FailAsync("alice", 1);
            _log.GetSnapshot().Count(record => record.Id.Id == 1308).Should().Be(told);
        }
    }

    [Test]
    public async Task What_was_counted_here_while_the_store_failed_counts_until_a_success()
    {
        var store = new Switched(await StoreAsync("memory")) { IsBroken = true };
        var server = new TestServer(this, store, max: 3);
        await server.FailAsync("alice", 2);
        store.IsBroken = false;

        (await server.LogInAsync("alice", Wrong)).Should().Be(RejectionReason.CredentialsWrong, "the third");
        (await server.LogInAsync("alice", Right)).Should().Be(RejectionReason.AttemptsLimited);
        (await store.FindFailuresAsync("alice")).Should().Be(1, "the store has but the one that it could write");
    }

    [Test]
    public async Task Where_both_have_counted_the_higher_count_stands()
    {
        var store = new Switched(await StoreAsync("memory"));
        await store.AddFailureAsync("alice", 4);
        await store.AddFailureAsync("alice", 4); // by another server
        var server = new TestServer(this, store, max: 4);
        store.IsBroken = true;
        await server.FailAsync("alice", 1);
        store.IsBroken = false;

        await server.FailAsync("alice", 2); // the third and the fourth, as the store has it

        (await server.Services.Failures.IsBarredAsync(store, "alice", 4, default)).Should().BeTrue();
    }

    [Test]
    public async Task An_attempt_without_a_name_is_nobodys_failure()
    {
        var policy = Sasl.Policy(new ScriptedMechanism(["OWN"], async (context, cancellationToken, _) =>
            SaslServerStep.Fail(await context.AdmitAsync(string.Empty, cancellationToken)
                ?? new Rejection(RejectionReason.CredentialsWrong, "a", "b")))) with
        { MaxConsecutiveFailures = 1 };
        var services = new LoginServices(policy, TimeProvider.System);
        foreach (var _ in Enumerable.Range(0, 3))
        {
            await using var session = Sasl.Server(policy, services: services);

            (await session.StartAsync("OWN", Array.Empty<byte>(), default)).Reason().Should().Be(RejectionReason.CredentialsWrong);
        }
    }

    [TestCase(0, 0)]
    [TestCase(1, 1)]
    public async Task A_success_writes_to_the_store_only_where_there_was_a_failure(int failures, int writes)
    {
        var store = new Switched(await StoreAsync("memory"));
        var server = new TestServer(this, store, max: 3);
        await server.FailAsync("alice", failures);

        (await server.LogInAsync("alice", Right)).Should().BeNull();

        store.Cleared.Should().Be(writes);
        (await store.FindFailuresAsync("alice")).Should().Be(0);
    }

    [Test]
    public async Task A_right_guess_beyond_the_bound_is_answered_no_sooner_than_a_wrong_one()
    {
        var waits = 0;
        var server = new TestServer(this, await StoreAsync("file"), max: 1);
        var begun = await server.BeginAsync("alice", Right);
        await new TestServer(this, Reopen(), max: 1).FailAsync("alice", 1); // at another server, so that this one learns it from the store
        server.Services.Failures.Level = (_, _) =>
        {
            waits++;
            return Task.CompletedTask;
        };

        (await begun()).Should().Be(RejectionReason.AttemptsLimited);

        waits.Should().Be(1);
    }

    [Test]
    public async Task For_users_in_memory_no_time_is_waited()
    {
        var server = new TestServer(this, await StoreAsync("memory"), max: 2);
        server.Services.Failures.Level = (_, _) => throw new InvalidOperationException("there is nothing to hide");

        await server.FailAsync("alice", 2);
    }

    [Test]
    public async Task A_store_that_counts_a_user_whom_the_mechanism_never_looked_up_has_the_bound_told()
    {
        var failures = new ConsecutiveFailures();
        var logger = new FakeLogger(_log);

        (await failures.FailedAsync(await StoreAsync("memory"), "alice", 1, isKnown: false, logger, default)).Should().BeFalse();
        (await failures.FailedAsync(await StoreAsync("own"), "nobody", 1, isKnown: false, logger, default)).Should().BeFalse();

        _log.GetSnapshot().Should().ContainSingle(record => record.Id.Id == 1307).Which.Message.Should().Contain("alice");
        _log.GetSnapshot().Should().NotContain(record => record.Id.Id == 1308, "nobody was to be kept");
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task While_the_store_cannot_be_asked_who_is_known_to_be_barred_stays_so(bool throws)
    {
        var store = new Switched(await StoreAsync("memory"));
        var server = new TestServer(this, store, max: 1);
        await server.FailAsync("alice", 1);
        await store.ClearFailuresAsync("alice");

        store.IsBroken = throws;

        (await server.Services.Failures.IsBarredAsync(store, "alice", 1, default)).Should().Be(throws, "else an operator has cleared it");
        (await server.Services.Failures.IsBarredAsync(store, "bob", 1, default)).Should().BeFalse();
    }

    private string Users => Path.Combine(_directory, "users");

    private FileCredentialStore Reopen() => FileCredentialStore.Open(Users);

    private async Task<ICredentialStore> StoreAsync(string kind)
    {
        IWritableCredentialStore store = kind == "file" ? FileCredentialStore.OpenOrCreate(Users) : new MemoryCredentialStore();
        foreach (var user in new[] { "alice", "bob", "device" })
        {
            await store.SetAsync(user, Sasl.Verifier(Right));
        }

        return kind == "own" ? new OwnStore(store) : store;
    }

    private static IFailureCountingStore Counting(ICredentialStore store) => (IFailureCountingStore)store;

    /// <summary>What was written beside the file of users: name, length and time.</summary>
    private (string Name, long Length, DateTime Time)[] Written() =>
        [.. new DirectoryInfo(_directory).GetFiles("*", SearchOption.AllDirectories).Where(file => file.Name != "users" && file.Extension != ".lock")
            .Select(file => (file.FullName, file.Length, file.LastWriteTimeUtc)).OrderBy(file => file.FullName, StringComparer.Ordinal)];

    private IPAddress NextAddress() => new([198, 51, (byte)(Interlocked.Increment(ref _lastAddress) >> 8), (byte)_lastAddress]);

    /// <summary>A server without the wire, at which everybody comes from an address of its own unless it is said otherwise.</summary>
    private sealed class TestServer
    {
        private readonly ConsecutiveFailuresTests _test;
        private readonly CredentialPolicy _policy;
        private readonly ILogger _logger;

        internal TestServer(ConsecutiveFailuresTests test, ICredentialStore store, int max)
        {
            _test = test;
            Store = store;
            var mechanisms = new[] { SaslServer.Scram(store), SaslServer.PasswordsInPlain(store), SaslServer.Certificates(_ => "device") };
            _policy = Sasl.Policy(mechanisms) with
            {
                MaxConsecutiveFailures = max,
                AttemptLimiter = new NotingLimiter(),
                MaxConcurrentKeyDerivations = 8,
                MaxWaitingKeyDerivations = 100,
            };
            Services = LoginServices.OverStore(_policy, TimeProvider.System);
            _logger = new FakeLogger(test._log);
        }

        internal ICredentialStore Store { get; }

        internal LoginServices Services { get; }

        internal string Mechanism { get; init; } = "SCRAM-SHA-256-PLUS";

        internal async Task FailAsync(string user, int times)
        {
            foreach (var _ in Enumerable.Range(0, times))
            {
                (await LogInAsync(user, Wrong)).Should().Be(RejectionReason.CredentialsWrong);
            }
        }

        /// <returns>Null when the user is in.</returns>
        internal Task<RejectionReason?> LogInAsync(string user, string password, string? address = null, AuthenticatedPeer? peer = null) =>
            LogInAsync(Credentials(user, password), address, peer);

        internal async Task<RejectionReason?> LogInAsync(ClientCredentials credentials, string? address = null, AuthenticatedPeer? peer = null)
        {
            await using var session = Session(address, peer);
            var (step, objection) = await Sasl.RunAsync(credentials, session, Sasl.Binding).WaitAsync(s_limit);
            objection.Should().BeNull();
            return step is SaslServerStep.Succeeded ? null : step.Reason();
        }

        /// <summary>Goes as far as the server's challenge; the result goes on from there.</summary>
        internal async Task<Func<Task<RejectionReason?>>> BeginAsync(string user, string password)
        {
            var session = Session(null, null);
            var (client, _) = SaslClientSession.Begin(Credentials(user, password), Sasl.ClientContext(Sasl.Binding, offered: session.Offered));
            var first = await session.StartAsync(client!.Mechanism, await client.StartAsync(default), default).AsTask().WaitAsync(s_limit);
            var challenge = (SaslServerStep.Challenged)first;
            return async () =>
            {
                await using var _ = session;
                var answer = await client.StepAsync(challenge.Message, default);
                var step = await session.ContinueAsync(answer.Message, default).AsTask().WaitAsync(s_limit);
                return step is SaslServerStep.Succeeded ? null : step.Reason();
            };
        }

        private ClientCredentials Credentials(string user, string password) => Mechanism == "PLAIN"
            ? Login.DangerouslyWithPasswordInPlain(user, Password.From(password))
            : Login.WithPassword(user, password);

        private SaslServerSession Session(string? address, AuthenticatedPeer? peer)
        {
            var from = new IPEndPoint(address is null ? _test.NextAddress() : IPAddress.Parse(address), 1);
            return new SaslServerSession(_policy, new SaslServerContext(_policy, Services, Sasl.Binding, peer, from), _logger);
        }
    }

    /// <summary>A store of an application's own: it finds users, and nothing else.</summary>
    private sealed class OwnStore(ICredentialStore inner) : ICredentialStore
    {
        public ValueTask<StoredCredential?> FindAsync(string userName, CancellationToken cancellationToken) =>
            inner.FindAsync(userName, cancellationToken);
    }

    /// <summary>A store that counts, unless it is broken.</summary>
    private sealed class Switched(ICredentialStore inner) : IFailureCountingStore
    {
        internal bool IsBroken { get; set; }

        internal int Cleared { get; private set; }

        private IFailureCountingStore Inner => IsBroken ? throw new InvalidOperationException("broken") : (IFailureCountingStore)inner;

        public ValueTask<StoredCredential?> FindAsync(string userName, CancellationToken cancellationToken) =>
            inner.FindAsync(userName, cancellationToken);

        public ValueTask<int?> FindFailuresAsync(string userName, CancellationToken cancellationToken = default) =>
            Inner.FindFailuresAsync(userName, cancellationToken);

        public ValueTask<int?> AddFailureAsync(string userName, int limit, CancellationToken cancellationToken = default) =>
            Inner.AddFailureAsync(userName, limit, cancellationToken);

        public ValueTask<bool> ClearFailuresAsync(string userName, CancellationToken cancellationToken = default)
        {
            Cleared++;
            return Inner.ClearFailuresAsync(userName, cancellationToken);
        }
    }

    private sealed class Breaking(ICredentialStore inner, string operation) : IFailureCountingStore
    {
        private IFailureCountingStore Inner => (IFailureCountingStore)inner;

        public ValueTask<StoredCredential?> FindAsync(string userName, CancellationToken cancellationToken) =>
            inner.FindAsync(userName, cancellationToken);

        public ValueTask<int?> FindFailuresAsync(string userName, CancellationToken cancellationToken = default) =>
            Inner.FindFailuresAsync(Checked(userName), cancellationToken);

        public ValueTask<int?> AddFailureAsync(string userName, int limit, CancellationToken cancellationToken = default) =>
            Inner.AddFailureAsync(Checked(userName), limit, cancellationToken);

        public ValueTask<bool> ClearFailuresAsync(string userName, CancellationToken cancellationToken = default) =>
            Inner.ClearFailuresAsync(Checked(userName), cancellationToken);

        private string Checked(string userName, [System.Runtime.CompilerServices.CallerMemberName] string caller = "") =>
            caller == operation ? throw new InvalidOperationException("the secret") : userName;
    }
}
