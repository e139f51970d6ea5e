using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

/// <summary>PLAIN (RFC 4616) on both sides. Each refusal differs from the login that succeeds in one fact.</summary>
[CancelAfter(20000)]
public sealed class PlainTests
{
    private static readonly MemoryCredentialStore s_store = Sasl.Store(("alice", "correct horse"), ("bob", "battery"));
    private static readonly CredentialPolicy s_policy = Sasl.Policy(SaslServer.PasswordsInPlain(s_store));

    [Test]
    public async Task The_right_password_logs_in_and_is_bound_to_nothing()
    {
        await using var server = Sasl.Server(s_policy, Sasl.Binding);

        var (outcome, client) = await Sasl.RunAsync(Plain("alice", "correct horse"), server, Sasl.Binding);

        client.Should().BeNull();
        var user = server.ToUser(outcome.Should().BeOfType<SaslServerStep.Succeeded>().Subject);
        (user.Name, user.ActsAs, user.Mechanism, user.Proofs).Should().Be(("alice", "alice", "PLAIN", PeerProofs.Password));
    }

    [TestCase("\0alice\0correct horse", null, TestName = "PLAIN: alice is let in")]
    [TestCase("alice\0alice\0correct horse", null, TestName = "PLAIN: alice acts as herself")]
    [TestCase("\0alice\0correct Horse", RejectionReason.CredentialsWrong, TestName = "PLAIN: another password")]
    [TestCase("\0alice\0battery", RejectionReason.CredentialsWrong, TestName = "PLAIN: another user's password")]
    [TestCase("\0nobody\0correct horse", RejectionReason.CredentialsWrong, TestName = "PLAIN: an unknown user")]
    [TestCase("\0Alice\0correct horse", RejectionReason.CredentialsWrong, TestName = "PLAIN: another spelling")]
    [TestCase("\0ali\u0007ce\0correct horse", RejectionReason.CredentialsWrong, TestName = "PLAIN: a name that nobody can have")]
    [TestCase("bob\0alice\0correct horse", RejectionReason.AuthorizationIdentityRefused, TestName = "PLAIN: alice acts as bob")]
    [TestCase("bob\0alice\0battery", RejectionReason.CredentialsWrong, TestName = "PLAIN: bob's password for alice acting as bob")]
    [TestCase("\0alice\0correct horse\u0007", RejectionReason.CredentialProtocolViolated, TestName = "PLAIN: a password that nobody can have")]
    [TestCase("\0alice\0", RejectionReason.CredentialProtocolViolated, TestName = "PLAIN: no password")]
    [TestCase("\0\0correct horse", RejectionReason.CredentialProtocolViolated, TestName = "PLAIN: no name")]
    [TestCase("alice\0correct horse", RejectionReason.CredentialProtocolViolated, TestName = "PLAIN: two parts")]
    [TestCase("\0alice\0correct horse\0", RejectionReason.CredentialProtocolViolated, TestName = "PLAIN: four parts")]
    [TestCase("alice", RejectionReason.CredentialProtocolViolated, TestName = "PLAIN: one part")]
    [TestCase("", RejectionReason.CredentialProtocolViolated, TestName = "PLAIN: nothing")]
    public async Task A_message_is_judged(string message, RejectionReason? reason)
    {
        await using var server = Sasl.Server(s_policy);

        var step = await server.StartAsync("PLAIN", Sasl.Utf8(message), default);

        (step as SaslServerStep.Failed)?.Rejection.Reason.Should().Be(reason);
        (step is SaslServerStep.Succeeded).Should().Be(reason is null);
    }

    [Test]
    public async Task Octets_that_are_no_text_are_refused()
    {
        await using var server = Sasl.Server(s_policy);

        (await server.StartAsync("PLAIN", new byte[] { 0, (byte)'a', 0, 0xc3, 0x28 }, default)).Reason().Should().Be(
            RejectionReason.CredentialProtocolViolated);
    }

    [Test]
    public async Task A_name_that_is_no_text_is_not_taken_for_one_that_nobody_has()
    {
        await using var server = Sasl.Server(s_policy);

        var step = await server.StartAsync("PLAIN", new byte[] { 0, 0xc3, 0x28, 0, (byte)'a' }, default);

        step.Reason().Should().Be(RejectionReason.CredentialProtocolViolated);
    }

