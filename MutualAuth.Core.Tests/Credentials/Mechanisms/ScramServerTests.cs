using System.Text;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Credentials;

/// <summary>What clients can try against a SCRAM server. Each attack differs from the login that succeeds in one fact.</summary>
public sealed class ScramServerTests
{
    private static readonly MemoryCredentialStore s_store = Sasl.Store(("alice", "correct horse"), ("bob", "battery"));
    private static readonly CredentialPolicy s_policy = Sasl.Policy(SaslServer.Scram(s_store));

    [Test]
    public async Task The_right_password_logs_in_and_is_bound_to_the_channel()
    {
        await using var server = Sasl.Server(s_policy, Sasl.Binding);

        var (outcome, client) = await Sasl.RunAsync(Login.WithPassword("alice", "correct horse"), server, Sasl.Binding);

        client.Should().BeNull();
        var user = server.ToUser(outcome.Should().BeOfType<SaslServerStep.Succeeded>().Subject);
        (user.Name, user.ActsAs, user.Mechanism, user.Proofs).Should().Be(
            ("alice", "alice", "SCRAM-SHA-256-PLUS", PeerProofs.Password | PeerProofs.ChannelBinding));
    }

    /// <summary>Before the user is looked up, and again with the proof: what is allowed to begin is not yet allowed to end.</summary>
    [TestCase(0, RejectionReason.AttemptsLimited)]
    [TestCase(1, RejectionReason.AttemptsLimited)]
    [TestCase(2, null)]
    public async Task The_limiter_has_its_say_twice(int refusesFrom, RejectionReason? reason)
    {
        var limiter = new NotingLimiter { RefusesFrom = refusesFrom };
        await using var server = Sasl.Server(s_policy with { AttemptLimiter = limiter }, Sasl.Binding);

        var (outcome, _) = await Sasl.RunAsync(Login.WithPassword("alice", "correct horse"), server, Sasl.Binding);

        (outcome as SaslServerStep.Failed)?.Rejection.Reason.Should().Be(reason);
        (outcome is SaslServerStep.Succeeded).Should().Be(reason is null);
        limiter.Attempts.Should().HaveCount(Math.Min(refusesFrom + 1, 2)).And.OnlyContain(attempt => attempt.UserName == "alice");
    }

    [TestCase("alice", "wrong")]
    [TestCase("nobody", "correct horse")]
    [TestCase("Alice", "correct horse")]
    [TestCase("\u0221", "correct horse")]
    public async Task Wrong_credentials_of_every_kind_fail_alike(string user, string password)
    {
        await using var server = Sasl.Server(s_policy, Sasl.Binding);
        var credentials = user[0] < 0x80
            ? Login.WithPassword(user, password)
            : Login.With(new ScramClient(user, Password.From(password), null, ChannelBindingPolicy.Required, [ScramHash.Sha256]));

        var (outcome, _) = await Sasl.RunAsync(credentials, server, Sasl.Binding);

        outcome.Reason().Should().Be(RejectionReason.CredentialsWrong);
    }

    [Test]
    public async Task A_disabled_user_fails_like_an_unknown_one_and_only_the_operator_learns_the_difference()
    {
        var store = Sasl.Store(("alice", "correct horse"));
        await store.SetDisabledAsync("alice", true);
        await using var server = Sasl.Server(Sasl.Policy(SaslServer.Scram(store)), Sasl.Binding);

        var (outcome, _) = await Sasl.RunAsync(Login.WithPassword("alice", "correct horse"), server, Sasl.Binding);

        outcome.Reason().Should().Be(RejectionReason.CredentialsWrong);
        ((SaslServerStep.Failed)outcome).Rejection.Presented.Should().Contain("disabled");
    }

