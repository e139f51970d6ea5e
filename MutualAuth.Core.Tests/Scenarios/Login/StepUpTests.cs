using System.Text;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Confirmation;
using MutualAuth.Credentials;
using MutualAuth.Tests.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>A user confirms one transaction on one connection with its credentials. Each refusal differs from the confirmation in one fact.</summary>
[CancelAfter(60000)]
public sealed class StepUpTests
{
    private static readonly byte[] s_transaction = Encoding.UTF8.GetBytes("pay 100 to bob");

    private World _world = null!;
    private MemoryCredentialStore _users = null!;

    [SetUp]
    public async Task SetUp()
    {
        _world = new World();
        _users = await TestUsers.CreateAsync();
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task The_user_confirms_a_transaction_and_the_peer_stays_as_it_was()
    {
        await using var ends = await ConnectAsync();
        var before = ends.Server.Accepted.Peer;

        var (proof, rejection, believed) = await StepUpAsync(
            ends.Client.Accepted, ends.Server.Accepted, Login.WithPassword("alice", "right"), s_transaction, s_transaction);

        (rejection, believed).Should().Be((null, true));
        proof!.User.Name.Should().Be("alice");
        proof.User.Proofs.Should().Be(PeerProofs.Password | PeerProofs.ChannelBinding);
        proof.At.Should().BeCloseTo(TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(1));
        proof.Covers(s_transaction).Should().BeTrue();
        proof.Covers("pay 1000 to bob"u8).Should().BeFalse();
        ends.Server.Accepted.Peer.Should().BeSameAs(before);
    }

    [Test]
    public async Task A_proof_counts_once_and_for_its_transaction()
    {
        await using var ends = await ConnectAsync();
        var (proof, _, _) = await StepUpAsync(
            ends.Client.Accepted, ends.Server.Accepted, Login.WithPassword("alice", "right"), s_transaction, s_transaction);
        proof!.TryUse("pay 1000 to bob"u8).Should().BeFalse("another transaction");
        proof.IsUsed.Should().BeFalse("and it is not used up by that");
        proof.TryUse(s_transaction).Should().BeTrue();
        proof.TryUse(s_transaction).Should().BeFalse("it counts once");
        proof.IsUsed.Should().BeTrue();
        proof.Covers(s_transaction).Should().BeTrue("it is still the proof of that transaction");
    }

    [Test]
    public async Task However_many_use_a_proof_at_one_moment_it_counts_once()
    {
        const int Users = 4;
        using var together = new Barrier(Users);
        var clock = new MeetingClock(together);
        var proofs = Enumerable.Range(0, 2_000).Select(_ => new StepUpProof(LiveUsersWorld.User("alice"), [], clock)).ToArray();
        clock.Meets = true;

        var used = await Task.WhenAll(Enumerable.Range(0, Users).Select(_ => Task.Factory.StartNew(
            () => proofs.Count(proof => proof.TryUse([])), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        used.Sum().Should().Be(proofs.Length);
    }

    [TestCase(-1, true)]
    [TestCase(0, false)]
    public void A_proof_that_is_kept_for_too_long_is_worth_nothing(int milliseconds, bool counts)
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var proof = new StepUpProof(LiveUsersWorld.User("alice"), s_transaction, clock);

        clock.Advance(StepUpVerifier.TimeLimit + TimeSpan.FromMilliseconds(milliseconds));

        proof.TryUse(s_transaction).Should().Be(counts);
    }

    [TestCase("alice", "wrong", RejectionReason.CredentialsWrong)]
    [TestCase("nobody", "right", RejectionReason.StepUpMismatch)]
    [TestCase("bob", "battery", RejectionReason.StepUpMismatch)]
    public async Task Other_credentials_do_not_confirm(string user, string password, RejectionReason reason)
    {
        await using var ends = await ConnectAsync();

        var (proof, rejection, _) = await StepUpAsync(
            ends.Client.Accepted, ends.Server.Accepted, Login.WithPassword(user, password), s_transaction, s_transaction);

        (proof, rejection?.Reason).Should().Be((null, reason));
    }

    [Test]
    public async Task Another_transaction_than_the_user_was_shown_is_not_confirmed()
    {
        await using var ends = await ConnectAsync();

        var (proof, rejection, _) = await StepUpAsync(
            ends.Client.Accepted,
            ends.Server.Accepted,
            Login.WithPassword("alice", "right"),
            s_transaction,
            Encoding.UTF8.GetBytes("pay 1000 to bob"));

        (proof, rejection?.Reason).Should().Be((null, RejectionReason.StepUpMismatch));
    }

    [Test]
    public async Task A_confirmation_on_another_connection_of_the_same_user_does_not_count_here()
    {
        await using var here = await ConnectAsync();
        await using var there = await ConnectAsync();

        var (proof, rejection, _) = await StepUpAsync(
            there.Client.Accepted, here.Server.Accepted, Login.WithPassword("alice", "right"), s_transaction, s_transaction);

        (proof, rejection?.Reason).Should().Be((null, RejectionReason.StepUpMismatch));
    }

    [Test]
    public async Task A_confirmation_that_is_played_again_does_not_count_again()
    {
        await using var ends = await ConnectAsync();
        var said = new List<byte[]>();
        await StepUpAsync(ends.Client.Accepted, ends.Server.Accepted, Login.WithPassword("alice", "right"), s_transaction, s_transaction, said);
        await using var again = ends.Server.Accepted.BeginStepUp(s_transaction);

        (await again.AnswerAsync(said[0]))![0].Should().Be((byte)FrameType.Challenge);
        (await again.AnswerAsync(said[1]))!.Should().Equal(7, 0, 3, 0, 50, 0);

        (again.Proof, again.Rejection!.Reason).Should().Be((null, RejectionReason.CredentialProtocolViolated));
    }

    [Test]
    public async Task The_login_itself_cannot_be_played_as_a_step_up()
    {
        // The binding type is not that of a login: whoever relays one cannot have it taken for the other.
        await using var ends = await ConnectAsync();
        await using var verifier = ends.Server.Accepted.BeginStepUp(s_transaction);

        await verifier.AnswerAsync(StepUpWire.Start("SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,n=alice,r=abcdefgh"));

        verifier.Rejection!.Reason.Should().Be(RejectionReason.ChannelBindingUnavailable);
    }

    [Test]
    public async Task A_user_who_was_disabled_since_the_login_confirms_nothing()
    {
        await using var ends = await ConnectAsync();
        await _users.SetDisabledAsync("alice", true);

        var (proof, rejection, _) = await StepUpAsync(
            ends.Client.Accepted, ends.Server.Accepted, Login.WithPassword("alice", "right"), s_transaction, s_transaction);

        (proof, rejection?.Reason).Should().Be((null, RejectionReason.CredentialsWrong));
    }

    // A step-up has no deadline: hours may pass between its first message and its last.
    [TestCase("nothing", true)]
    [TestCase("another user is disabled", true)]
    [TestCase("a verifier for another hash is added", true)]
    [TestCase("disabled", false)]
    [TestCase("removed", false)]
    [TestCase("another password", false)]
    [TestCase("the same password anew", false)] // to whom the salt is another
    public async Task What_happens_to_the_user_while_a_step_up_runs_counts(string what, bool isConfirmed)
    {
        await using var ends = await ConnectAsync();
        await using var verifier = ends.Server.Accepted.BeginStepUp(s_transaction);
        using var responder = ends.Client.Accepted.AnswerStepUp(Login.WithPassword("alice", "right"), s_transaction);
        var challenge = await verifier.AnswerAsync(await responder.AnswerAsync(verifier.FirstMessage));
        var response = await responder.AnswerAsync(challenge);
        await (what switch
        {
            "another user is disabled" => _users.SetDisabledAsync("bob", true).AsTask(),
            "a verifier for another hash is added" => _users.SetAsync("alice", ScramVerifier.Create(Password.From("right"), ScramHash.Sha512,
                ScramVerifier.MinIterations)).AsTask(),
            "disabled" => _users.SetDisabledAsync("alice", true).AsTask(),
            "removed" => _users.RemoveAsync("alice").AsTask(),
            "another password" => _users.SetPasswordAsync("alice", Password.From("other"), [ScramHash.Sha256], ScramVerifier.MinIterations).AsTask(),
            "the same password anew" => _users.SetPasswordAsync("alice", Password.From("right"), [ScramHash.Sha256],
                ScramVerifier.MinIterations).AsTask(),
            _ => Task.CompletedTask,
        });

        await verifier.AnswerAsync(response);

        (verifier.Proof is not null, verifier.Rejection?.Reason).Should().Be((isConfirmed, isConfirmed ? null : RejectionReason.CredentialsWrong));
    }

    [Test]
    public async Task Wrong_passwords_count_with_the_limiter_as_at_the_handshake()
    {
        await using var ends = await ConnectAsync(new BackoffAttemptLimiter(new FakeTimeProvider()) { FailuresBeforeWaitPerUserAndAddress = 0 });

        await StepUpAsync(ends.Client.Accepted, ends.Server.Accepted, Login.WithPassword("alice", "wrong"), s_transaction, s_transaction);
        var (proof, rejection, _) = await StepUpAsync(
            ends.Client.Accepted, ends.Server.Accepted, Login.WithPassword("alice", "right"), s_transaction, s_transaction);

        (proof, rejection?.Reason).Should().Be((null, RejectionReason.AttemptsLimited));
    }

    [Test]
    public async Task A_server_that_says_yes_without_proof_is_not_believed()
    {
        await using var ends = await ConnectAsync();
        await using var verifier = ends.Server.Accepted.BeginStepUp(s_transaction);
        using var responder = ends.Client.Accepted.AnswerStepUp(Login.WithPassword("alice", "right"), s_transaction);
        var challenge = await verifier.AnswerAsync(await responder.AnswerAsync(verifier.FirstMessage));
        await responder.AnswerAsync(challenge);

        (await responder.AnswerAsync(StepUpWire.Yes("v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="))).Should().BeNull();

        (responder.IsConfirmed, responder.IsOver, responder.Rejection!.Reason).Should().Be((false, true, RejectionReason.ServerSignatureWrong));
    }

    [Test]
    public async Task Only_mechanisms_that_bind_are_used()
    {
        var policy = Require.CertificateAndUser(SaslServer.Scram(_users), SaslServer.PasswordsInPlain(_users)) with
        { ChannelBinding = ChannelBindingPolicy.DangerouslyOptional };
        await using var ends = await ConnectAsync(policy: policy);
        await using var verifier = ends.Server.Accepted.BeginStepUp(s_transaction);
        using var responder = ends.Client.Accepted.AnswerStepUp(
            Login.DangerouslyWithPasswordInPlain("alice", Password.From("right")), s_transaction);

        verifier.Mechanisms.Should().Equal("SCRAM-SHA-256-PLUS");
        (await verifier.AnswerAsync(StepUpWire.Start("PLAIN", "\0alice\0right"))).Should().Equal(7, 0, 3, 1, 3, 0);
        verifier.Rejection!.Reason.Should().Be(RejectionReason.MechanismUnavailable);
        (await responder.AnswerAsync(StepUpWire.Mechanisms("PLAIN SCRAM-SHA-256"))).Should().Equal(1, 0, 2, 0, 40);
        responder.Rejection!.Reason.Should().Be(RejectionReason.MechanismUnavailable);
        await responder.Invoking(async it => await it.AnswerAsync(verifier.FirstMessage)).Should().ThrowAsync<InvalidOperationException>();
    }

    [TestCase(16_384, RejectionReason.CredentialProtocolViolated)]
    [TestCase(16_385, RejectionReason.CredentialProtocolViolated)]
    public async Task A_message_that_is_too_long_ends_it(int length, RejectionReason reason)
    {
        await using var ends = await ConnectAsync();
        await using var verifier = ends.Server.Accepted.BeginStepUp(s_transaction);

        (await verifier.AnswerAsync(StepUpWire.Start("SCRAM-SHA-256-PLUS", new byte[length]))).Should().Equal(7, 0, 3, 0, 50, 0);

        (verifier.IsOver, verifier.Rejection!.Reason).Should().Be((true, reason));
        await verifier.Invoking(async it => await it.AnswerAsync(new byte[3]))
            .Should().ThrowAsync<InvalidOperationException>();
    }

    [Test]
    public async Task Nobody_acts_as_another_in_a_step_up_without_a_rule()
    {
        await using var ends = await ConnectAsync();

        var (proof, rejection, _) = await StepUpAsync(
            ends.Client.Accepted,
            ends.Server.Accepted,
            Login.WithPassword("alice", Password.From("right"), actAs: "bob"),
            s_transaction,
            s_transaction);

        (proof, rejection?.Reason).Should().Be((null, RejectionReason.AuthorizationIdentityRefused));
    }

    [TestCase(null, null, true)]
    [TestCase("company", "company", true)]
    [TestCase("company", "comp\u00adany", true)]
    [TestCase(null, "company", false)]
    [TestCase("company", null, false)]
    [TestCase("company", "other", false)]
    public async Task Who_acts_as_another_confirms_for_that_one_and_nobody_else(string? atLogin, string? atStepUp, bool isConfirmed)
    {
        var policy = Require.CertificateAndUser(SaslServer.Scram(_users)) with { MayActAs = (user, _) => user == "alice" };
        await using var ends = await ConnectAsync(policy: policy, credentials: Login.WithPassword("alice", Password.From("right"), actAs: atLogin));

        var (proof, rejection, _) = await StepUpAsync(
            ends.Client.Accepted,
            ends.Server.Accepted,
            Login.WithPassword("alice", Password.From("right"), actAs: atStepUp),
            s_transaction,
            s_transaction);

        (proof?.User.ActsAs, rejection?.Reason).Should().Be(isConfirmed ? (atLogin ?? "alice", null) : (null, RejectionReason.StepUpMismatch));
    }

    [TestCase("PLAIN")]
    [TestCase("OAUTHBEARER")]
    [TestCase("EXTERNAL")]
    public async Task After_any_login_a_confirmation_counts_on_its_own_connection_only(string mechanism)
    {
        var policy = Require.CertificateAndUser(
            SaslServer.Scram(_users),
            SaslServer.PasswordsInPlain(_users),
            SaslServer.DangerouslyUnboundTokens(new AliceToken()),
            SaslServer.Certificates(_ => "alice"));
        var credentials = mechanism switch
        {
            "PLAIN" => Login.DangerouslyWithPasswordInPlain("alice", Password.From("right")),
            "OAUTHBEARER" => Login.WithToken("good"),
            _ => Login.WithCertificate(),
        };
        await using var here = await ConnectAsync(policy: policy, credentials: credentials);
        await using var there = await ConnectAsync(policy: policy, credentials: credentials);

        var (proof, rejection, _) = await StepUpAsync(
            there.Client.Accepted, here.Server.Accepted, Login.WithPassword("alice", "right"), s_transaction, s_transaction);
        var (own, _, _) = await StepUpAsync(
            here.Client.Accepted, here.Server.Accepted, Login.WithPassword("alice", "right"), s_transaction, s_transaction);

        (proof, rejection?.Reason).Should().Be((null, RejectionReason.StepUpMismatch));
        own.Should().NotBeNull();
    }

    [TestCase("bob", true)]
    [TestCase("whoever", true)]
    [TestCase("alice", false)]
    public async Task A_step_up_that_names_another_user_fails_at_once_and_counts_against_the_connections_user(string named, bool isOver)
    {
        var notes = new NotingLimiter();
        await using var ends = await ConnectAsync(notes);
        await using var verifier = ends.Server.Accepted.BeginStepUp(s_transaction);

        var answer = await verifier.AnswerAsync(StepUpWire.Start("SCRAM-SHA-256-PLUS", $"p=mutualauth-step-up,,n={named},r=abcdefgh"));

        (answer![0] == (byte)FrameType.Outcome, verifier.IsOver, verifier.Rejection?.Reason).Should().Be(
            (isOver, isOver, isOver ? RejectionReason.StepUpMismatch : null));
        notes.Attempts.Should().OnlyContain(attempt => attempt.UserName == "alice");
        notes.Outcomes[^1].Outcome.Should().Be(isOver ? AttemptOutcome.Failed : AttemptOutcome.Abandoned);
        verifier.Rejection?.ToString().Should().NotContain("whoever", "it may be a password, typed into the wrong field");
    }

    // A mechanism of an application's own, which says for itself who it was.
    [TestCase("alice", null)]
    [TestCase("bob", RejectionReason.StepUpMismatch)]
    public async Task Whoever_is_proven_must_be_the_connections_user(string proven, RejectionReason? reason)
    {
        var (verifier, ends) = await BeginWithOwnMechanismAsync(
            _ => SaslServerStep.Succeed(proven, PeerProofs.None, additionalData: "ok"u8.ToArray()));
        await using var _ = ends;
        await using var __ = verifier;

        var answer = await verifier.AnswerAsync(StepUpWire.Start("OWN-PLUS", string.Empty));

        (verifier.Proof?.User.Name, verifier.Rejection?.Reason).Should().Be((reason is null ? proven : null, reason));
        answer.Should().Equal(reason is null ? StepUpWire.Yes("ok") : [7, 0, 3, 0, 49, 0]);
        verifier.IsOver.Should().BeTrue();
    }

    [TestCase(16_384, true)]
    [TestCase(16_385, false)]
    public async Task A_message_of_16384_octets_reaches_the_mechanism_and_a_longer_one_does_not(int length, bool isAsked)
    {
        var asked = new List<int>();
        var (verifier, ends) = await BeginWithOwnMechanismAsync(message =>
        {
            asked.Add(message.Length);
            return SaslServerStep.Continue("more"u8.ToArray());
        });
        await using var _ = ends;
        await using var __ = verifier;

        var answer = await verifier.AnswerAsync(StepUpWire.Start("OWN-PLUS", new byte[length]));

        asked.Should().Equal(isAsked ? [length] : []);
        (answer![0] == (byte)FrameType.Challenge, verifier.IsOver).Should().Be((isAsked, !isAsked));
    }

    [TestCase(null, false)]
    [TestCase("", true)]
    [TestCase("x", true)]
    public async Task What_comes_with_the_good_news_is_nothing_when_there_is_nothing(string? data, bool isThere)
    {
        await using var ends = await ConnectAsync();
        var mechanism = new Credulous();
        using var responder = ends.Client.Accepted.AnswerStepUp(Login.With(mechanism), s_transaction);
        (await responder.AnswerAsync(StepUpWire.Mechanisms(Credulous.Name))).Should().Equal(StepUpWire.Start(Credulous.Name, (string?)null));

        (await responder.AnswerAsync(StepUpWire.Yes(data))).Should().BeNull();

        (mechanism.Completed, responder.IsConfirmed, responder.Rejection).Should().Be((isThere, true, null));
    }

    [Test]
    public async Task Where_nobody_has_logged_in_there_is_no_step_up()
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions);

        ends.Server.Accepted.Invoking(connection => connection.BeginStepUp(s_transaction)).Should().Throw<InvalidOperationException>();
        ends.Client.Accepted.Invoking(connection => connection.BeginStepUp(s_transaction)).Should().Throw<InvalidOperationException>();
    }

    private Task<ConnectedPair> ConnectAsync(IAttemptLimiter? limiter = null, CredentialPolicy? policy = null, ClientCredentials? credentials = null)
    {
        policy ??= Require.CertificateAndUser(SaslServer.Scram(_users)) with { AttemptLimiter = limiter };
        return ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Credentials = credentials ?? Login.WithPassword("alice", "right") },
            _world.ServerOptions with { Credentials = policy with { DecoyIterations = ScramVerifier.MinIterations } });
    }

    private async Task<(StepUpVerifier Verifier, ConnectedPair Ends)> BeginWithOwnMechanismAsync(Func<ReadOnlyMemory<byte>, SaslServerStep> step)
    {
        var own = new ScriptedMechanism(["OWN-PLUS"], step);
        var ends = await ConnectAsync(
            policy: Require.CertificateAndUser(SaslServer.Certificates(_ => "alice"), own), credentials: Login.WithCertificate());
        return (ends.Server.Accepted.BeginStepUp(s_transaction), ends);
    }

    private static async Task<(StepUpProof? Proof, Rejection? Rejection, bool IsBelieved)> StepUpAsync(
        MutualTlsConnection client, MutualTlsConnection server, ClientCredentials credentials, byte[] shown, byte[] meant, List<byte[]>? said = null)
    {
        await using var verifier = server.BeginStepUp(meant);
        using var responder = client.AnswerStepUp(credentials, shown);
        await StepUpWire.RunAsync(verifier, responder, said);
        return (verifier.Proof, verifier.Rejection, responder.IsConfirmed);
    }

    /// <summary>A client's mechanism that believes every server, and notes whether anything came with the good news.</summary>
    private sealed class Credulous : ISaslClientMechanism, ISaslClientExchange
    {
        internal const string Name = "OWN-PLUS";

        internal bool? Completed { get; private set; }

        public IEnumerable<string> NamesFor(SaslClientContext context) => [Name];

        public ISaslClientExchange Begin(string name, SaslClientContext context) => this;

        public ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken) => default;

        public ValueTask<SaslClientStep> StepAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken) =>
            ValueTask.FromResult(SaslClientStep.Answer(challenge));

        public SaslClientEnd Complete(ReadOnlyMemory<byte>? additionalData)
        {
            Completed = additionalData is not null;
            return new SaslClientEnd(null, PeerProofs.None);
        }

        public void Dispose()
        {
        }
    }

    private sealed class AliceToken : ITokenValidator
    {
        public ValueTask<TokenVerdict> ValidateAsync(string token, System.Net.IPAddress? remoteAddress, CancellationToken cancellationToken) =>
            ValueTask.FromResult(TokenVerdict.Valid("alice", null));
    }

    /// <summary>A clock at which all who ask the time wait for each other, so that they go on at one moment.</summary>
    private sealed class MeetingClock(Barrier together) : TimeProvider
    {
        internal bool Meets { get; set; }

        public override long GetTimestamp()
        {
            if (Meets)
            {
                together.SignalAndWait(ConnectedPair.Deadline);
            }

            return 0;
        }
    }
}
