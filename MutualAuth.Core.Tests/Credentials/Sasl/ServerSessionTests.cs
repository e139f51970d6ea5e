using Microsoft.Extensions.Logging.Testing;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

/// <summary>What holds for every mechanism at the server, also for one of an application's own.</summary>
[CancelAfter(20000)]
public sealed class ServerSessionTests
{
    private const string Own = "OWN";

    [Test]
    public async Task Names_that_are_none_are_not_offered()
    {
        await using var session = Sasl.Server(Sasl.Policy(new ScriptedMechanism("own", "OWN 1", "OWN_1-A", string.Empty, new string('A', 21))));

        session.Offered.Should().Equal("OWN_1-A");
    }

    [Test]
    public async Task Thirty_one_names_are_offered_at_most_and_the_first_mechanism_has_a_name()
    {
        var asked = new List<string>();
        ScriptedMechanism Noting(string prefix, int count) => new(
            [.. Enumerable.Range(1, count).Select(number => $"{prefix}{number}"), "SAME"],
            _ =>
            {
                asked.Add(prefix);
                return SaslServerStep.Continue(default);
            });
        await using var session = Sasl.Server(Sasl.Policy(Noting("A", 19), Noting("B", 20)));

        session.Offered.Should().HaveCount(31).And.StartWith("A1").And.Contain("A19").And.Contain("B1").And.EndWith("B11");
        await session.StartAsync("SAME", Array.Empty<byte>(), default);
        asked.Should().Equal("A");
    }

    [Test]
    public async Task An_exchange_that_has_not_begun_cannot_go_on()
    {
        await using var session = Sasl.Server(Sasl.Policy(new ScriptedMechanism(Own)));

        var goOn = () => session.ContinueAsync(Array.Empty<byte>(), default).AsTask();

        await goOn.Should().ThrowAsync<InvalidOperationException>();
    }

    [TestCase(16_384, true)]
    [TestCase(16_385, false)]
    public async Task A_mechanisms_message_has_16384_octets_at_most(int length, bool isSent)
    {
        await using var session = Sasl.Server(
            Sasl.Policy(new ScriptedMechanism([Own], _ => SaslServerStep.Continue(new byte[length]))));

        var step = await session.StartAsync(Own, Array.Empty<byte>(), default);

        (step is SaslServerStep.Challenged).Should().Be(isSent);
        (step as SaslServerStep.Failed)?.Rejection.Reason.Should().Be(RejectionReason.CredentialCheckFaulted);
    }

    private static IEnumerable<TestCaseData> Ends()
    {
        yield return Case("a success", () => SaslServerStep.Succeed("alice", PeerProofs.None), AttemptOutcome.Succeeded, null);
        yield return Case("wrong credentials", Failing(RejectionReason.CredentialsWrong), AttemptOutcome.Failed, RejectionReason.CredentialsWrong);
        yield return Case(
            "a broken protocol",
            Failing(RejectionReason.CredentialProtocolViolated),
            AttemptOutcome.Failed,
            RejectionReason.CredentialProtocolViolated);
        yield return Case(
            "a user whom the rule refuses",
            () => SaslServerStep.Succeed("mallory", PeerProofs.None),
            AttemptOutcome.Failed,
            RejectionReason.UserNotAllowed);
        yield return Case(
            "a check that could not be made",
            Failing(RejectionReason.CredentialCheckFaulted),
            AttemptOutcome.Abandoned,
            RejectionReason.CredentialCheckFaulted);
        yield return Case(
            "a check that nobody had time for",
            Failing(RejectionReason.CredentialCheckOverloaded),
            AttemptOutcome.Abandoned,
            RejectionReason.CredentialCheckOverloaded);
        yield return Case("a limit", Failing(RejectionReason.AttemptsLimited), AttemptOutcome.Abandoned, RejectionReason.AttemptsLimited);
        yield return Case(
            "an exception", () => throw new InvalidOperationException("down"), AttemptOutcome.Abandoned, RejectionReason.CredentialCheckFaulted);
        yield return Case("nothing, and the client leaves", () => SaslServerStep.Continue(default), AttemptOutcome.Abandoned, null);

        static TestCaseData Case(string name, Func<SaslServerStep> step, AttemptOutcome outcome, RejectionReason? reason) =>
            new TestCaseData(step, outcome, reason).SetArgDisplayNames(name);

        static Func<SaslServerStep> Failing(RejectionReason reason) => () => SaslServerStep.Fail(new Rejection(reason, "a", "b"));
    }

