using Microsoft.Extensions.Time.Testing;
using MutualAuth.Connections;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// The user of an open connection authenticates again, in messages that the application carries. Each refusal differs from the renewal in one fact,
/// and changes nothing.
/// </summary>
[CancelAfter(60000)]
public sealed class ReauthenticationTests
{
    private World _world = null!;
    private MemoryCredentialStore _users = null!;
    private CodeServer _codes = null!;
    private Tokens _tokens = null!;

    [SetUp]
    public async Task SetUp()
    {
        _world = new World { CloseTimeout = World.Moment };
        _users = await TestUsers.CreateAsync();
        _codes = new CodeServer();
        _tokens = new Tokens();
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task A_password_renews_the_login_and_the_peer_stays_the_same()
    {
        await using var ends = await ConnectAsync();

        var (verifier, responder) = await AgainAsync(ends, Alice());

        (verifier.Rejection, verifier.Proof, responder.IsConfirmed).Should().Be((null, null, true));
        verifier.User!.Proofs.Should().Be(PeerProofs.Password | PeerProofs.ChannelBinding);
        ends.Server.Accepted.Peer.User.Should().BeSameAs(verifier.User);
        ends.Server.Accepted.Peer.Certificate.Should().NotBeNull();
        ends.Server.Accepted.Invalidation.Should().BeNull();
    }

    [Test]
    public async Task A_fresh_token_moves_the_end_of_the_connection()
    {
        await using var ends = await ConnectAsync(Policy(), Login.WithToken("first"));
        var before = ends.Server.Accepted.ValidUntil;

        var (verifier, _) = await AgainAsync(ends, Login.WithToken("second"));

        (before, verifier.Rejection).Should().Be((_tokens.EndOf("first"), null));
        ends.Server.Accepted.ValidUntil.Should().Be(_tokens.EndOf("second"));
    }

    [TestCase("wrong", RejectionReason.CredentialsWrong)]
    [TestCase("bob", RejectionReason.StepUpMismatch)]
    [TestCase("acts as another", RejectionReason.StepUpMismatch)]
    [TestCase("disabled", RejectionReason.CredentialsWrong)]
    [TestCase("not let in any more", RejectionReason.UserNotAllowed)]
    [TestCase("a bad token", RejectionReason.TokenInvalid)]
    [TestCase("a token of bob", RejectionReason.StepUpMismatch)]
    public async Task A_refusal_is_counted_and_changes_nothing(string what, RejectionReason reason)
    {
        var notes = new NotingLimiter();
        var isClosed = false;
        var policy = Policy() with
        {
            AttemptLimiter = notes,
            MayActAs = (_, _) => true,
            Users = UserRules.Where("the test says so", (_, _) => !Volatile.Read(ref isClosed)),
        };
        await using var ends = await ConnectAsync(
            policy, revalidation: new RevalidationPolicy { OnUserDisabled = InvalidationAction.Notify });
        var (before, failures) = (ends.Server.Accepted.Peer, notes.Outcomes.Count(end => end.Outcome == AttemptOutcome.Failed));
        if (what == "disabled")
        {
            await _users.SetDisabledAsync("alice", true);
        }

        isClosed = what == "not let in any more";
        var (verifier, responder) = await AgainAsync(ends, what switch
        {
            "wrong" => Login.WithPassword("alice", "wrong"),
            "bob" => Login.WithPassword("bob", "battery"),
            "acts as another" => Login.WithPassword("alice", Password.From("right"), actAs: "company"),
            "a bad token" => Login.WithToken("bad"),
            "a token of bob" => Login.WithToken("bobs"),
            _ => Alice(),
        });

        (verifier.Rejection!.Reason, verifier.User, responder.IsConfirmed, responder.Rejection!.Reason).Should().Be(
            (reason, null, false, RejectionReason.RefusedByPeer));
        ends.Server.Accepted.Peer.User.Should().BeSameAs(before.User);
        notes.Outcomes.Count(end => end.Outcome == AttemptOutcome.Failed).Should().Be(failures + 1);
        var buffer = new byte[1];
        await ends.Client.Accepted.Stream.WriteAsync(buffer);
        (await ends.Server.Accepted.Stream.ReadAsync(buffer).AsTask().WaitAsync(ConnectedPair.Deadline)).Should().Be(1, "the connection goes on");
    }

    [Test]
    public async Task A_confirmed_transaction_of_no_octets_is_no_reauthentication_nor_the_other_way_round()
    {
        await using var ends = await ConnectAsync();
        await using var again = ends.Server.Accepted.BeginReauthentication();
        using var transaction = ends.Client.Accepted.AnswerStepUp(Alice(), []);
        await using var stepUp = ends.Server.Accepted.BeginStepUp([]);
        using var renewal = ends.Client.Accepted.AnswerReauthentication(Alice());

        await StepUpWire.RunAsync(again, transaction);
        await StepUpWire.RunAsync(stepUp, renewal);

        again.Rejection!.Reason.Should().Be(RejectionReason.ChannelBindingUnavailable);
        stepUp.Rejection!.Reason.Should().Be(RejectionReason.ChannelBindingUnavailable);
    }

    [Test]
    public async Task What_is_said_on_another_connection_of_the_same_user_does_not_count_here()
    {
        await using var here = await ConnectAsync();
        await using var there = await ConnectAsync();
        await using var verifier = here.Server.Accepted.BeginReauthentication();
        using var responder = there.Client.Accepted.AnswerReauthentication(Alice());

        await StepUpWire.RunAsync(verifier, responder);

        verifier.Rejection!.Reason.Should().Be(RejectionReason.StepUpMismatch);
    }

    [Test]
    public async Task A_token_counts_with_the_certificate_that_it_is_bound_to()
    {
        await using var ends = await ConnectAsync(Policy(bound: true));
        _tokens.Confirmation = TokensFor(_world.ClientCertificate.RawCertificate);
        var (own, _) = await AgainAsync(ends, Login.WithToken("second"));
        _tokens.Confirmation = TokensFor(_world.ServerCertificate.RawCertificate);
        var (stolen, _) = await AgainAsync(ends, Login.WithToken("second"));

        own.Rejection.Should().BeNull();
        stolen.Rejection!.Reason.Should().Be(RejectionReason.TokenNotBoundToCertificate);
    }

    [Test]
    public async Task What_is_not_bound_does_not_begin_one()
    {
        var policy = Require.CertificateAndUser(
            SaslServer.PasswordsInPlain(_users), SaslServer.Certificates(_ => "alice"), SaslServer.Scram(_users)) with
        { ChannelBinding = ChannelBindingPolicy.DangerouslyOptional, SecondFactors = [_codes], StepUpFactors = Code };
        await using var ends = await ConnectAsync(policy);
        await using var verifier = ends.Server.Accepted.BeginReauthentication();
        await using var stepUp = ends.Server.Accepted.BeginStepUp([1]);

        verifier.Mechanisms.Should().Equal("SCRAM-SHA-256-PLUS");
        stepUp.Mechanisms.Should().Equal("SCRAM-SHA-256-PLUS");
    }

    [Test]
    public async Task It_needs_what_the_login_needs()
    {
        var policy = Policy() with { SecondFactors = [_codes], LoginFactors = PasswordAndCode };
        await using var ends = await ConnectAsync(policy, Alice().Then(new CodeClient("111111")));

        var (used, _) = await AgainAsync(ends, Alice().Then(new CodeClient("111111")));
        var (without, left) = await AgainAsync(ends, Alice());
        var (fresh, _) = await AgainAsync(ends, Alice().Then(new CodeClient("222222")));

        used.Rejection!.Reason.Should().Be(RejectionReason.SecondFactorReused);
        (without.Rejection!.Reason, left.Rejection!.Reason).Should().Be((RejectionReason.RefusedByPeer, RejectionReason.SecondFactorUnavailable));
        fresh.User!.Mechanisms.Should().Equal("SCRAM-SHA-256-PLUS", CodeServer.Name);
    }

    [Test]
    public async Task A_step_up_says_which_factor_it_wants()
    {
        var keys = new CodeServer("TEST-KEY-PLUS", PeerProofs.Passkey);
        var policy = Policy() with { SecondFactors = [_codes, keys], StepUpFactors = PasswordAndCode };
        await using var ends = await ConnectAsync(policy);
        var credentials = Alice().Then(new CodeClient("111111"), new CodeClient("222222", "TEST-KEY-PLUS"));
        keys.Codes["alice"] = ["222222"];
        await using var both = ends.Server.Accepted.BeginStepUp([1]);
        await using var key = ends.Server.Accepted.BeginStepUp([1], FactorRequirement.Proofs(PeerProofs.Passkey));
        using var withBoth = ends.Client.Accepted.AnswerStepUp(credentials, [1]);
        using var withKey = ends.Client.Accepted.AnswerStepUp(credentials, [1]);

        await StepUpWire.RunAsync(both, withBoth);
        await StepUpWire.RunAsync(key, withKey);

        both.Proof!.Proofs.Should().Be(PeerProofs.Password | PeerProofs.ChannelBinding | PeerProofs.OneTimeCode);
        both.Proof.User.Mechanisms.Should().Equal("SCRAM-SHA-256-PLUS", CodeServer.Name);
        withKey.Offered.Should().Equal("TEST-KEY-PLUS");
        (key.Proof!.Proofs, key.Proof.Covers([1]), key.Proof.Covers([2])).Should().Be((PeerProofs.Passkey, true, false));
        ends.Server.Accepted.Invoking(connection => connection.BeginStepUp([1], FactorRequirement.Proofs(PeerProofs.Kerberos)))
            .Should().Throw<ArgumentException>();
    }

    [Test]
    public async Task Concurrent_conversations_do_not_mix()
    {
        await using var ends = await ConnectAsync();
        await using var first = ends.Server.Accepted.BeginStepUp([1]);
        await using var second = ends.Server.Accepted.BeginStepUp([2]);
        await using var third = ends.Server.Accepted.BeginReauthentication();
        using var one = ends.Client.Accepted.AnswerStepUp(Alice(), [1]);
        using var two = ends.Client.Accepted.AnswerStepUp(Alice(), [2]);
        using var three = ends.Client.Accepted.AnswerReauthentication(Alice());

        await Task.WhenAll(StepUpWire.RunAsync(first, one), StepUpWire.RunAsync(second, two), StepUpWire.RunAsync(third, three));

        (first.Proof!.Covers([1]), second.Proof!.Covers([2]), third.User!.Name).Should().Be((true, true, "alice"));
    }

    [TestCase("nothing")]
    [TestCase("a header")]
    [TestCase("two frames")]
    [TestCase("half a frame")]
    [TestCase("an acceptance")]
    [TestCase("a response first")]
    [TestCase("the server's own message")]
    public async Task Messages_that_are_none_end_it_at_once(string what)
    {
        await using var ends = await ConnectAsync();
        await using var verifier = ends.Server.Accepted.BeginReauthentication();
        using var responder = ends.Client.Accepted.AnswerReauthentication(Alice());
        var start = (await responder.AnswerAsync(verifier.FirstMessage))!;

        byte[] message = what switch
        {
            "nothing" => [],
            "a header" => start[..3],
            "two frames" => [.. start, .. start],
            "half a frame" => start[..^1],
            "an acceptance" => [1, 0, 2, 0, 0],
            "a response first" => StepUpWire.Response("x"),
            _ => verifier.FirstMessage.ToArray(),
        };

        var answer = await verifier.AnswerAsync(message);

        answer.Should().Equal(7, 0, 3, 0, 50, 0);
        (verifier.IsOver, verifier.Rejection!.Reason).Should().Be((true, RejectionReason.CredentialProtocolViolated));
    }

    [Test]
    public async Task A_conversation_has_a_time_limit()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var ends = await ConnectAsync(time: time);
        await using var late = ends.Server.Accepted.BeginReauthentication();
        await using var inTime = ends.Server.Accepted.BeginReauthentication();
        using var responder = ends.Client.Accepted.AnswerReauthentication(Alice());
        using var other = ends.Client.Accepted.AnswerReauthentication(Alice());

        time.Advance(StepUpVerifier.TimeLimit - TimeSpan.FromTicks(1));
        await StepUpWire.RunAsync(inTime, other);
        time.Advance(TimeSpan.FromTicks(1));
        await StepUpWire.RunAsync(late, responder);

        inTime.User.Should().NotBeNull();
        late.Rejection!.Reason.Should().Be(RejectionReason.StepUpTimedOut);
        responder.PeerReason.Should().Be(PublicReason.TryAgainLater);
    }

