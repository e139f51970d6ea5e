using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>Logging in within the handshake: each acceptance beside the neighbour that differs in one fact, and both ends know.</summary>
[CancelAfter(60000)]
public sealed class LoginTests
{
    private const int Iterations = 4096;

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
    public async Task A_device_and_its_user_are_let_in_together([Values] TlsVersion version)
    {
        await using var ends = await ConnectedPair.ShakeAsync(Client("alice", "right", version), Server(Require.CertificateAndUser(Scram())));

        ends.Client.Accepted.IsConfirmed.Should().BeTrue();
        ends.Server.Accepted.Peer.User!.Name.Should().Be("alice");
        ends.Server.Accepted.Peer.Certificate!.DnsNames.Should().Equal("client.test");
    }

    [TestCase("alice", "wrong", TestName = "A wrong password is told to both ends")]
    [TestCase("mallory", "right", TestName = "A user who does not exist is told the same as a wrong password")]
    public async Task Wrong_credentials_keep_a_client_out(string user, string password)
    {
        await using var ends = await ConnectedPair.ShakeAsync(Client(user, password), Server(Require.CertificateAndUser(Scram())));

        (ends.Server.Refusal.Failure, ends.Server.Refusal.Reason).Should().Be((HandshakeFailure.PeerRejected, RejectionReason.CredentialsWrong));
        (ends.Client.Refusal.Failure, ends.Client.Refusal.PeerReason).Should().Be((HandshakeFailure.RefusedByPeer, PublicReason.CredentialsWrong));
    }

    [Test]
    public async Task A_disabled_user_is_told_no_more_than_that()
    {
        await _users.SetDisabledAsync("alice", isDisabled: true);

        await using var ends = await ConnectedPair.ShakeAsync(Client("alice", "right"), Server(Require.CertificateAndUser(Scram())));

        ends.Client.Refusal.PeerReason.Should().Be(PublicReason.CredentialsWrong);
    }