    [TestCaseSource(nameof(Ends))]
    public async Task The_limiter_hears_once_how_an_attempt_ended(object step, AttemptOutcome outcome, RejectionReason? reason)
    {
        var limiter = new NotingLimiter();
        var policy = Sasl.Policy(ScriptedMechanism.Admitting(Own, (Func<SaslServerStep>)step)) with
        { AttemptLimiter = limiter, Users = UserRules.Named("alice") };
        var services = new LoginServices(policy, TimeProvider.System);
        await using (var session = Sasl.Server(policy, services: services))
        {
            ((await session.StartAsync(Own, Array.Empty<byte>(), default)) as SaslServerStep.Failed)?.Rejection.Reason.Should().Be(reason);
        }

        limiter.Outcomes.Should().ContainSingle().Which.Outcome.Should().Be(outcome);
        services.Familiar.Contains(limiter.Attempts.Single()).Should().Be(outcome == AttemptOutcome.Succeeded, "only a login makes a place known");
    }

    [Test]
    public async Task A_mechanism_that_asks_twice_begins_one_attempt()
    {
        var limiter = new NotingLimiter { RefusesFrom = 1 };
        var mechanism = new ScriptedMechanism([Own], async (context, cancellationToken, _) =>
        {
            (await context.AdmitAsync("alice", cancellationToken)).Should().BeNull();
            (await context.AdmitAsync("alice", cancellationToken)).Should().BeNull();
            return SaslServerStep.Succeed("alice", PeerProofs.None);
        });
        await using var session = Sasl.Server(Sasl.Policy(mechanism) with { AttemptLimiter = limiter });

        (await session.StartAsync(Own, Array.Empty<byte>(), default)).Should().BeOfType<SaslServerStep.Succeeded>();

        (limiter.Attempts.Length, limiter.Outcomes.Length).Should().Be((1, 1));
    }

