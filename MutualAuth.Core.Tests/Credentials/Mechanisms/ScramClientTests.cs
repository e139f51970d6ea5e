using MutualAuth.Credentials;

namespace MutualAuth.Tests.Credentials;

/// <summary>What servers can try against a client that logs in by SCRAM.</summary>
public sealed class ScramClientTests
{
    private const string Plus = "SCRAM-SHA-256-PLUS";

    private static readonly ClientCredentials s_credentials = Login.WithPassword("alice", "correct horse");

    [TestCase("i=2147483647")]
    [TestCase("i=99999999999999999999")]
    [TestCase("i=1000001")]
    [TestCase("i=4095")]
    [TestCase("i=0")]
    [TestCase("i=-1")]
    [TestCase("i=+4096")]
    [TestCase("i= 4096")]
    [TestCase("i=")]
    public async Task An_iteration_count_out_of_range_is_refused_and_no_key_is_ever_derived(string count)
    {
        var derivation = new KeyDerivation(1, 1, 1);
        var (session, first) = await BeginAsync(derivation);

        var step = await session.StepAsync(Sasl.Utf8($"r={first}abcdefgh,s={Sasl.Salt},{count}"), default);

        step.Objection!.Reason.Should().Be(RejectionReason.IterationCountOutOfRange);
        derivation.Calls.Should().Be(0);
    }

    [TestCase("i=4096")]
    [TestCase("i=4096,x=later")]
    public async Task The_same_message_with_a_sane_count_is_answered_by_one_derivation(string count)
    {
        var derivation = new KeyDerivation(1, 1, 1);
        var (session, first) = await BeginAsync(derivation);

        var step = await session.StepAsync(Sasl.Utf8($"r={first}abcdefgh,s={Sasl.Salt},{count}"), default);

        step.Objection.Should().BeNull();
        derivation.Calls.Should().Be(1);
    }

    [TestCase("r=someone-elses-nonce,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", TestName = "another nonce")]
    [TestCase("r={0},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", TestName = "a nonce without the server's part")]
    [TestCase("r={0}abcdefgh,s=,i=4096", TestName = "no salt")]
    [TestCase("r={0}abcdefgh,s=%%%%,i=4096", TestName = "a salt that is not base64")]
    [TestCase("m=ext,r={0}abcdefgh,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", TestName = "a mandatory extension")]
    [TestCase("r={0}abcdefgh,s=W22ZaJ0SNY7soEsUEjb6gQ==", TestName = "no count")]
    [TestCase("", TestName = "nothing")]
    public async Task A_server_first_message_is_refused_when_it_has(string message)
    {
        var derivation = new KeyDerivation(1, 1, 1);
        var (session, first) = await BeginAsync(derivation);

        var step = await session.StepAsync(Sasl.Utf8(message.Replace("{0}", first, StringComparison.Ordinal)), default);

        step.Objection!.Reason.Should().Be(RejectionReason.CredentialProtocolViolated);
        derivation.Calls.Should().Be(0);
    }

    [TestCase(256, null)]
    [TestCase(257, RejectionReason.CredentialProtocolViolated)]
    public async Task A_salt_has_256_octets_at_most(int length, RejectionReason? reason)
    {
        var (session, first) = await BeginAsync(KeyDerivation.Unbounded);

        var step = await session.StepAsync(Sasl.Utf8($"r={first}abcdefgh,s={Convert.ToBase64String(new byte[length])},i=4096"), default);

        step.Objection?.Reason.Should().Be(reason);
        (step.Objection is null).Should().Be(reason is null);
    }