    [Test]
    public async Task The_device_alone_is_refused_where_its_user_is_required()
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, Server(Require.CertificateAndUser(Scram())));

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.CredentialsRequired);
        ends.Client.Refusal.PeerReason.Should().Be(PublicReason.CredentialsRequired);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_user_without_a_certificate_is_let_in_where_a_user_is_required_and_not_where_both_are(bool both)
    {
        var client = Client("alice", "right") with { Identity = ClientIdentity.None };

        await using var ends = await ConnectedPair.ShakeAsync(client, Server(both ? Require.CertificateAndUser(Scram()) : Require.User(Scram())));

        if (both)
        {
            ends.Server.Refusal.Reason.Should().Be(RejectionReason.NoCertificate);
            ends.Client.Failure.Should().BeOfType<HandshakeException>();
        }
        else
        {
            ends.Server.Accepted.Peer.User!.Name.Should().Be("alice");
            ends.Server.Accepted.Peer.Certificate.Should().BeNull();
        }
    }

    [Test]
    public async Task A_client_that_wants_to_log_in_does_not_take_a_server_that_does_not_ask()
    {
        await using var ends = await ConnectedPair.ShakeAsync(Client("alice", "right"), Server(Require.Certificate));

        ends.Client.Failure.Should().BeOfType<HandshakeException>();
        ends.Server.Failure.Should().BeOfType<HandshakeException>();
    }

    [Test]
    public async Task A_peer_without_the_confirmation_protocol_cannot_log_in()
    {
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Confirmation = ConfirmationPolicy.Never }, Server(Require.CertificateAndUser(Scram())));

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.ConfirmationUnavailable);
        ends.Client.Failure.Should().BeOfType<HandshakeException>();
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Several_servers_over_one_store_are_no_several_chances(bool isOneStore)
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var others = new MemoryCredentialStore();
        await others.SetAsync("alice", ScramVerifier.Create(Password.From("right"), iterations: Iterations));
        var policy = Require.CertificateAndUser(Scram());
        for (var guess = 0; guess < 6; guess++)
        {
            await using var failed = await ConnectedPair.ShakeAsync(Client("alice", $"guess {guess}"), Server(policy) with { TimeProvider = clock });
            failed.Client.Refusal.PeerReason.Should().Be(PublicReason.CredentialsWrong);
        }

        var second = isOneStore ? Require.CertificateAndUser(Scram()) : Require.CertificateAndUser(SaslServer.Scram(others));
        await using var ends = await ConnectedPair.ShakeAsync(Client("alice", "right"), Server(second) with { TimeProvider = clock });

        (ends.Server.Failure as HandshakeException)?.Reason.Should().Be(RejectionReason.AttemptsLimited);
        (ends.Server.Connection is null).Should().Be(isOneStore);
    }

    [TestCase("right")]
    [TestCase("wrong")]
    public async Task A_right_password_of_a_user_of_another_device_is_told_like_a_wrong_one(string password)
    {
        var policy = Require.CertificateAndUser(Scram()) with { Users = UserRules.Named("bob") };

        await using var ends = await ConnectedPair.ShakeAsync(Client("alice", password), Server(policy));

        ends.Server.Refusal.Reason.Should().Be(password == "right" ? RejectionReason.UserNotAllowed : RejectionReason.CredentialsWrong);
        ends.Client.Refusal.PeerReason.Should().Be(PublicReason.CredentialsWrong);
    }

    [TestCase("right", true)]
    [TestCase("right", false)]
    [TestCase("wrong", true)]
    public async Task What_is_judged_after_a_password_is_told_like_a_wrong_one(string password, bool isRefused)
    {
        var server = Server(Require.CertificateAndUser(Scram())) with { AsyncValidators = isRefused ? [new Refuses()] : [] };

        await using var ends = await ConnectedPair.ShakeAsync(Client("alice", password), server);

        (ends.Client.Failure as HandshakeException)?.PeerReason.Should().Be(PublicReason.CredentialsWrong);
        (ends.Client.Connection is null).Should().Be(isRefused);
    }

    // That it is the server's fault, or too much for it now, says nothing of the password.
    [TestCase(RejectionReason.ValidatorRefused, PublicReason.CredentialsWrong)]
    [TestCase(RejectionReason.SourceFaulted, PublicReason.InternalError)]
    [TestCase(RejectionReason.ValidatorOverloaded, PublicReason.TryAgainLater)]
    public async Task What_is_the_servers_own_is_told_as_that(RejectionReason reason, PublicReason told)
    {
        var server = Server(Require.CertificateAndUser(Scram())) with { AsyncValidators = [new Refuses(reason)] };

        await using var ends = await ConnectedPair.ShakeAsync(Client("alice", "right"), server);

        ends.Client.Refusal.PeerReason.Should().Be(told);
    }

    [Test]
    public async Task A_source_of_tokens_that_fails_ends_the_login_and_its_words_go_nowhere()
    {
        var log = new Microsoft.Extensions.Logging.Testing.FakeLogCollector();
        using var loggers = new Microsoft.Extensions.Logging.LoggerFactory([new Microsoft.Extensions.Logging.Testing.FakeLoggerProvider(log)]);
        var client = _world.ClientOptions with
        {
            Credentials = Login.WithToken(_ => throw new InvalidOperationException("the secret")),
            LoggerFactory = loggers,
        };
        var policy = Require.CertificateAndUser(SaslServer.DangerouslyUnboundTokens(new NoToken()));

        await using var ends = await ConnectedPair.ShakeAsync(client, Server(policy));

        (ends.Client.Refusal.Failure, ends.Client.Refusal.Reason)
            .Should().Be((HandshakeFailure.PeerRejected, RejectionReason.CredentialCheckFaulted));
        ends.Server.Refusal.PeerReason.Should().Be(PublicReason.Refused);
        log.GetSnapshot().Should().ContainSingle(record => record.Id.Id == 1304);
        log.GetSnapshot().Should().NotContain(record => record.Message.Contains("the secret", StringComparison.Ordinal));
    }

    [TestCase("alice", true)]
    [TestCase("correct horse battery staple", false)]
    public async Task A_name_that_nobody_has_may_be_a_password_and_is_not_told_to_the_log(string typed, bool isKnown)
    {
        await using var ends = await ConnectedPair.ShakeAsync(Client(typed, "wrong"), Server(Require.CertificateAndUser(Scram())));

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.CredentialsWrong);
        ends.Server.Refusal.ToString().Contains(typed, StringComparison.Ordinal).Should().Be(isKnown);
    }

    [TestCase("alice", true)]
    [TestCase("bob", false)]
    public async Task Only_the_users_that_are_named_come_in(string named, bool comesIn)
    {
        var policy = Require.CertificateAndUser(Scram()) with { Users = UserRules.Named(named) };

        await using var ends = await ConnectedPair.ShakeAsync(Client("alice", "right"), Server(policy));

        if (comesIn)
        {
            ends.Server.Accepted.Peer.User!.Name.Should().Be("alice");
        }
        else
        {
            ends.Server.Refusal.Reason.Should().Be(RejectionReason.UserNotAllowed);
        }
    }

    private ISaslServerMechanism Scram() => SaslServer.Scram(_users);

    private MutualTlsClientOptions Client(string user, string password, TlsVersion version = TlsVersion.Tls13) => _world.ClientOptions with
    {
        Credentials = Login.WithPassword(user, password),
        MinimumTlsVersion = version,
        MaximumTlsVersion = version,
    };

    private MutualTlsServerOptions Server(CredentialPolicy policy) =>
        _world.ServerOptions with { Credentials = policy with { DecoyIterations = Iterations } };

    private sealed class NoToken : ITokenValidator
    {
        public ValueTask<TokenVerdict> ValidateAsync(string token, System.Net.IPAddress? remoteAddress, CancellationToken cancellationToken) =>
            ValueTask.FromResult(TokenVerdict.Invalid("a", "b"));
    }

    private sealed class Refuses(RejectionReason reason = RejectionReason.ValidatorRefused) : MutualAuth.Validation.IAsyncPeerValidator
    {
        public ValueTask<Rejection?> ExamineAsync(MutualAuth.AuthenticatedPeer peer, CancellationToken cancellationToken) =>
            ValueTask.FromResult<Rejection?>(new Rejection(reason, "a", "b"));
    }
}