    [Test]
    public async Task An_attempt_that_is_admitted_after_the_login_was_given_up_is_ended([Values] bool isAdmitted, CancellationToken deadline)
    {
        var limiter = new SlowLimiter(isAdmitted);
        var (isThrough, went) = (new TaskCompletionSource(), false);
        var mechanism = new ScriptedMechanism([Own], async (context, cancellationToken, _) =>
        {
            went = await context.AdmitAsync("alice", cancellationToken) is null;
            isThrough.SetResult();
            return SaslServerStep.Succeed("alice", PeerProofs.None);
        });
        using var giveUp = new CancellationTokenSource();
        await using (var session = Sasl.Server(Sasl.Policy(mechanism) with { AttemptLimiter = limiter }))
        {
            var login = session.StartAsync(Own, Array.Empty<byte>(), giveUp.Token).AsTask();
            await limiter.Asked.Task.WaitAsync(deadline);
            await giveUp.CancelAsync();
            await FluentActions.Awaiting(() => login.WaitAsync(deadline)).Should().ThrowAsync<OperationCanceledException>();
        }

        limiter.Answers.SetResult();
        await isThrough.Task.WaitAsync(deadline);

        went.Should().BeFalse("nobody waits for its verdict");
        limiter.Outcomes.Should().Equal(isAdmitted ? [AttemptOutcome.Abandoned] : Array.Empty<AttemptOutcome>());
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_limiter_that_fails_lets_nobody_in_and_says_so(bool fails)
    {
        var log = new FakeLogCollector();
        var policy = Sasl.Policy(ScriptedMechanism.Admitting(Own, () => SaslServerStep.Succeed("alice", PeerProofs.None))) with
        { AttemptLimiter = new FailingLimiter(fails) };
        await using var session = Sasl.Server(policy, logger: new FakeLogger(log));

        var step = await session.StartAsync(Own, Array.Empty<byte>(), default);

        (step as SaslServerStep.Failed)?.Rejection.Reason.Should().Be(RejectionReason.CredentialCheckFaulted);
        (step is SaslServerStep.Succeeded).Should().Be(!fails);
        log.GetSnapshot().Count(record => record.Id.Id == 1301).Should().Be(fails ? 1 : 0);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Giving_up_is_no_fault_of_the_mechanism(bool isGivenUp)
    {
        using var giveUp = new CancellationTokenSource();
        var mechanism = new ScriptedMechanism([Own], async (_, _, _) =>
        {
            if (isGivenUp)
            {
                await giveUp.CancelAsync();
            }

            throw new InvalidOperationException("too late");
        });
        await using var session = Sasl.Server(Sasl.Policy(mechanism));

        var starting = () => session.StartAsync(Own, Array.Empty<byte>(), giveUp.Token).AsTask();

        if (isGivenUp)
        {
            await starting.Should().ThrowAsync<Exception>();
        }
        else
        {
            (await starting()).Reason().Should().Be(RejectionReason.CredentialCheckFaulted);
        }
    }

    [Test]
    public async Task Another_users_record_lets_nobody_in_whoever_hands_it_over()
    {
        var store = new OneForAll(new StoredCredential("bob", [Sasl.Verifier("right")]));
        var policy = Sasl.Policy(SaslServer.Scram(store), SaslServer.PasswordsInPlain(store));
        await using var plain = Sasl.Server(policy);
        await using var scram = Sasl.Server(policy);
        await using var own = Sasl.Server(policy);

        (await plain.StartAsync("PLAIN", Sasl.Utf8("\0alice\0right"), default)).Reason().Should().Be(RejectionReason.CredentialsWrong);
        (await Sasl.RunAsync(Login.WithPassword("alice", "right"), scram, null)).Server.Reason().Should().Be(RejectionReason.CredentialsWrong);
        (await own.StartAsync("PLAIN", Sasl.Utf8("\0bob\0right"), default)).Should().BeOfType<SaslServerStep.Succeeded>();
    }

    [Test]
    public async Task A_record_without_a_verifier_lets_nobody_in()
    {
        var store = new OneForAll(new StoredCredential("alice", []));
        var policy = Sasl.Policy(SaslServer.Scram(store), SaslServer.PasswordsInPlain(store));
        await using var plain = Sasl.Server(policy);
        await using var scram = Sasl.Server(policy);

        (await plain.StartAsync("PLAIN", Sasl.Utf8("\0alice\0right"), default)).Reason().Should().Be(RejectionReason.CredentialsWrong);
        (await Sasl.RunAsync(Login.WithPassword("alice", "right"), scram, null)).Server.Reason().Should().Be(RejectionReason.CredentialsWrong);
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Users_who_do_not_exist_have_the_salt_of_the_secret_that_servers_share(bool isShared)
    {
        var policy = Sasl.Policy(SaslServer.Scram(new MemoryCredentialStore()));
        policy = isShared ? policy with { DecoySecret = [.. "sixteen octets.."u8] } : policy;

        string Shown() => new LoginServices(policy, TimeProvider.System).Decoys.For("nobody", ScramHash.Sha256).ToString();

        (Shown() == Shown()).Should().Be(isShared);
    }

    [Test]
    public void Half_of_the_processors_derive_keys_and_one_at_least() =>
        Sasl.Policy(new ScriptedMechanism(Own)).MaxConcurrentKeyDerivations.Should().BeInRange(1, Math.Max(1, Environment.ProcessorCount / 2));

    [Test]
    public void A_requirement_without_a_mechanism_is_a_mistake()
    {
        FluentActions.Invoking(() => Require.User()).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => Require.CertificateAndUser([null!])).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => Require.CertificateOrUser(new ScriptedMechanism(Own), null!)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => SaslServer.Scram(new MemoryCredentialStore(), [])).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => Login.With()).Should().Throw<ArgumentException>();
    }

    private sealed class OneForAll(StoredCredential user) : ICredentialStore
    {
        public ValueTask<StoredCredential?> FindAsync(string userName, CancellationToken cancellationToken) =>
            ValueTask.FromResult<StoredCredential?>(user);
    }

    /// <summary>One whose answer is late, and which does not heed its token.</summary>
    private sealed class SlowLimiter(bool admits) : IAttemptLimiter
    {
        internal TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal TaskCompletionSource Answers { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal System.Collections.Concurrent.ConcurrentQueue<AttemptOutcome> Outcomes { get; } = new();

        public async ValueTask<TimeSpan?> BeginAsync(LoginAttempt attempt, CancellationToken cancellationToken)
        {
            Asked.SetResult();
            await Answers.Task;
            return admits ? null : TimeSpan.FromSeconds(7);
        }

        public ValueTask EndAsync(LoginAttempt attempt, AttemptOutcome outcome)
        {
            Outcomes.Enqueue(outcome);
            return default;
        }
    }

    private sealed class FailingLimiter(bool fails) : IAttemptLimiter
    {
        public ValueTask<TimeSpan?> BeginAsync(LoginAttempt attempt, CancellationToken cancellationToken) => default;

        public ValueTask EndAsync(LoginAttempt attempt, AttemptOutcome outcome) =>
            fails ? throw new InvalidOperationException("the shared counts are out of reach") : default;
    }
}