    [Test]
    public async Task An_unknown_user_sees_a_salt_that_stays_the_same_and_the_iterations_of_the_others()
    {
        var services = new LoginServices(s_policy, TimeProvider.System);

        var first = await ServerFirstAsync("nobody", services);
        var second = await ServerFirstAsync("nobody", services);
        var other = await ServerFirstAsync("nobody2", services);
        var known = await ServerFirstAsync("alice", services);

        first.Split(',')[1].Should().Be(second.Split(',')[1]).And.NotBe(other.Split(',')[1]);
        first.Split(',')[1].Length.Should().Be(known.Split(',')[1].Length);
        first.Split(',')[2].Should().Be(known.Split(',')[2]);
    }

    [Test]
    public async Task Nobody_logs_in_as_a_user_who_does_not_exist_even_with_the_keys_of_the_decoy()
    {
        var services = new LoginServices(s_policy, TimeProvider.System);
        var decoy = services.Decoys.For("nobody", ScramHash.Sha256);
        await using var server = Sasl.Server(s_policy, Sasl.Binding, services: services);
        var serverFirst = (await server.StartAsync("SCRAM-SHA-256-PLUS", Sasl.Utf8("p=tls-server-end-point,,n=nobody,r=abcdefgh"), default)).Text();
        var withoutProof =
            $"c={Convert.ToBase64String([.. Sasl.Utf8("p=tls-server-end-point,,"), .. Sasl.Binding.Data])},r={serverFirst.Split(',')[0][2..]}";
        var signature = ScramHash.Sha256.Hmac(decoy.StoredKey.AsSpan(), Sasl.Utf8($"n=nobody,r=abcdefgh,{serverFirst},{withoutProof}"));

        (await server.ContinueAsync(Sasl.Utf8($"{withoutProof},p={Convert.ToBase64String(signature)}"), default)).Reason().Should().Be(
            RejectionReason.CredentialsWrong);
    }

    [Test]
    public async Task A_login_that_is_bound_to_another_channel_is_caught()
    {
        await using var server = Sasl.Server(s_policy, Sasl.Binding);

        var (outcome, _) = await Sasl.RunAsync(Login.WithPassword("alice", "correct horse"), server, Sasl.OtherBinding);

        outcome.Reason().Should().Be(RejectionReason.ChannelBindingMismatch);
    }

    [TestCase("SCRAM-SHA-256-PLUS", "n,,n=alice,r=abcdefgh", RejectionReason.CredentialProtocolViolated, TestName = "PLUS without binding")]
    [TestCase("SCRAM-SHA-256-PLUS", "y,,n=alice,r=abcdefgh", RejectionReason.CredentialProtocolViolated, TestName = "PLUS with y")]
    [TestCase("SCRAM-SHA-256-PLUS", "p=tls-unique,,n=alice,r=abcdefgh", RejectionReason.ChannelBindingUnavailable, TestName = "another binding type")]
    [TestCase(
        "SCRAM-SHA-256", "p=tls-server-end-point,,n=alice,r=abcdefgh", RejectionReason.CredentialProtocolViolated, TestName = "binding without PLUS")]
    [TestCase("SCRAM-SHA-256", "y,,n=alice,r=abcdefgh", RejectionReason.ChannelBindingDowngraded, TestName = "y although PLUS was offered")]
    [TestCase("SCRAM-SHA-256", "n,,m=x,n=alice,r=abcdefgh", RejectionReason.CredentialProtocolViolated, TestName = "a mandatory extension")]
    [TestCase("SCRAM-SHA-256", "n,,n=al=ice,r=abcdefgh", RejectionReason.CredentialProtocolViolated, TestName = "an equals sign that is not escaped")]
    [TestCase("SCRAM-SHA-256", "n,,n=,r=abcdefgh", RejectionReason.CredentialProtocolViolated, TestName = "no name")]
    [TestCase("SCRAM-SHA-256", "n,,n=alice,r=", RejectionReason.CredentialProtocolViolated, TestName = "no nonce")]
    [TestCase("SCRAM-SHA-256", "n,,n=alice,r=ab\u00e9", RejectionReason.CredentialProtocolViolated, TestName = "a nonce that is not printable")]
    [TestCase("SCRAM-SHA-256", "n,,n=alice", RejectionReason.CredentialProtocolViolated, TestName = "half a message")]
    [TestCase("SCRAM-SHA-256", "", RejectionReason.CredentialProtocolViolated, TestName = "an empty message")]
    [TestCase("SCRAM-SHA-1", "n,,n=alice,r=abcdefgh", RejectionReason.MechanismUnavailable, TestName = "a mechanism that was not offered")]
    public async Task A_first_message_is_refused_when(string mechanism, string message, RejectionReason reason)
    {
        await using var server = Sasl.Server(s_policy with { ChannelBinding = ChannelBindingPolicy.DangerouslyOptional }, Sasl.Binding);

        (await server.StartAsync(mechanism, Sasl.Utf8(message), default)).Reason().Should().Be(reason);
    }