    [TestCase("abcdefgh", null)]
    [TestCase("abcdefg", RejectionReason.CredentialProtocolViolated)]
    [TestCase("abcdefgh\u00e9", RejectionReason.CredentialProtocolViolated)]
    [TestCase("abcd efgh", RejectionReason.CredentialProtocolViolated)]
    public async Task The_servers_part_of_the_nonce_has_eight_printable_characters_or_more(string part, RejectionReason? reason)
    {
        var (session, first) = await BeginAsync(KeyDerivation.Unbounded);

        var step = await session.StepAsync(Sasl.Utf8($"r={first}{part},s={Sasl.Salt},i=4096"), default);

        step.Objection?.Reason.Should().Be(reason);
        (step.Objection is null).Should().Be(reason is null);
    }

    [TestCase(1_000_000, true)]
    [TestCase(1_000_001, false)]
    public async Task A_million_iterations_are_begun_and_no_more(int iterations, bool isBegun)
    {
        // It is begun, and broken off before it costs anything.
        var derivation = new KeyDerivation(1, 1, 1) { BeforeDeriving = _ => throw new TimeoutException() };
        var (session, first) = await BeginAsync(derivation);

        var step = async () => (await session.StepAsync(Sasl.Utf8($"r={first}abcdefgh,s={Sasl.Salt},i={iterations}"), default)).Objection!.Reason;

        if (isBegun)
        {
            await step.Should().ThrowAsync<TimeoutException>();
        }
        else
        {
            (await step()).Should().Be(RejectionReason.IterationCountOutOfRange);
        }

        derivation.Iterations.Should().Be(isBegun ? iterations : 0);
    }

    [Test]
    public async Task An_exchange_that_is_over_takes_no_signature_any_more()
    {
        var (session, first) = await BeginAsync(KeyDerivation.Unbounded);
        await session.StepAsync(Sasl.Utf8($"r={first}abcdefgh,s={Sasl.Salt},i=4096"), default);
        session.Dispose();

        // What would be the signature if the one that was expected had only been wiped.
        session.Complete(Sasl.Utf8($"v={Convert.ToBase64String(new byte[32])}")).Objection!.Reason.Should().Be(RejectionReason.ServerSignatureWrong);
    }