    // 255 octets of a name and 1,024 characters of a password are allowed.
    [TestCase(255, 1024, true)]
    [TestCase(256, 1024, false)]
    [TestCase(255, 1025, false)]
    public async Task Length_is_bounded_before_anything_is_derived(int name, int password, bool isRead)
    {
        var services = new LoginServices(s_policy, TimeProvider.System);
        await using var server = Sasl.Server(s_policy, services: services);

        var step = await server.StartAsync("PLAIN", Sasl.Utf8($"\0{new string('n', name)}\0{new string('p', password)}"), default);

        step.Reason().Should().Be(isRead ? RejectionReason.CredentialsWrong : RejectionReason.CredentialProtocolViolated);
        services.KeyDerivation.Calls.Should().Be(isRead ? 1 : 0);
    }

    [TestCase(255, RejectionReason.AuthorizationIdentityRefused)]
    [TestCase(256, RejectionReason.CredentialProtocolViolated)]
    public async Task The_identity_to_act_as_has_255_octets_at_most(int length, RejectionReason reason)
    {
        await using var server = Sasl.Server(s_policy);

        (await server.StartAsync("PLAIN", Sasl.Utf8($"{new string('i', length)}\0alice\0correct horse"), default)).Reason().Should().Be(reason);
    }

    [TestCase(4095, 2 * 4096, RejectionReason.IterationCountOutOfRange)]
    [TestCase(4096, 2 * 4096, null)]
    [TestCase(1_000_000, 1_000_000 + 4096, RejectionReason.CredentialsWrong)] // its keys are those of another count
    [TestCase(1_000_001, 2 * 4096, RejectionReason.IterationCountOutOfRange)]
    public async Task A_verifier_is_put_to_work_within_the_bounds_and_a_decoy_in_its_place_beyond(int iterations, long cost, RejectionReason? reason)
    {
        var parts = Sasl.Verifier("correct horse").ToString().Split('$');
        var store = new MemoryCredentialStore();
        await store.SetAsync("alice", ScramVerifier.Parse($"{parts[0]}${iterations}:{Sasl.Salt}${parts[2]}"));
        var policy = Sasl.Policy(SaslServer.PasswordsInPlain(store));
        var services = new LoginServices(policy, TimeProvider.System);
        await using var server = Sasl.Server(policy, services: services);

        var step = await server.StartAsync("PLAIN", Sasl.Utf8("\0alice\0correct horse"), default);

        (step as SaslServerStep.Failed)?.Rejection.Reason.Should().Be(reason);
        (step is SaslServerStep.Succeeded).Should().Be(reason is null);
        services.KeyDerivation.Iterations.Should().Be(cost);
    }

    [Test]
    public async Task Where_no_place_is_free_nobody_is_judged_and_nothing_is_counted()
    {
        var limiter = new NotingLimiter();
        var policy = s_policy with { MaxConcurrentKeyDerivations = 1, MaxWaitingKeyDerivations = 0, AttemptLimiter = limiter };
        var services = new LoginServices(policy, TimeProvider.System);
        using var held = new ManualResetEventSlim();
        using var begun = new SemaphoreSlim(0);
        services.KeyDerivation.BeforeDeriving = _ =>
        {
            begun.Release();
            held.Wait(TimeSpan.FromSeconds(15));
        };
        await using var first = Sasl.Server(policy, services: services);
        await using var second = Sasl.Server(policy, services: services);
        var running = first.StartAsync("PLAIN", Sasl.Utf8("\0alice\0correct horse"), default).AsTask();
        (await begun.WaitAsync(TimeSpan.FromSeconds(15))).Should().BeTrue();

        (await second.StartAsync("PLAIN", Sasl.Utf8("\0bob\0battery"), default)).Reason().Should().Be(RejectionReason.CredentialCheckOverloaded);

        held.Set();
        (await running).Should().BeOfType<SaslServerStep.Succeeded>();
        limiter.Outcomes.Where(each => each.Attempt.UserName == "bob").Should().OnlyContain(each => each.Outcome == AttemptOutcome.Abandoned);
    }