    [Test]
    public async Task The_same_first_message_without_a_flaw_is_answered()
    {
        await using var server = Sasl.Server(s_policy with { ChannelBinding = ChannelBindingPolicy.DangerouslyOptional }, Sasl.Binding);

        (await server.StartAsync("SCRAM-SHA-256", Sasl.Utf8("n,,n=alice,r=abcdefgh"), default)).Text().Should().StartWith("r=abcdefgh");
    }

    [Test]
    public async Task A_first_message_that_is_too_long_is_refused()
    {
        await using var server = Sasl.Server(s_policy, Sasl.Binding);

        (await server.StartAsync(
            "SCRAM-SHA-256-PLUS", Sasl.Utf8("p=tls-server-end-point,,n=alice,r=abcdefgh," + new string('x', 2048)), default)).Reason()
            .Should().Be(RejectionReason.CredentialProtocolViolated);
    }

    [TestCase(2048, null)]
    [TestCase(2049, RejectionReason.CredentialProtocolViolated)]
    public async Task A_message_has_2048_octets_at_most(int length, RejectionReason? reason)
    {
        const string Start = "p=tls-server-end-point,,n=alice,r=abcdefgh,x=";
        await using var server = Sasl.Server(s_policy, Sasl.Binding);

        var step = await server.StartAsync("SCRAM-SHA-256-PLUS", Sasl.Utf8(Start.PadRight(length, 'x')), default);

        (step as SaslServerStep.Failed)?.Rejection.Reason.Should().Be(reason);
        (step is SaslServerStep.Challenged).Should().Be(reason is null);
    }

    [TestCase("p=tls-server-end-point,,n=al\0ice,r=abcdefgh")]
    [TestCase("p=tls-server-end-point,,n=alice,r=abcdefgh,x")]
    [TestCase("p=tls-server-end-point,,n=alice,r=abcdefgh,x=")]
    [TestCase("p=tls-server-end-point,,n=alice,r=abcdefgh,xx")]
    [TestCase("p=tls-server-end-point,,n=alice,r=abcdefgh,1=x")]
    [TestCase("p=tls-server-end-point,alice,n=alice,r=abcdefgh")]
    [TestCase("p=tls-server-end-point,a=,n=alice,r=abcdefgh")]
    [TestCase("p=tls_server,,n=alice,r=abcdefgh")]
    [TestCase("x,,n=alice,r=abcdefgh")]
    [TestCase("p=tls-server-end-point,n=alice")]
    public async Task Whatever_the_grammar_does_not_have_is_refused(string message)
    {
        await using var server = Sasl.Server(s_policy, Sasl.Binding);

        (await server.StartAsync("SCRAM-SHA-256-PLUS", Sasl.Utf8(message), default)).Reason().Should().Be(RejectionReason.CredentialProtocolViolated);
    }