    [TestCase("v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    [TestCase("v=")]
    [TestCase("e=other-error")]
    [TestCase(null)]
    public async Task A_server_that_says_yes_without_proof_is_refused(string? last)
    {
        var (session, first) = await BeginAsync(KeyDerivation.Unbounded);
        await session.StepAsync(Sasl.Utf8($"r={first}abcdefgh,s={Sasl.Salt},i=4096"), default);

        session.Complete(last is null ? null : Sasl.Utf8(last)).Objection!.Reason.Should().Be(RejectionReason.ServerSignatureWrong);
    }

    [Test]
    public async Task A_server_that_says_yes_before_it_could_have_any_proof_is_refused()
    {
        var (session, _) = await BeginAsync(KeyDerivation.Unbounded);

        var end = session.Complete(Sasl.Utf8("v="));

        (end.Objection!.Reason, end.ServerProofs).Should().Be((RejectionReason.ServerSignatureWrong, PeerProofs.None));
    }

    [Test]
    public async Task A_second_challenge_does_not_get_a_second_proof()
    {
        var (session, first) = await BeginAsync(KeyDerivation.Unbounded);
        var message = Sasl.Utf8($"r={first}abcdefgh,s={Sasl.Salt},i=4096");
        await session.StepAsync(message, default);

        (await session.StepAsync(message, default)).Objection!.Reason.Should().Be(RejectionReason.CredentialProtocolViolated);
    }

    // Channel binding, by policy, by whether the certificate has one, and by what is offered.
    [TestCase(ChannelBindingPolicy.WhereItExists, true, "SCRAM-SHA-256-PLUS SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", null)]
    [TestCase(ChannelBindingPolicy.WhereItExists, true, "SCRAM-SHA-512-PLUS SCRAM-SHA-256-PLUS", "SCRAM-SHA-512-PLUS", null)]
    [TestCase(ChannelBindingPolicy.WhereItExists, true, "SCRAM-SHA-256", null, RejectionReason.ChannelBindingUnavailable)]
    [TestCase(ChannelBindingPolicy.WhereItExists, false, "SCRAM-SHA-256", "SCRAM-SHA-256", null)]
    [TestCase(ChannelBindingPolicy.WhereItExists, true, "PLAIN", null, RejectionReason.MechanismUnavailable)]
    [TestCase(ChannelBindingPolicy.Required, false, "SCRAM-SHA-256-PLUS SCRAM-SHA-256", null, RejectionReason.ChannelBindingUnavailable)]
    [TestCase(ChannelBindingPolicy.Required, true, "SCRAM-SHA-256", null, RejectionReason.ChannelBindingUnavailable)]
    [TestCase(ChannelBindingPolicy.DangerouslyOptional, true, "SCRAM-SHA-256", "SCRAM-SHA-256", null)]
    public void A_client_chooses(ChannelBindingPolicy policy, bool hasBinding, string offered, string? chosen, RejectionReason? reason)
    {
        var credentials = Login.WithPassword("alice", Password.From("correct horse"), channelBinding: policy);

        var (session, objection) = SaslClientSession.Begin(
            credentials, Sasl.ClientContext(hasBinding ? Sasl.Binding : null, offered: [.. offered.Split(' ')]));

        (session?.Mechanism, objection?.Reason).Should().Be((chosen, reason));
    }

    [TestCase(true, "y,,")]
    [TestCase(false, "n,,")]
    public async Task Without_binding_a_client_says_whether_it_could_have(bool hasBinding, string header)
    {
        var credentials = Login.WithPassword("alice", Password.From("correct horse"), channelBinding: ChannelBindingPolicy.DangerouslyOptional);
        var (session, _) = SaslClientSession.Begin(credentials, Sasl.ClientContext(hasBinding ? Sasl.Binding : null, offered: "SCRAM-SHA-256"));

        System.Text.Encoding.UTF8.GetString((await session!.StartAsync(default))!.Value.Span).Should().StartWith(header + "n=alice,r=");
    }

    [Test]
    public async Task Who_saw_that_the_server_binds_and_was_told_not_to_does_not_say_that_it_could_have()
    {
        var credentials = Login.WithPassword("alice", Password.From("correct horse"), channelBinding: ChannelBindingPolicy.DangerouslyOptional) with
        { OnlyMechanism = "SCRAM-SHA-256" };

        var (session, _) = SaslClientSession.Begin(credentials, Sasl.ClientContext(Sasl.Binding, offered: ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]));

        System.Text.Encoding.UTF8.GetString((await session!.StartAsync(default))!.Value.Span).Should().StartWith("n,,n=alice,r=");
    }

    [TestCase("SCRAM-SHA-256", true)]
    [TestCase("PLAIN", false)]
    public void Only_a_binding_that_was_taken_away_points_to_a_man_in_the_middle(string offered, bool isSuspicious)
    {
        var (_, objection) = SaslClientSession.Begin(s_credentials, Sasl.ClientContext(Sasl.Binding, offered: [offered]));

        (objection!.Hint is not null).Should().Be(isSuspicious);
    }

    [Test]
    public async Task A_wiped_password_logs_nobody_in()
    {
        var password = Password.From("correct horse");
        var (session, _) = SaslClientSession.Begin(
            Login.WithPassword("alice", password), Sasl.ClientContext(Sasl.Binding, nonce: "mine", offered: Plus));
        await session!.StartAsync(default);
        password.Dispose();

        var step = async () => await session.StepAsync(Sasl.Utf8($"r=mineabcdefgh,s={Sasl.Salt},i=4096"), default);

        await step.Should().ThrowAsync<ObjectDisposedException>();
    }

    private static async Task<(SaslClientSession Session, string Nonce)> BeginAsync(KeyDerivation derivation)
    {
        var (session, _) = SaslClientSession.Begin(s_credentials, Sasl.ClientContext(Sasl.Binding, derivation, "mine", Plus));
        await session!.StartAsync(default);
        return (session, "mine");
    }
}
