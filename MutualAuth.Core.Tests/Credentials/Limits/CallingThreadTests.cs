using System.Collections.Concurrent;
using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>
/// Which threads a login asks on: none of its own where all answers are in memory, and never one of the pool where code is not ours.
/// </summary>
[CancelAfter(60000)]
public sealed class CallingThreadTests
{
    private readonly string _directory = Directory.CreateTempSubdirectory("mutualauth-").FullName;
    private readonly ConcurrentBag<bool> _isOfThePool = [];
    private readonly MemoryCredentialStore _store = Sasl.Store(("alice", "right"));

    [SetUp]
    public void SetUp() => _isOfThePool.Clear();

    [OneTimeTearDown]
    public void TearDown() => Directory.Delete(_directory, recursive: true);

    [TestCase("alice", "right", null)]
    [TestCase("alice", "wrong", RejectionReason.CredentialsWrong)]
    [TestCase("nobody", "right", RejectionReason.CredentialsWrong)]
    public async Task A_login_against_users_in_memory_takes_no_thread(string user, string password, RejectionReason? reason)
    {
        var services = new LoginServices(Sasl.Policy(SaslServer.Scram(_store)), TimeProvider.System);

        var step = await LogInAsync(Sasl.Policy(SaslServer.Scram(_store)), services, user, password);

        Assert.That((step as SaslServerStep.Failed)?.Rejection.Reason, Is.EqualTo(reason));
        services.Checks.Threads.Should().Be(0);
    }

    [Test]
    public async Task A_login_against_the_same_users_behind_a_store_of_the_application_takes_one()
    {
        var policy = Sasl.Policy(SaslServer.Scram(new WrappedStore(this, _store)));
        var services = new LoginServices(policy, TimeProvider.System);

        (await LogInAsync(policy, services, "alice", "right")).Should().BeOfType<SaslServerStep.Succeeded>();

        services.Checks.Threads.Should().BePositive();
        ShouldHaveBeenCalledOffThePool();
    }

    [Test]
    public async Task Users_of_a_file_that_was_just_looked_at_are_found_without_a_thread_and_others_are_not()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using var store = FileCredentialStore.OpenOrCreate(Path.Combine(_directory, "users"), clock);
        await store.SetAsync("alice", Sasl.Verifier("right"));
        var policy = Sasl.Policy(SaslServer.Scram(store));
        var services = new LoginServices(policy, TimeProvider.System);
        store.ReloadIfChanged();

        await FindAsync();
        services.Checks.Threads.Should().Be(0);

        clock.Advance(TimeSpan.FromSeconds(2));
        await FindAsync();
        services.Checks.Threads.Should().BePositive("it looks at the file again");

