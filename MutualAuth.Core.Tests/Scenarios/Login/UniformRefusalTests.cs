using System.Collections.Concurrent;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>A refusal does not say which of the elements was wrong: neither by its word nor by its time, over real sockets.</summary>
[CancelAfter(60000)]
public sealed class UniformRefusalTests
{
    private static readonly TimeSpan s_unit = TimeSpan.FromMilliseconds(322); // no other wait has this length

    private World _world = null!;
    private MemoryCredentialStore _users = null!;
    private StoppedClock _clock = null!;
    private CodeServer _codes = null!;

    [SetUp]
    public async Task SetUp()
    {
        (_world, _users, _clock) = (new World { CloseTimeout = World.Moment }, await TestUsers.CreateAsync(), new StoppedClock());
        await _users.SetAsync("carol", (await _users.FindAsync("alice", default))!.Verifiers[0]);
        await _users.SetDisabledAsync("carol", true);
        _codes = new CodeServer();
        _codes.Codes.Remove("bob");
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    [TestCase("alice", "wrong", "111111", RejectionReason.CredentialsWrong)]
    [TestCase("nobody", "right", "111111", RejectionReason.CredentialsWrong)]
    [TestCase("carol", "right", "111111", RejectionReason.CredentialsWrong)]
    [TestCase("locked", "right", "111111", RejectionReason.AttemptsLimited)]
    [TestCase("locked", "wrong", "111111", RejectionReason.AttemptsLimited)]
    [TestCase("waiting", "right", "111111", RejectionReason.AttemptsLimited)]
    [TestCase("alice", "right", "999999", RejectionReason.SecondFactorWrong)]
    [TestCase("alice", "right", "333333", RejectionReason.SecondFactorWrong)]
    [TestCase("bob", "battery", "444444", RejectionReason.SecondFactorMissing)]
    public async Task Whatever_is_wrong_the_client_is_told_the_same_at_the_same_time_and_the_log_says_which(
        string user, string password, string code, RejectionReason reason)
    {
        var limiter = new NotingLimiter();
        var server = Options(limiter);
        if (user == "locked")
        {
            user = "alice";
            for (var count = 0; count < 5; count++)
            {
                await _users.AddFailureAsync("alice", 100);
            }
        }
        else if (user == "waiting")
        {
            user = "alice";
            server = server with { Credentials = server.Credentials with { AttemptLimiter = new Waits() } };
        }

        await using var ends = await ConnectedPair.ShakeAsync(Client(user, password, code), server);

        ends.Client.Refusal.PeerReason.Should().Be(PublicReason.CredentialsWrong);
        _clock.Waits.Should().Equal(s_unit);
        ends.Server.Refusal.Reason.Should().Be(reason);
    }

    [TestCase("PLAIN")]
    [TestCase("SCRAM-SHA-256-PLUS")]
    public async Task By_each_mechanism_who_is_locked_out_gets_as_far_as_a_wrong_password(string mechanism)
    {
        var server = Options(new NotingLimiter());
        server = server with
        {
            Credentials = server.Credentials with { SecondFactors = [], LoginFactors = FactorRequirement.Any },
        };
        var messages = new List<int>();
        foreach (var password in new[] { "wrong", "right" })
        {
            var client = _world.ClientOptions with
            {
                Credentials = mechanism == "PLAIN"
                    ? Login.DangerouslyWithPasswordInPlain("alice", Password.From(password))
                    : Login.WithPassword("alice", password),
            };
            await using var ends = await ConnectedPair.ShakeAsync(client, server);
            ends.Client.Refusal.PeerReason.Should().Be(PublicReason.CredentialsWrong);
            for (var count = 0; count < 5; count++)
            {
                await _users.AddFailureAsync("alice", 5);
            }

            messages.Add(_clock.Waits.Count);
        }

        messages.Should().Equal(1, 2);
        _clock.Waits.Should().OnlyContain(wait => wait == s_unit);
    }

    [Test]
    public async Task A_judgement_that_takes_longer_is_told_at_the_next_multiple()
    {
        var server = Options(new NotingLimiter());
        server = server with { Credentials = server.Credentials with { AttemptLimiter = new Slow(_clock, s_unit * 1.5) } };

        await using var ends = await ConnectedPair.ShakeAsync(Client("alice", "wrong", "111111"), server);

        ends.Client.Refusal.PeerReason.Should().Be(PublicReason.CredentialsWrong);
        _clock.All.Should().Contain(s_unit / 2);
    }

    [Test]
    public async Task A_fault_of_ours_is_told_as_one_and_who_is_right_waits_for_nothing()
    {
        var server = Options(new NotingLimiter());
        await using var faulted = await ConnectedPair.ShakeAsync(
            Client("alice", "right", "111111"),
            server with { Credentials = server.Credentials with { AttemptLimiter = new Throws() } });
        await using var right = await ConnectedPair.ShakeAsync(Client("alice", "right", "111111"), server);

        faulted.Client.Refusal.PeerReason.Should().Be(PublicReason.InternalError);
        right.Server.Accepted.Peer.User!.Name.Should().Be("alice");
        _clock.Waits.Should().BeEmpty();
    }

    [Test]
    public async Task Without_it_a_user_who_is_locked_out_is_told_to_come_again()
    {
        var server = Options(new NotingLimiter());
        for (var count = 0; count < 5; count++)
        {
            await _users.AddFailureAsync("alice", 100);
        }

        await using var ends = await ConnectedPair.ShakeAsync(
            Client("alice", "right", "111111"), server with { Credentials = server.Credentials with { UniformRefusalTime = null } });

        ends.Client.Refusal.PeerReason.Should().Be(PublicReason.TryAgainLater);
    }

    [Test]
    public async Task A_step_up_is_refused_alike_too()
    {
        var server = Options(new NotingLimiter());
        await using var ends = await ConnectedPair.ShakeAsync(Client("alice", "right", "111111"), server);
        for (var count = 0; count < 5; count++)
        {
            await _users.AddFailureAsync("alice", 5);
        }

        await using var stepUp = ends.Server.Accepted.BeginStepUp("pay"u8);
        using var responder = ends.Client.Accepted.AnswerStepUp(Login.WithPassword("alice", "wrong"), "pay"u8);
        ReadOnlyMemory<byte>? message = stepUp.FirstMessage;
        while (!responder.IsOver && await responder.AnswerAsync(message!.Value) is { } reply)
        {
            message = await stepUp.AnswerAsync(reply);
        }

        _clock.Waits.Should().Equal(s_unit);
        const int Code = (int)PublicReason.CredentialsWrong;
        message!.Value.ToArray().Should().Equal(7, 0, 3, Code >> 8, Code & 0xff, 0);
    }

    [Test]
    public void A_time_that_no_handshake_has_is_refused()
    {
        var options = _world.ServerOptions with
        {
            Credentials = Require.User(SaslServer.Scram(_users)) with { UniformRefusalTime = TimeSpan.FromSeconds(4) },
        };

        FluentActions.Invoking(() => new MutualTlsServer(options with { HandshakeTimeout = TimeSpan.FromSeconds(4) }))
            .Should().Throw<ArgumentException>().WithMessage("*UniformRefusalTime must be less than HandshakeTimeout*");
        FluentActions.Invoking(() => new MutualTlsServer(options)).Should().NotThrow();
    }

    private MutualTlsServerOptions Options(IAttemptLimiter limiter) => _world.ServerOptions with
    {
        TimeProvider = _clock,
        Credentials = Require.User(SaslServer.Scram(_users), SaslServer.PasswordsInPlain(_users)) with
        {
            SecondFactors = [_codes],
            LoginFactors = FactorRequirement.Proofs(PeerProofs.Password | PeerProofs.OneTimeCode),
            StepUpFactors = FactorRequirement.Proofs(PeerProofs.Password),
            LockOut = new LockOutPolicy { Failures = 5, Duration = TimeSpan.FromMinutes(15), ExemptsKnownPlaces = false },
            UniformRefusalTime = s_unit,
            AttemptLimiter = limiter,
            DecoyIterations = ScramVerifier.MinIterations,
        },
    };

    private MutualTlsClientOptions Client(string user, string password, string code) =>
        _world.ClientOptions with { Credentials = Login.WithPassword(user, password).Then(new CodeClient(code)) };

    private sealed class Waits : IAttemptLimiter
    {
        public ValueTask<TimeSpan?> BeginAsync(LoginAttempt attempt, CancellationToken cancellationToken) => new(TimeSpan.FromMinutes(1));

        public ValueTask EndAsync(LoginAttempt attempt, AttemptOutcome outcome) => default;
    }

    private sealed class Slow(StoppedClock clock, TimeSpan takes) : IAttemptLimiter
    {
        public ValueTask<TimeSpan?> BeginAsync(LoginAttempt attempt, CancellationToken cancellationToken)
        {
            clock.Move(takes);
            return default;
        }

        public ValueTask EndAsync(LoginAttempt attempt, AttemptOutcome outcome) => default;
    }

    private sealed class Throws : IAttemptLimiter
    {
        public ValueTask<TimeSpan?> BeginAsync(LoginAttempt attempt, CancellationToken cancellationToken) => throw new InvalidOperationException();

        public ValueTask EndAsync(LoginAttempt attempt, AttemptOutcome outcome) => default;
    }

    /// <summary>Time stands still, so that what is computed takes none; waits are noted, and those for a refusal are over at once.</summary>
    private sealed class StoppedClock : TimeProvider
    {
        private long _now;

        internal ConcurrentQueue<TimeSpan> All { get; } = new();

        internal IReadOnlyCollection<TimeSpan> Waits => [.. All.Where(wait => wait == s_unit)];

        internal void Move(TimeSpan time) => Interlocked.Add(ref _now, time.Ticks);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Volatile.Read(ref _now);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            All.Enqueue(dueTime);
            return base.CreateTimer(callback, state, dueTime == s_unit || dueTime == s_unit / 2 ? TimeSpan.FromMilliseconds(1) : dueTime, period);
        }
    }
}