    [Test]
    public async Task Every_name_costs_the_same_derivations_whatever_hashes_its_user_has()
    {
        var store = Sasl.Store(("both", "right"), ("first", "right"));
        await store.SetAsync("both", Sasl.Verifier("right", ScramHash.Sha512));
        await store.SetAsync("second", Sasl.Verifier("right", ScramHash.Sha512));
        var costs = new List<(string, long)>();
        foreach (var user in new[] { "both", "first", "second", "nobody", "no\u0007body" })
        {
            foreach (var password in new[] { "right", "wrong" })
            {
                var services = new LoginServices(s_policy, TimeProvider.System);
                await using var server = Sasl.Server(Sasl.Policy(SaslServer.PasswordsInPlain(store)), services: services);

                var step = await server.StartAsync("PLAIN", Sasl.Utf8($"\0{user}\0{password}"), default);

                (step is SaslServerStep.Succeeded).Should().Be(password == "right" && !user.StartsWith("no", StringComparison.Ordinal), user);
                costs.Add((user, services.KeyDerivation.Iterations));
            }
        }

        costs.Select(cost => cost.Item2).Distinct().Should().Equal([2 * ScramVerifier.MinIterations], "one for each hash");
    }

    [Test]
    public async Task Of_guesses_that_are_made_at_once_no_more_are_judged_than_one_after_the_other()
    {
        var policy = s_policy with { MaxKeyDerivationsPerAddress = 100, MaxWaitingKeyDerivations = 100 };
        var services = new LoginServices(policy, new Microsoft.Extensions.Time.Testing.FakeTimeProvider());

        var steps = await Task.WhenAll(Enumerable.Range(0, 60).Select(async number =>
        {
            await using var server = Sasl.Server(policy, services: services);
            return (await server.StartAsync("PLAIN", Sasl.Utf8($"\0alice\0guess {number}"), default)).Reason();
        })).WaitAsync(TimeSpan.FromSeconds(15));

        steps.Count(reason => reason == RejectionReason.CredentialsWrong).Should().Be(6);
        steps.Count(reason => reason == RejectionReason.AttemptsLimited).Should().Be(54);
    }

    /// <summary>
    /// Before anything is derived, so that a guess that is one too many costs nothing, and again before what was derived is judged.
    /// </summary>
    [TestCase(0, 0, RejectionReason.AttemptsLimited)]
    [TestCase(1, 1, RejectionReason.AttemptsLimited)]
    [TestCase(2, 1, null)]
    public async Task The_limiter_has_its_say_twice(int refusesFrom, int derivations, RejectionReason? reason)
    {
        var policy = s_policy with { AttemptLimiter = new NotingLimiter { RefusesFrom = refusesFrom } };
        var services = new LoginServices(policy, TimeProvider.System);
        await using var server = Sasl.Server(policy, services: services);

        var step = await server.StartAsync("PLAIN", Sasl.Utf8("\0alice\0correct horse"), default);

        (step as SaslServerStep.Failed)?.Rejection.Reason.Should().Be(reason);
        (step is SaslServerStep.Succeeded).Should().Be(reason is null);
        services.KeyDerivation.Calls.Should().Be(derivations);
    }

    [Test]
    public async Task Spellings_that_SASLprep_makes_one_are_one()
    {
        await using var server = Sasl.Server(Sasl.Policy(SaslServer.PasswordsInPlain(Sasl.Store(("IX", "péncil")))));

        (await server.StartAsync("PLAIN", Sasl.Utf8("\0\u2168\0pe\u0301ncil"), default)).Should().BeOfType<SaslServerStep.Succeeded>();
    }

    [TestCase("alice", TestName = "PLAIN: a wrong password costs one derivation")]
    [TestCase("nobody", TestName = "PLAIN: an unknown user costs one derivation")]
    [TestCase("mute", TestName = "PLAIN: a disabled user costs one derivation")]
    public async Task Each_attempt_costs_one_derivation_whoever_it_is(string user)
    {
        var store = Sasl.Store(("alice", "correct horse"), ("mute", "guess"));
        await store.SetDisabledAsync("mute", true);
        var policy = Sasl.Policy(SaslServer.PasswordsInPlain(store));
        var services = new LoginServices(policy, TimeProvider.System);
        await using var server = Sasl.Server(policy, services: services);

        (await server.StartAsync("PLAIN", Sasl.Utf8($"\0{user}\0guess"), default)).Reason().Should().Be(RejectionReason.CredentialsWrong);

        services.KeyDerivation.Calls.Should().Be(1);
    }