    [TestCase("x=1", null)]
    [TestCase("x=1,Z=2", null)]
    [TestCase("x=", RejectionReason.CredentialProtocolViolated)]
    [TestCase("m=1", RejectionReason.CredentialProtocolViolated)]
    [TestCase("p=1", RejectionReason.CredentialProtocolViolated)]
    public async Task Unknown_extensions_of_the_last_message_are_passed_over_and_signed(string extension, RejectionReason? reason)
    {
        await using var server = Sasl.Server(s_policy, Sasl.Binding);
        var challenge = (await server.StartAsync(
            "SCRAM-SHA-256-PLUS", Sasl.Utf8("p=tls-server-end-point,,n=alice,r=abcdefgh"), default)).Text();
        var binding = Convert.ToBase64String([.. Sasl.Utf8("p=tls-server-end-point,,"), .. Sasl.Binding.Data]);
        var withoutProof = $"c={binding},{challenge.Split(',')[0]},{extension}";
        var hash = ScramHash.Sha256;
        var key = hash.ClientKey(hash.Hi("correct horse"u8, Convert.FromBase64String(Sasl.Salt), ScramVerifier.MinIterations));
        ScramHash.Xor(key, hash.Hmac(hash.H(key), Sasl.Utf8($"n=alice,r=abcdefgh,{challenge},{withoutProof}")));

        var step = await server.ContinueAsync(Sasl.Utf8($"{withoutProof},p={Convert.ToBase64String(key)}"), default);

        (step as SaslServerStep.Failed)?.Rejection.Reason.Should().Be(reason);
        (step is SaslServerStep.Succeeded).Should().Be(reason is null);
    }

    [Test]
    public async Task One_exchange_judges_one_proof()
    {
        await using var server = Sasl.Server(s_policy, Sasl.Binding);
        var (client, _) = SaslClientSession.Begin(
            Login.WithPassword("alice", "correct horse"), Sasl.ClientContext(Sasl.Binding, offered: "SCRAM-SHA-256-PLUS"));
        var challenge = await server.StartAsync(client!.Mechanism, await client.StartAsync(default), default);
        var right = (await client.StepAsync(Sasl.Utf8(challenge.Text()), default)).Message;
        var wrong = $"{Encoding.UTF8.GetString(right.Span).Split(",p=")[0]},p={Convert.ToBase64String(new byte[32])}";

        (await server.ContinueAsync(Sasl.Utf8(wrong), default)).Reason().Should().Be(RejectionReason.CredentialsWrong);

        (await server.ContinueAsync(right, default)).Should().BeOfType<SaslServerStep.Failed>();
    }

    [Test]
    public async Task A_name_that_nobody_can_have_is_asked_for_a_proof_like_any_other()
    {
        await using var server = Sasl.Server(s_policy, Sasl.Binding);
        var challenge = (await server.StartAsync(
            "SCRAM-SHA-256-PLUS", Sasl.Utf8("p=tls-server-end-point,,n=al\u0007ice,r=abcdefgh"), default)).Text();
        var binding = Convert.ToBase64String([.. Sasl.Utf8("p=tls-server-end-point,,"), .. Sasl.Binding.Data]);

        var step = await server.ContinueAsync(
            Sasl.Utf8($"c={binding},{challenge.Split(',')[0]},p={Convert.ToBase64String(new byte[32])}"), default);

        step.Reason().Should().Be(RejectionReason.CredentialsWrong);
    }

    [Test]
    public async Task A_verifier_at_the_ceiling_is_shown_as_it_is()
    {
        var parts = Sasl.Verifier("correct horse").ToString().Split('$');
        var store = new MemoryCredentialStore();
        await store.SetAsync("alice", ScramVerifier.Parse($"{parts[0]}${ScramVerifier.MaxIterations}:{Sasl.Salt}${parts[2]}"));
        await using var server = Sasl.Server(Sasl.Policy(SaslServer.Scram(store)), Sasl.Binding);

        (await server.StartAsync("SCRAM-SHA-256-PLUS", Sasl.Utf8("p=tls-server-end-point,,n=alice,r=abcdefgh"), default)).Text()
            .Should().EndWith("i=1000000");
    }

    [Test]
    public async Task A_disabled_user_is_shown_the_salt_that_it_had()
    {
        var store = Sasl.Store(("alice", "correct horse"));
        await store.SetDisabledAsync("alice", true);
        await using var server = Sasl.Server(Sasl.Policy(SaslServer.Scram(store)), Sasl.Binding);

        (await server.StartAsync("SCRAM-SHA-256-PLUS", Sasl.Utf8("p=tls-server-end-point,,n=alice,r=abcdefgh"), default)).Text()
            .Should().Contain($"s={Sasl.Salt},", "else who asked before would see that something changed");
    }