    [Test]
    public async Task Disposing_in_the_middle_abandons_it()
    {
        var notes = new NotingLimiter();
        await using var ends = await ConnectAsync(Policy() with { AttemptLimiter = notes });
        var verifier = ends.Server.Accepted.BeginReauthentication();
        var responder = ends.Client.Accepted.AnswerReauthentication(Alice());
        var challenge = await verifier.AnswerAsync(await responder.AnswerAsync(verifier.FirstMessage));

        await verifier.DisposeAsync();
        responder.Dispose();

        await verifier.Invoking(async it => await it.AnswerAsync(new byte[3])).Should().ThrowAsync<ObjectDisposedException>();
        await responder.Invoking(async it => await it.AnswerAsync(challenge)).Should().ThrowAsync<ObjectDisposedException>();
        notes.Outcomes.Should().HaveSameCount(notes.Attempts).And.NotContain(end => end.Outcome == AttemptOutcome.Failed);
    }

    [Test]
    public async Task After_the_connection_is_over_it_renews_nothing()
    {
        await using var ends = await ConnectAsync();
        await using var verifier = ends.Server.Accepted.BeginReauthentication();
        using var responder = ends.Client.Accepted.AnswerReauthentication(Alice());
        await ends.Server.Accepted.DisposeAsync();

        await StepUpWire.RunAsync(verifier, responder);

        (verifier.User, verifier.Rejection!.Reason).Should().Be((null, RejectionReason.ReauthenticationTooLate));
    }