        async Task FindAsync() =>
            (await Sasl.ServerContext(policy, services: services).FindAsync(store, "alice", default).AsTask().WaitAsync(TimeSpan.FromSeconds(20)))!
                .UserName.Should().Be("alice");
    }

    [TestCase("limiter")]
    [TestCase("rule")]
    [TestCase("rule within a rule")]
    [TestCase("rule of a source")]
    [TestCase("who may act as whom")]
    [TestCase("mechanism")]
    [TestCase("second factors")]
    public async Task What_is_the_applications_is_never_called_on_a_thread_of_the_pool(string what)
    {
        var scram = SaslServer.Scram(_store);
        var mechanism = new ScriptedMechanism(["TEST"], (_, _, _) => ValueTask.FromResult(
            Called(SaslServerStep.Succeed("alice", PeerProofs.Password))));
        var rule = UserRules.Where("the test calls it", (_, _) => Called(true));
        var policy = Sasl.Policy(what == "mechanism" ? mechanism : scram);
        policy = what switch
        {
            "limiter" => policy with { AttemptLimiter = new WrappedLimiter(this) },
            "rule" => policy with { Users = rule },
            "rule within a rule" => policy with { Users = UserRules.AllOf(UserRules.Named("alice"), rule) },
            "rule of a source" => policy with { Users = UserRules.From(new RuleSource(this)) },
            "who may act as whom" => policy with { MayActAs = (_, _) => Called(true) },
            "second factors" => policy with { SecondFactors = [new NamelessFactor(this)], LoginFactors = FactorRequirement.TwoKinds },
            _ => policy,
        };

        var actAs = what == "who may act as whom" ? "bob" : null;
        await LogInAsync(policy, new LoginServices(policy, TimeProvider.System), "alice", "right", actAs);

        ShouldHaveBeenCalledOffThePool();
    }

    [TestCase("right")]
    [TestCase("wrong")]
    public async Task A_count_of_failures_that_is_the_applications_is_never_kept_on_a_thread_of_the_pool(string password)
    {
        var policy = Sasl.Policy(SaslServer.Scram(new CountingStore(this, _store)));
        var services = new LoginServices(policy, TimeProvider.System);

        await LogInAsync(policy, services, "alice", password);

        ShouldHaveBeenCalledOffThePool();
    }

    [Test]
    public async Task Nor_is_it_read_there_when_a_user_has_reached_the_bound()
    {
        var policy = Sasl.Policy(SaslServer.Scram(new CountingStore(this, _store))) with { MaxConsecutiveFailures = 1 };
        var services = new LoginServices(policy, TimeProvider.System);
        await LogInAsync(policy, services, "alice", "wrong");
        _isOfThePool.Clear();

        var step = await LogInAsync(policy, services, "alice", "right");

        step.Reason().Should().Be(RejectionReason.AttemptsLimited);
        ShouldHaveBeenCalledOffThePool();
    }

    [Test]
    public async Task A_limiter_that_does_not_come_back_is_left_at_the_deadline_and_nobody_is_let_in()
    {
        using var deadline = new CancellationTokenSource();
        var limiter = new SilentLimiter(deadline);
        var mechanism = new ScriptedMechanism(["TEST"], async (context, cancellationToken, _) =>
            await context.AdmitAsync("alice", cancellationToken) is { } limited
                ? SaslServerStep.Fail(limited)
                : SaslServerStep.Succeed("alice", PeerProofs.Password));
        var policy = Sasl.Policy(mechanism) with { AttemptLimiter = limiter };
        SaslServerSession server = Sasl.Server(policy, Sasl.Binding, Sasl.Peer, new LoginServices(policy, TimeProvider.System));

        var step = await server.StartAsync("TEST", Sasl.Utf8("hello"), deadline.Token).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        await server.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));

        step.Reason().Should().Be(RejectionReason.CredentialCheckFaulted);
        limiter.Told.Should().Be(1);
    }

    [Test]
    public async Task A_login_that_is_given_up_is_told_to_a_limiter_that_does_not_come_back_and_does_not_wait_for_it()
    {
        using var deadline = new CancellationTokenSource();
        var limiter = new SilentLimiter(deadline);
        var mechanism = new ScriptedMechanism(["TEST"], async (context, cancellationToken, _) =>
        {
            await context.AdmitAsync("alice", cancellationToken);
            await deadline.CancelAsync();
            cancellationToken.ThrowIfCancellationRequested();
            return SaslServerStep.Succeed("alice", PeerProofs.Password);
        });
        var policy = Sasl.Policy(mechanism) with { AttemptLimiter = limiter };
        SaslServerSession server = Sasl.Server(policy, Sasl.Binding, Sasl.Peer, new LoginServices(policy, TimeProvider.System));

        var start = () => server.StartAsync("TEST", Sasl.Utf8("hello"), deadline.Token).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        await start.Should().ThrowAsync<OperationCanceledException>();
        await server.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));

        limiter.Told.Should().Be(1);
    }

    private static Task<SaslServerStep> LogInAsync(
        CredentialPolicy policy, LoginServices services, string user, string password, string? actAs = null) =>
        Task.Run(async () =>
        {
            await using var server = Sasl.Server(policy, Sasl.Binding, Sasl.Peer, services);
            if (server.Offered.Contains("TEST"))
            {
                return await server.StartAsync("TEST", Sasl.Utf8("hello"), default);
            }

            return (await Sasl.RunAsync(Login.WithPassword(user, Password.From(password), actAs), server, Sasl.Binding)).Server;
        }).WaitAsync(TimeSpan.FromSeconds(20));

    private void ShouldHaveBeenCalledOffThePool() => _isOfThePool.Should().NotBeEmpty().And.NotContain(true);

    private void Note() => _isOfThePool.Add(Thread.CurrentThread.IsThreadPoolThread);

    private T Called<T>(T result)
    {
        Note();
        return result;
    }

    private class WrappedStore(CallingThreadTests test, ICredentialStore inner) : ICredentialStore
    {
        public ValueTask<StoredCredential?> FindAsync(string userName, CancellationToken cancellationToken)
        {
            test.Note();
            return inner.FindAsync(userName, cancellationToken);
        }
    }

    private sealed class CountingStore(CallingThreadTests test, MemoryCredentialStore inner) : WrappedStore(test, inner), IFailureCountingStore
    {
        private readonly CallingThreadTests _test = test;
        private readonly MemoryCredentialStore _inner = inner;

        public ValueTask<int?> FindFailuresAsync(string userName, CancellationToken cancellationToken)
        {
            _test.Note();
            return _inner.FindFailuresAsync(userName, cancellationToken);
        }

        public ValueTask<int?> AddFailureAsync(string userName, int limit, CancellationToken cancellationToken)
        {
            _test.Note();
            return _inner.AddFailureAsync(userName, limit, cancellationToken);
        }

        public ValueTask<bool> ClearFailuresAsync(string userName, CancellationToken cancellationToken)
        {
            _test.Note();
            return _inner.ClearFailuresAsync(userName, cancellationToken);
        }
    }

    private sealed class WrappedLimiter(CallingThreadTests test) : IAttemptLimiter
    {
        private readonly BackoffAttemptLimiter _inner = new();

        public ValueTask<TimeSpan?> BeginAsync(LoginAttempt attempt, CancellationToken cancellationToken)
        {
            test.Note();
            return _inner.BeginAsync(attempt, cancellationToken);
        }

        public ValueTask EndAsync(LoginAttempt attempt, AttemptOutcome outcome)
        {
            test.Note();
            return _inner.EndAsync(attempt, outcome);
        }
    }

    /// <summary>Never says that it has noted how an attempt ended.</summary>
    private sealed class SilentLimiter(CancellationTokenSource deadline) : IAttemptLimiter
    {
        internal int Told;

        public ValueTask<TimeSpan?> BeginAsync(LoginAttempt attempt, CancellationToken cancellationToken) => new((TimeSpan?)null);

        public async ValueTask EndAsync(LoginAttempt attempt, AttemptOutcome outcome)
        {
            Interlocked.Increment(ref Told);
            await deadline.CancelAsync();
            await Task.Delay(Timeout.Infinite, CancellationToken.None);
        }
    }

    private sealed class RuleSource(CallingThreadTests test) : IUserRuleSource
    {
        public UserRule Current => test.Called(UserRules.Any);
    }

    /// <summary>A second factor that has no name on this connection, and is asked for one when the first exchange has succeeded.</summary>
    private sealed class NamelessFactor(CallingThreadTests test) : ISaslServerMechanism
    {
        public IEnumerable<string> NamesFor(SaslServerContext context) => test.Called(Array.Empty<string>());

        public ISaslServerExchange Begin(string name, SaslServerContext context) => throw new InvalidOperationException("It has no name.");
    }
}