    [TestCase("SCRAM-SHA-512", RejectionReason.CredentialsWrong)]
    [TestCase("SCRAM-SHA-256", null)]
    public async Task A_user_logs_in_by_the_hash_of_its_verifier(string mechanism, RejectionReason? reason)
    {
        await using var server = Sasl.Server(Sasl.Policy(SaslServer.Scram(s_store, ScramHash.Sha512, ScramHash.Sha256)));

        var (outcome, _) = await Sasl.RunAsync(Login.WithPassword("alice", "correct horse") with { OnlyMechanism = mechanism }, server, null);

        (outcome as SaslServerStep.Failed)?.Rejection.Reason.Should().Be(reason);
        (outcome is SaslServerStep.Succeeded).Should().Be(reason is null);
    }

    [TestCase("nonce")]
    [TestCase("proof")]
    [TestCase("no proof")]
    [TestCase("short proof")]
    [TestCase("garbage")]
    public async Task A_final_message_is_refused_when_one_part_is_wrong(string part)
    {
        await using var server = Sasl.Server(s_policy, Sasl.Binding);
        var (client, _) = SaslClientSession.Begin(
            Login.WithPassword("alice", "correct horse"), Sasl.ClientContext(Sasl.Binding, offered: "SCRAM-SHA-256-PLUS"));
        var challenge = await server.StartAsync(client!.Mechanism, await client.StartAsync(default), default);
        var final = (await client.StepAsync(Sasl.Utf8(challenge.Text()), default)).Text();
        var parts = final.Split(',');

        var tampered = part switch
        {
            "nonce" => $"{parts[0]},{parts[1]}x,{parts[2]}",
            "proof" => $"{parts[0]},{parts[1]},p={Convert.ToBase64String(new byte[32])}",
            "no proof" => $"{parts[0]},{parts[1]}",
            "short proof" => $"{parts[0]},{parts[1]},p={Convert.ToBase64String(new byte[31])}",
            _ => "\u0001\u0002",
        };

        (await server.ContinueAsync(Sasl.Utf8(tampered), default)).Reason().Should().Be(
            part == "proof" ? RejectionReason.CredentialsWrong : RejectionReason.CredentialProtocolViolated);
    }

    [TestCase("bob", RejectionReason.AuthorizationIdentityRefused)]
    [TestCase("alice", null)]
    [TestCase(null, null)]
    public async Task Nobody_acts_as_another_without_a_rule(string? actAs, RejectionReason? reason)
    {
        await using var server = Sasl.Server(s_policy, Sasl.Binding);

        var (outcome, _) = await Sasl.RunAsync(Login.WithPassword("alice", Password.From("correct horse"), actAs), server, Sasl.Binding);

        (outcome as SaslServerStep.Failed)?.Rejection.Reason.Should().Be(reason);
        (outcome is SaslServerStep.Succeeded).Should().Be(reason is null);
    }

    [Test]
    public async Task A_rule_grants_it_for_that_pair_alone()
    {
        var policy = s_policy with { MayActAs = (user, other) => (user, other) == ("alice", "bob") };
        await using var granted = Sasl.Server(policy, Sasl.Binding);
        await using var reversed = Sasl.Server(policy, Sasl.Binding);

        var (yes, _) = await Sasl.RunAsync(Login.WithPassword("alice", Password.From("correct horse"), "bob"), granted, Sasl.Binding);
        var (no, _) = await Sasl.RunAsync(Login.WithPassword("bob", Password.From("battery"), "alice"), reversed, Sasl.Binding);

        granted.ToUser((SaslServerStep.Succeeded)yes).ActsAs.Should().Be("bob");
        no.Reason().Should().Be(RejectionReason.AuthorizationIdentityRefused);
    }

