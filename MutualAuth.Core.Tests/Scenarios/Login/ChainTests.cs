using Microsoft.Extensions.Time.Testing;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>A login of several exchanges over real connections: a password, then a code. Each refusal differs from the login in one fact.</summary>
[CancelAfter(60000)]
public sealed class ChainTests
{
    private static readonly FactorRequirement s_passwordAndCode = FactorRequirement.Proofs(PeerProofs.Password | PeerProofs.OneTimeCode);

    private World _world = null!;
    private MemoryCredentialStore _users = null!;
    private CodeServer _codes = null!;

    [SetUp]
    public async Task SetUp()
    {
        _world = new World { CloseTimeout = World.Moment };
        _users = await TestUsers.CreateAsync();
        _codes = new CodeServer();
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    [TestCase(TlsVersion.Tls12)]
    [TestCase(TlsVersion.Tls13)]
    public async Task A_password_and_then_a_code(TlsVersion version)
    {
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Credentials = Alice().Then(new CodeClient("111111")) },
            _world.ServerOptions with { Credentials = Policy(), MaximumTlsVersion = version });

        ends.Server.Accepted.Session.TlsVersion.Should().Be(version);
        var user = ends.Server.Accepted.Peer.User!;
        (user.Name, user.Mechanism, user.NotAfter).Should().Be(("alice", "SCRAM-SHA-256-PLUS", null));
        user.Mechanisms.Should().Equal("SCRAM-SHA-256-PLUS", CodeServer.Name);
        user.Proofs.Should().Be(PeerProofs.Password | PeerProofs.ChannelBinding | PeerProofs.OneTimeCode);
        ends.Client.Accepted.Peer.Proofs.Should().Be(PeerProofs.Certificate | PeerProofs.Password | PeerProofs.ChannelBinding);
        ends.Server.Accepted.Peer.ToClaimsPrincipal().FindAll(System.Security.Claims.ClaimTypes.AuthenticationMethod)
            .Select(claim => claim.Value).Should().Equal(user.Mechanisms);
        await ends.Client.Accepted.Stream.WriteAsync(new byte[] { 7 });
        var buffer = new byte[1];
        await ends.Server.Accepted.Stream.ReadExactlyAsync(buffer).AsTask().WaitAsync(ConnectedPair.Deadline);
        buffer.Should().Equal(7);
    }

    [TestCase("wrong", "111111", RejectionReason.CredentialsWrong, 0)]
    [TestCase("right", "999999", RejectionReason.SecondFactorWrong, 1)]
    [TestCase("right", "333333", RejectionReason.SecondFactorWrong, 1, TestName = "The code of another user is a wrong one")]
    public async Task Each_wrong_exchange_refuses_and_says_no_more_than_that_the_credentials_are_wrong(
        string password, string code, RejectionReason reason, int judged)
    {
        await using var ends = await ConnectAsync(Login.WithPassword("alice", password).Then(new CodeClient(code)));

        ends.Server.Refusal.Reason.Should().Be(reason);
        ends.Client.Refusal.PeerReason.Should().Be(PublicReason.CredentialsWrong);
        _codes.Judged.Should().Be(judged);
    }

    [Test]
    public async Task A_code_counts_once()
    {
        await using var first = await ConnectAsync(Alice().Then(new CodeClient("111111")));
        await using var again = await ConnectAsync(Alice().Then(new CodeClient("111111")));
        await using var next = await ConnectAsync(Alice().Then(new CodeClient("222222")));

        first.Server.Accepted.Peer.User!.Name.Should().Be("alice");
        again.Server.Refusal.Reason.Should().Be(RejectionReason.SecondFactorReused);
        next.Server.Accepted.Peer.User!.Name.Should().Be("alice");
    }

    [Test]
    public async Task A_user_without_the_factor_is_refused()
    {
        _codes.Codes.Remove("alice");
        await using var ends = await ConnectAsync(Alice().Then(new CodeClient("111111")));

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.SecondFactorMissing);
        ends.Client.Refusal.PeerReason.Should().Be(PublicReason.CredentialsWrong);
    }

    [Test]
    public async Task A_client_without_the_factor_leaves_and_says_what_is_asked_for()
    {
        await using var ends = await ConnectAsync(Alice());

        ends.Client.Refusal.Reason.Should().Be(RejectionReason.SecondFactorUnavailable);
        ends.Client.Refusal.Rejection.Expected.Should().Contain(CodeServer.Name);
        ends.Server.Refusal.Reason.Should().Be(RejectionReason.RefusedByPeer);
    }

    [Test]
    public async Task A_client_with_another_factor_leaves_and_is_not_asked_for_it()
    {
        var key = new CodeClient("key", "TEST-KEY");
        await using var ends = await ConnectAsync(Alice().Then(key));

        ends.Client.Refusal.Reason.Should().Be(RejectionReason.SecondFactorUnavailable);
        key.Asked.Should().Be(0);
    }

    [Test]
    public async Task A_second_factor_is_not_asked_for_where_the_server_does_not_want_it()
    {
        var code = new CodeClient("111111");
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Credentials = Alice().Then(code) },
            _world.ServerOptions with { Credentials = Require.CertificateAndUser(SaslServer.Scram(_users)) });

        ends.Server.Accepted.Peer.User!.Mechanisms.Should().HaveCount(1);
        code.Asked.Should().Be(0);
    }

    [TestCase("bob", null)]
    [TestCase("alice", "company")]
    public async Task The_exchanges_of_a_login_are_of_one_user_who_acts_as_one(string named, string? actsAs)
    {
        _codes = new CodeServer { Claims = named, AuthorizationIdentity = actsAs };
        var notes = new NotingLimiter();
        await using var ends = await ConnectAsync(
            Alice().Then(new CodeClient("111111")), Policy() with { MayActAs = (_, _) => true, AttemptLimiter = notes });

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.AnotherUser);
        notes.Outcomes[^1].Should().Be((notes.Attempts[^1], AttemptOutcome.Failed));
        notes.Attempts.Should().OnlyContain(attempt => attempt.UserName == "alice");
    }

    [Test]
    public async Task A_further_exchange_with_a_name_of_its_own_must_name_the_same_user()
    {
        var policy = Require.CertificateAndUser(SaslServer.Scram(_users)) with
        {
            SecondFactors = [SaslServer.PasswordsInPlain(await TestUsers.CreateAsync()), _codes],
            LoginFactors = s_passwordAndCode,
        };
        // PLAIN cannot help to meet the requirement: only the code is offered.
        await using var ends = await ConnectAsync(
            Alice().Then([.. Login.DangerouslyWithPasswordInPlain("bob", Password.From("battery")).Mechanisms, new CodeClient("111111")]), policy);

        ends.Server.Accepted.Peer.User!.Mechanisms.Should().Equal("SCRAM-SHA-256-PLUS", CodeServer.Name);
    }

    [TestCase("alice", "right", null)]
    [TestCase("bob", "battery", RejectionReason.AnotherUser)]
    public async Task A_token_and_then_the_password_of_the_same_user(string user, string password, RejectionReason? reason)
    {
        var policy = Require.CertificateAndUser(SaslServer.DangerouslyUnboundTokens(new AliceToken())) with
        {
            SecondFactors = [SaslServer.Scram(_users)],
            LoginFactors = FactorRequirement.Proofs(PeerProofs.Token | PeerProofs.Password),
            DecoyIterations = ScramVerifier.MinIterations,
        };
        await using var ends = await ConnectAsync(
            Login.WithToken("good").Then(Login.WithPassword(user, password).Mechanisms), policy);

        (ends.Server.Failure as HandshakeException)?.Reason.Should().Be(reason);
        (ends.Server.Connection is not null).Should().Be(reason is null);
        ends.Server.Connection?.Peer.User!.NotAfter.Should().Be(AliceToken.NotAfter);
    }

    [Test]
    public async Task Proofs_are_united_facts_concatenated_and_the_earliest_date_counts()
    {
        _codes = new CodeServer { NotAfter = AliceToken.NotAfter.AddDays(-1) };
        var keys = new CodeServer("TEST-KEY", PeerProofs.Passkey | PeerProofs.UserVerification) { NotAfter = AliceToken.NotAfter };
        var policy = Policy() with
        {
            SecondFactors = [_codes, keys],
            LoginFactors = FactorRequirement.Proofs(PeerProofs.Password | PeerProofs.OneTimeCode | PeerProofs.Passkey),
        };
        await using var ends = await ConnectAsync(Alice().Then(new CodeClient("111111", "TEST-KEY"), new CodeClient("111111")), policy);

        var user = ends.Server.Accepted.Peer.User!;
        user.Mechanisms.Should().Equal("SCRAM-SHA-256-PLUS", "TEST-KEY", CodeServer.Name); // the client chooses among what is offered
        user.NotAfter.Should().Be(AliceToken.NotAfter.AddDays(-1));
        user.Proofs.Should().HaveFlag(PeerProofs.UserVerification | PeerProofs.OneTimeCode | PeerProofs.Password);
        user.Facts.Should().HaveCount(1);
    }

    [Test]
    public async Task A_policy_that_this_connection_cannot_meet_refuses_and_does_not_tell_that_the_password_was_right()
    {
        var policy = Policy() with { SecondFactors = [new Nameless(_codes)] };
        await using var ends = await ConnectAsync(Alice().Then(new CodeClient("111111")), policy);

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.SecondFactorMissing);
        ends.Client.Refusal.PeerReason.Should().Be(PublicReason.CredentialsWrong);
    }

    [Test]
    public async Task Two_kinds_are_not_two_of_one_kind()
    {
        var policy = Policy() with { LoginFactors = FactorRequirement.TwoKinds };
        await using var both = await ConnectAsync(Alice().Then(new CodeClient("111111")), policy);
        var knowledge = policy with { SecondFactors = [new CodeServer("TEST-KEY", PeerProofs.Kerberos), _codes] };
        await using var one = await ConnectAsync(Alice().Then(new CodeClient("111111", "TEST-KEY")), knowledge);

        both.Server.Accepted.Peer.User!.Mechanisms.Should().HaveCount(2);
        one.Client.Refusal.Reason.Should().Be(RejectionReason.SecondFactorUnavailable);
    }

    // ---- Counts ----

    [Test]
    public async Task A_right_password_with_wrong_codes_runs_into_the_limits()
    {
        var policy = Policy() with { AttemptLimiter = new BackoffAttemptLimiter(new FakeTimeProvider()) };
        for (var guess = 0; guess < 6; guess++)
        {
            await using var wrong = await ConnectAsync(Alice().Then(new CodeClient($"{guess}")), policy);
            wrong.Server.Refusal.Reason.Should().Be(RejectionReason.SecondFactorWrong);
        }

        await using var right = await ConnectAsync(Alice().Then(new CodeClient("111111")), policy);

        right.Server.Refusal.Reason.Should().Be(RejectionReason.AttemptsLimited);
        right.Client.Refusal.PeerReason.Should().Be(PublicReason.TryAgainLater);
    }

    [TestCase(2, true)]
    [TestCase(3, false)]
    public async Task Only_the_whole_login_clears_the_failures_in_a_row(int wrongCodes, bool isIn)
    {
        var policy = Policy() with { MaxConsecutiveFailures = 3, AttemptLimiter = new NotingLimiter() };
        for (var guess = 0; guess < wrongCodes; guess++)
        {
            await using var wrong = await ConnectAsync(Alice().Then(new CodeClient($"{guess}")), policy);
            wrong.Server.Failure.Should().NotBeNull();
        }

        await using var right = await ConnectAsync(Alice().Then(new CodeClient("111111")), policy);
        (right.Server.Connection is not null).Should().Be(isIn);
        (right.Server.Failure as HandshakeException)?.Reason.Should().Be(RejectionReason.AttemptsLimited);
        if (isIn)
        {
            (await _users.FindFailuresAsync("alice")).Should().Be(0);
        }
    }

    [Test]
    public async Task The_limiter_hears_of_a_success_once_and_of_the_password_alone_never()
    {
        var notes = new NotingLimiter();
        await using var wrong = await ConnectAsync(Alice().Then(new CodeClient("0")), Policy() with { AttemptLimiter = notes });
        notes.Outcomes.Select(end => end.Outcome).Should().Equal(AttemptOutcome.Abandoned, AttemptOutcome.Abandoned, AttemptOutcome.Failed);

        await using var right = await ConnectAsync(Alice().Then(new CodeClient("111111")), Policy() with { AttemptLimiter = notes });
        notes.Outcomes.Skip(3).Select(end => end.Outcome).Should().Equal(
            AttemptOutcome.Abandoned, AttemptOutcome.Abandoned, AttemptOutcome.Succeeded);
        notes.Outcomes.Length.Should().Be(notes.Attempts.Length);
    }

    [Test]
    public async Task Guesses_at_one_moment_are_not_judged_beyond_the_free_ones()
    {
        var policy = Policy() with { AttemptLimiter = new BackoffAttemptLimiter(new FakeTimeProvider()) };

        var ends = await Task.WhenAll(Enumerable.Range(0, 24).Select(guess => ConnectAsync(Alice().Then(new CodeClient($"{guess}")), policy)));

        ends.Should().OnlyContain(pair => pair.Server.Connection == null);
        _codes.Judged.Should().BeLessThanOrEqualTo(6);
        foreach (var pair in ends)
        {
            await pair.DisposeAsync();
        }
    }

    private static ClientCredentials Alice() => Login.WithPassword("alice", "right");

    private CredentialPolicy Policy() => Require.CertificateAndUser(SaslServer.Scram(_users)) with
    {
        SecondFactors = [_codes],
        LoginFactors = s_passwordAndCode,
        DecoyIterations = ScramVerifier.MinIterations,
    };

    private Task<ConnectedPair> ConnectAsync(ClientCredentials credentials, CredentialPolicy? policy = null) => ConnectedPair.ShakeAsync(
        _world.ClientOptions with { Credentials = credentials }, _world.ServerOptions with { Credentials = policy ?? Policy() });

    private sealed class AliceToken : ITokenValidator
    {
        internal static readonly DateTimeOffset NotAfter = DateTimeOffset.UtcNow.AddDays(2);

        public ValueTask<TokenVerdict> ValidateAsync(string token, System.Net.IPAddress? remoteAddress, CancellationToken cancellationToken) =>
            ValueTask.FromResult(TokenVerdict.Valid("alice", null, notAfter: NotAfter));
    }

    /// <summary>A mechanism that has no name on any connection.</summary>
    private sealed class Nameless(ISaslServerMechanism inner) : ISaslServerMechanism
    {
        public PeerProofs MayProve => inner.MayProve;

        public IEnumerable<string> NamesFor(SaslServerContext context) => [];

        public ISaslServerExchange Begin(string name, SaslServerContext context) => inner.Begin(name, context);
    }
}