    [Test]
    public async Task A_stored_verifier_with_an_absurd_iteration_count_is_never_put_to_work()
    {
        var parts = Sasl.Verifier("correct horse").ToString().Split('$');
        var store = new MemoryCredentialStore();
        await store.SetAsync("alice", ScramVerifier.Parse($"{parts[0]}${int.MaxValue}:{Sasl.Salt}${parts[2]}"));
        await using var server = Sasl.Server(Sasl.Policy(SaslServer.PasswordsInPlain(store)));

        (await server.StartAsync("PLAIN", Sasl.Utf8("\0alice\0correct horse"), default)).Reason().Should().Be(
            RejectionReason.IterationCountOutOfRange);
    }

    [TestCase("SHA-256", RejectionReason.IterationCountOutOfRange)]
    [TestCase("SHA-512", null)]
    public async Task The_verifier_that_decides_is_the_one_that_every_store_has(string absurd, RejectionReason? reason)
    {
        static ScramVerifier Absurd(ScramVerifier verifier) =>
            ScramVerifier.Parse(verifier.ToString().Replace("$4096:", "$4095:", StringComparison.Ordinal));
        var (first, second) = (Sasl.Verifier("correct horse", ScramHash.Sha512), Sasl.Verifier("correct horse"));
        var store = new MemoryCredentialStore();
        await store.SetAsync("alice", absurd == "SHA-512" ? Absurd(first) : first);
        await store.SetAsync("alice", absurd == "SHA-256" ? Absurd(second) : second);
        await using var server = Sasl.Server(Sasl.Policy(SaslServer.PasswordsInPlain(store)));

        var step = await server.StartAsync("PLAIN", Sasl.Utf8("\0alice\0correct horse"), default);

        (step as SaslServerStep.Failed)?.Rejection.Reason.Should().Be(reason);
        (step is SaslServerStep.Succeeded).Should().Be(reason is null);
    }

    [Test]
    public async Task Who_has_only_a_verifier_for_another_hash_is_let_in_by_that()
    {
        var store = new MemoryCredentialStore();
        await store.SetAsync("alice", Sasl.Verifier("correct horse", ScramHash.Sha512));
        var policy = Sasl.Policy(SaslServer.PasswordsInPlain(store));
        await using var right = Sasl.Server(policy);
        await using var wrong = Sasl.Server(policy);

        (await right.StartAsync("PLAIN", Sasl.Utf8("\0alice\0correct horse"), default)).Should().BeOfType<SaslServerStep.Succeeded>();
        (await wrong.StartAsync("PLAIN", Sasl.Utf8("\0alice\0battery"), default)).Reason().Should().Be(RejectionReason.CredentialsWrong);
    }

    [Test]
    public async Task A_client_that_is_asked_for_more_does_not_say_more()
    {
        var (session, _) = SaslClientSession.Begin(Plain("alice", "correct horse"), Sasl.ClientContext(null, offered: "PLAIN"));
        await session!.StartAsync(default);

        (await session.StepAsync(Sasl.Utf8("once more, please"), default)).Objection!.Reason.Should().Be(RejectionReason.CredentialProtocolViolated);
    }

    [Test]
    public async Task What_was_sent_is_wiped_with_the_exchange()
    {
        var (session, _) = SaslClientSession.Begin(Plain("alice", "correct horse"), Sasl.ClientContext(null, offered: "PLAIN"));
        var message = (await session!.StartAsync(default))!.Value;
        message.ToArray().Should().Equal(Sasl.Utf8("\0alice\0correct horse"));

        session.Dispose();

        message.ToArray().Should().OnlyContain(octet => octet == 0);
    }

    private static ClientCredentials Plain(string user, string password) => Login.DangerouslyWithPasswordInPlain(user, Password.From(password));
}