    [Test]
    public async Task The_wrong_side_and_no_user_are_told_so()
    {
        await using var ends = await ConnectAsync();
        await using var without = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions);

        ends.Client.Accepted.Invoking(connection => connection.BeginReauthentication()).Should().Throw<InvalidOperationException>();
        ends.Server.Accepted.Invoking(connection => connection.AnswerReauthentication(Alice())).Should().Throw<InvalidOperationException>();
        ends.Server.Accepted.Invoking(connection => connection.AnswerStepUp(Alice(), [1])).Should().Throw<InvalidOperationException>();
        without.Server.Accepted.Invoking(connection => connection.BeginReauthentication()).Should().Throw<InvalidOperationException>();
    }

    [Test]
    public async Task A_source_that_throws_is_a_typed_refusal_on_both_sides()
    {
        await using var ends = await ConnectAsync();

        var (verifier, responder) = await AgainAsync(ends, Login.WithToken(_ => throw new IOException("secret")));

        responder.Rejection!.Reason.Should().Be(RejectionReason.CredentialCheckFaulted);
        responder.Rejection.ToString().Should().NotContain("secret");
        verifier.Rejection!.Reason.Should().Be(RejectionReason.RefusedByPeer);
    }

    [Test]
    public async Task The_two_helpers_renew_in_time()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var reauthentication = new ReauthenticationServer();
        var current = "first";
        var policy = new RevalidationPolicy { OnReauthenticationDue = reauthentication.WhenDue, ReauthenticationLead = TimeSpan.FromMinutes(2) };
        _tokens.Now = time.GetUtcNow;
        await using var ends = await ConnectAsync(Policy(), Login.WithToken(_ => ValueTask.FromResult(current)), policy, time);
        using var answers = new ReauthenticationClient(ends.Client.Accepted, Login.WithToken(_ => ValueTask.FromResult(current)));
        var asked = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        var told = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var served = reauthentication.Serve(
            ends.Server.Accepted,
            (message, _) =>
            {
                (asked.Task.IsCompleted ? told : asked).TrySetResult(message.ToArray());
                return default;
            });
        var before = ends.Server.Accepted.ValidUntil!.Value;

        current = "second";
        time.Advance(before - time.GetUtcNow() - TimeSpan.FromMinutes(1));
        var reply = await answers.AnswerAsync(await asked.Task.WaitAsync(ConnectedPair.Deadline));
        (await served.ReceiveAsync(reply)).Should().BeTrue();
        (await answers.AnswerAsync(await told.Task.WaitAsync(ConnectedPair.Deadline))).Should().BeNull();

        (served.Renewals, served.Rejection, answers.IsConfirmed, answers.Rejection).Should().Be((1, null, true, null));
        ends.Server.Accepted.ValidUntil.Should().Be(_tokens.EndOf("second"));
        (await served.ReceiveAsync(reply)).Should().BeFalse("nothing is asked");
        await reauthentication.Invoking(it => Task.FromResult(it.Serve(ends.Server.Accepted, (_, _) => default)))
            .Should().ThrowAsync<InvalidOperationException>();
    }

    private static FactorRequirement Code => FactorRequirement.Proofs(PeerProofs.OneTimeCode);

    private static FactorRequirement PasswordAndCode => FactorRequirement.Proofs(PeerProofs.Password | PeerProofs.OneTimeCode);

    private static ClientCredentials Alice() => Login.WithPassword("alice", "right");

    private static string TokensFor(ReadOnlyMemory<byte> certificate) =>
        $$"""{"x5t#S256":"{{System.Buffers.Text.Base64Url.EncodeToString(System.Security.Cryptography.SHA256.HashData(certificate.Span))}}"}""";

    private CredentialPolicy Policy(bool bound = false) => Require.CertificateAndUser(
        SaslServer.Scram(_users), bound ? SaslServer.BoundTokens(_tokens) : SaslServer.DangerouslyUnboundTokens(_tokens)) with
    { DecoyIterations = ScramVerifier.MinIterations };

    private Task<ConnectedPair> ConnectAsync(
        CredentialPolicy? policy = null, ClientCredentials? credentials = null, RevalidationPolicy? revalidation = null, TimeProvider? time = null) =>
        ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Credentials = credentials ?? Alice() },
            _world.ServerOptions with
            {
                Credentials = policy ?? Policy(),
                Revalidation = revalidation ?? new RevalidationPolicy(),
                TimeProvider = time ?? TimeProvider.System,
            });

    private static async Task<(StepUpVerifier Verifier, StepUpResponder Responder)> AgainAsync(ConnectedPair ends, ClientCredentials credentials)
    {
        await using var verifier = ends.Server.Accepted.BeginReauthentication();
        using var responder = ends.Client.Accepted.AnswerReauthentication(credentials);
        await StepUpWire.RunAsync(verifier, responder);
        return (verifier, responder);
    }

    /// <summary>Tokens by name: the second one is good for longer than the first.</summary>
    private sealed class Tokens : ITokenValidator
    {
        private readonly DateTimeOffset _begin = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds());

        internal string? Confirmation { get; set; }

        internal Func<DateTimeOffset> Now { get; set; } = () => DateTimeOffset.UtcNow;

        internal DateTimeOffset EndOf(string token) => _begin.AddMinutes(token == "first" ? 10 : 20);

        public ValueTask<TokenVerdict> ValidateAsync(string token, System.Net.IPAddress? remoteAddress, CancellationToken cancellationToken) =>
            ValueTask.FromResult(token == "bad" || EndOf(token) <= Now()
                ? TokenVerdict.Invalid("a good token", "another")
                : TokenVerdict.Valid(token == "bobs" ? "bob" : "alice", Confirmation, notAfter: EndOf(token)));
    }
}