    [TestCase(ChannelBindingPolicy.WhereItExists, true, "SCRAM-SHA-256-PLUS")]
    [TestCase(ChannelBindingPolicy.WhereItExists, false, "SCRAM-SHA-256")]
    [TestCase(ChannelBindingPolicy.Required, true, "SCRAM-SHA-256-PLUS")]
    [TestCase(ChannelBindingPolicy.Required, false, "")]
    [TestCase(ChannelBindingPolicy.DangerouslyOptional, true, "SCRAM-SHA-256-PLUS SCRAM-SHA-256")]
    public async Task A_server_offers(ChannelBindingPolicy policy, bool hasBinding, string offered)
    {
        await using var server = Sasl.Server(s_policy with { ChannelBinding = policy }, hasBinding ? Sasl.Binding : null);

        string.Join(' ', server.Offered).Should().Be(offered);
    }

    [TestCase(4095)]
    [TestCase(1_000_001)]
    [TestCase(int.MaxValue)]
    public async Task A_stored_verifier_with_an_absurd_iteration_count_is_never_put_to_work(int iterations)
    {
        var parts = Sasl.Verifier("correct horse").ToString().Split('$');
        var store = new MemoryCredentialStore();
        await store.SetAsync("alice", ScramVerifier.Parse($"{parts[0]}${iterations}:{Sasl.Salt}${parts[2]}"));
        await using var server = Sasl.Server(Sasl.Policy(SaslServer.Scram(store)), Sasl.Binding);

        var first = await server.StartAsync("SCRAM-SHA-256-PLUS", Sasl.Utf8("p=tls-server-end-point,,n=alice,r=abcdefgh"), default);
        var binding = Convert.ToBase64String([.. Sasl.Utf8("p=tls-server-end-point,,"), .. Sasl.Binding.Data]);
        var last = await server.ContinueAsync(
            Sasl.Utf8($"c={binding},{first.Text().Split(',')[0]},p={Convert.ToBase64String(new byte[32])}"), default);

        first.Text().Should().EndWith("i=4096");
        last.Reason().Should().Be(RejectionReason.IterationCountOutOfRange);
    }

    [Test]
    public async Task A_store_that_throws_refuses()
    {
        await using var server = Sasl.Server(Sasl.Policy(SaslServer.Scram(new BrokenStore())), Sasl.Binding);

        var (outcome, _) = await Sasl.RunAsync(Login.WithPassword("alice", "correct horse"), server, Sasl.Binding);

        outcome.Reason().Should().Be(RejectionReason.CredentialCheckFaulted);
    }

    [Test]
    public async Task An_exchange_has_a_last_round()
    {
        var policy = Sasl.Policy(new Endless());
        await using var server = Sasl.Server(policy);
        var step = await server.StartAsync("ENDLESS", ReadOnlyMemory<byte>.Empty, default);
        var rounds = 1;
        while (step is SaslServerStep.Challenged)
        {
            step = await server.ContinueAsync(new byte[] { 1 }, default);
            rounds++;
        }

        step.Reason().Should().Be(RejectionReason.CredentialProtocolViolated);
        rounds.Should().Be(9);
    }

    private static async Task<string> ServerFirstAsync(string user, LoginServices services)
    {
        await using var server = Sasl.Server(s_policy, Sasl.Binding, services: services);
        return (await server.StartAsync(
            "SCRAM-SHA-256-PLUS", Encoding.UTF8.GetBytes($"p=tls-server-end-point,,n={user},r=abcdefgh"), default)).Text();
    }

    private sealed class BrokenStore : ICredentialStore
    {
        public ValueTask<StoredCredential?> FindAsync(string userName, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("down");
    }

    private sealed class Endless : ISaslServerMechanism, ISaslServerExchange
    {
        public IEnumerable<string> NamesFor(SaslServerContext context) => ["ENDLESS"];

        public ISaslServerExchange Begin(string name, SaslServerContext context) => this;

        public ValueTask<SaslServerStep> StepAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
            ValueTask.FromResult(SaslServerStep.Continue(message));

        public void Dispose()
        {
        }
    }
}
