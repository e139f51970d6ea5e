using Microsoft.Extensions.Time.Testing;
using MutualAuth.Audit;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>A user logs in once, gets a reconnect credential, and comes back with it, over real connections.</summary>
[CancelAfter(60000)]
public sealed class ReconnectTests
{
    private World _world = null!;
    private FakeTimeProvider _clock = null!;
    private MemoryCredentialStore _users = null!;
    private ReconnectCredentials _reconnects = null!;
    private HeldReconnectCredential _held = null!;
    private RecordingSink _sink = null!;

    [SetUp]
    public async Task SetUp()
    {
        _world = new World { CloseTimeout = World.Moment };
        _clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        _users = await TestUsers.CreateAsync();
        _reconnects = new ReconnectCredentials(new ReconnectCredentialsOptions { Server = "vpn.test", Store = _users, TimeProvider = _clock });
        _held = new HeldReconnectCredential(_clock);
        _sink = new RecordingSink();
    }

    [TearDown]
    public void TearDown()
    {
        _held.Dispose();
        _reconnects.Dispose();
        _world.Dispose();
    }

    [TestCase(TlsVersion.Tls12)]
    [TestCase(TlsVersion.Tls13)]
    public async Task Who_has_logged_in_comes_back_without_the_password(TlsVersion version)
    {
        var server = Server() with { MaximumTlsVersion = version };
        await using var first = await ConnectAsync(Alice(), server);
        await HandOverAsync(first);

        await using var second = await ConnectAsync(Login.WithPassword("alice", "forgotten").Reconnecting(_held), server);

        first.Server.Accepted.Peer.User!.Mechanisms.Should().Equal("SCRAM-SHA-256-PLUS");
        var user = second.Server.Accepted.Peer.User!;
        user.Name.Should().Be("alice");
        user.NotAfter.Should().BeCloseTo(first.Server.Accepted.OpenedAt + TimeSpan.FromHours(8), TimeSpan.FromMilliseconds(1));
        user.Mechanisms.Should().Equal("RECONNECT-PLUS");
        second.Server.Accepted.Peer.Proofs.Should().Be(
            PeerProofs.Certificate | PeerProofs.Password | PeerProofs.ChannelBinding | PeerProofs.ReconnectCredential);
        second.Client.Accepted.Peer.Proofs.Should().HaveFlag(PeerProofs.ReconnectCredential);
        second.Server.Accepted.ValidUntil.Should().Be(user.NotAfter, "a connection ends with the credential that opened it");
    }

    [Test]
    public async Task Refused_the_client_forgets_it_and_logs_in_in_full()
    {
        await using var first = await ConnectAsync(Alice());
        await HandOverAsync(first);
        _reconnects.RotateKey();
        _reconnects.RotateKey();

        await using var refused = await ConnectAsync(Alice());
        _held.Forget();
        await using var full = await ConnectAsync(Alice());

        refused.Server.Refusal.Reason.Should().Be(RejectionReason.ReconnectCredentialNoLongerValid);
        refused.Client.Refusal.PeerReason.Should().Be(PublicReason.CredentialsWrong);
        full.Server.Accepted.Peer.User!.Mechanisms.Should().Equal("SCRAM-SHA-256-PLUS");
    }

    [Test]
    public async Task A_thief_with_another_certificate_learns_that_the_credentials_are_wrong()
    {
        await using var first = await ConnectAsync(Alice());
        var octets = await HandOverAsync(first);
        using var other = _world.Authority.IssueClient("thief.test");
        var identity = World.ToIdentity(other);

        // A client that follows the rules does not show it with another key: the thief writes its own key where the owner's was.
        System.Security.Cryptography.SHA256.HashData(identity.Certificate.SubjectPublicKeyInfo.Span).CopyTo(octets.AsSpan(1 + 8));
        _held.Receive(first.Client.Accepted.Peer, octets).Should().BeTrue();
        await using var stolen = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Identity = identity, Credentials = Alice() }, Server());

        stolen.Server.Refusal.Reason.Should().Be(RejectionReason.ReconnectCredentialNotBound);
        stolen.Client.Refusal.PeerReason.Should().Be(PublicReason.CredentialsWrong);
    }

    [Test]
    public async Task Without_a_certificate_it_is_neither_offered_nor_shown()
    {
        await using var first = await ConnectAsync(Alice());
        await HandOverAsync(first);
        var either = Server() with
        {
            Credentials = Require.CertificateOrUser(SaslServer.Scram(_users), _reconnects.Mechanism),
        };

        await using var naked = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Identity = ClientIdentity.None, Credentials = Alice() }, either);

        naked.Server.Accepted.Peer.User!.Mechanisms.Should().Equal("SCRAM-SHA-256-PLUS");
        var issue = await naked.Server.Accepted.IssueReconnectCredentialAsync(_reconnects);
        (issue.Octets, issue.Rejection!.Reason).Should().Be((null, RejectionReason.ReconnectCredentialUnavailable));
    }

    [TestCase("another password", RejectionReason.PasswordChanged)]
    [TestCase("disabled", RejectionReason.UserDisabled)]
    [TestCase("removed", RejectionReason.UserRemoved)]
    [TestCase("a new factor", RejectionReason.ReconnectCredentialRevoked)]
    [TestCase("revoked", RejectionReason.ReconnectCredentialRevoked)]
    public async Task The_connection_that_it_opened_ends_with_it_and_the_one_of_the_full_login_only_where_that_is_lost(
        string what, RejectionReason reason)
    {
        await using var first = await ConnectAsync(Alice());
        await HandOverAsync(first);
        await using var second = await ConnectAsync(Alice());
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = second.Server.Accepted.NoLongerValid.Register(ended.SetResult);
        var firstEnded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var firstRegistration = first.Server.Accepted.NoLongerValid.Register(firstEnded.SetResult);

        await (what switch
        {
            "another password" => _users.SetAsync("alice", Sasl("other")).AsTask(),
            "disabled" => _users.SetDisabledAsync("alice", true).AsTask(),
            "removed" => _users.RemoveAsync("alice").AsTask(),
            "a new factor" => _users.SetFactorAsync("alice", new StoredFactor("tablet", "totp", "x")).AsTask(),
            _ => _reconnects.RevokeAsync("alice").AsTask(),
        });

        await ended.Task.WaitAsync(ConnectedPair.Deadline);
        second.Server.Accepted.Invalidation!.Rejection.Reason.Should().Be(reason);
        if (reason == RejectionReason.ReconnectCredentialRevoked)
        {
            first.Server.Accepted.Invalidation.Should().BeNull();
        }
        else
        {
            await firstEnded.Task.WaitAsync(ConnectedPair.Deadline);
            first.Server.Accepted.Invalidation!.Rejection.Reason.Should().Be(reason);
        }

        (await second.Server.Accepted.IssueReconnectCredentialAsync(_reconnects)).Octets.Should().BeNull();
    }

    [Test]
    public async Task At_its_end_the_connection_that_it_opened_ends_unless_the_user_logs_in_again()
    {
        await using var first = await ConnectAsync(Alice());
        await HandOverAsync(first);
        await using var second = await ConnectAsync(Alice());
        var connection = second.Server.Accepted;
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = connection.NoLongerValid.Register(ended.SetResult);

        _clock.Advance(TimeSpan.FromHours(8));
        await ended.Task.WaitAsync(ConnectedPair.Deadline);

        connection.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.TokenExpired);
        await using var again = connection.BeginReauthentication();
        using var answers = second.Client.Accepted.AnswerReauthentication(Alice());
        await StepUpWire.RunAsync(again, answers);
        again.Rejection.Should().BeNull();
        connection.Invalidation.Should().BeNull();
        connection.Peer.User!.NotAfter.Should().BeNull("the login of now relies on no credential");
    }

    [Test]
    public async Task It_answers_neither_a_step_up_nor_a_reauthentication()
    {
        await using var first = await ConnectAsync(Alice());
        await HandOverAsync(first);
        await using var second = await ConnectAsync(Alice());
        await using var stepUp = second.Server.Accepted.BeginStepUp([1, 2, 3]);
        await using var again = second.Server.Accepted.BeginReauthentication();

        stepUp.Mechanisms.Should().Equal("SCRAM-SHA-256-PLUS");
        again.Mechanisms.Where(name => !name.StartsWith("N-", StringComparison.Ordinal)).Should().Equal("SCRAM-SHA-256-PLUS");
        using var exchange = _held.Mechanism.Begin("RECONNECT-PLUS", ClientContext(second));
        var shown = (await exchange.StartAsync(default))!.Value.ToArray();
        await stepUp.AnswerAsync(StepUpWire.Start("RECONNECT-PLUS", shown));
        await again.AnswerAsync(StepUpWire.Start("RECONNECT-PLUS", shown));
        (stepUp.Rejection!.Reason, again.Rejection!.Reason).Should().Be(
            (RejectionReason.MechanismUnavailable, RejectionReason.MechanismUnavailable));
    }

    [Test]
    public async Task A_client_that_is_asked_for_it_in_a_step_up_does_not_show_it()
    {
        await using var first = await ConnectAsync(Alice());
        await HandOverAsync(first);
        using var answers = first.Client.Accepted.AnswerStepUp(Alice(), [1]);
        using var renewal = first.Client.Accepted.AnswerReauthentication(Alice());

        await answers.AnswerAsync(StepUpWire.Mechanisms("RECONNECT-PLUS"));
        await renewal.AnswerAsync(StepUpWire.Mechanisms("RECONNECT-PLUS"));

        (answers.Rejection!.Reason, renewal.Rejection!.Reason).Should().Be(
            (RejectionReason.MechanismUnavailable, RejectionReason.MechanismUnavailable));
    }

    [Test]
    public async Task The_auditor_is_told_when_it_is_issued_used_and_refused()
    {
        await using var first = await ConnectAsync(Alice());
        var octets = await HandOverAsync(first);
        await using var second = await ConnectAsync(Alice());
        await _reconnects.RevokeAsync("alice");
        await using var third = await ConnectAsync(Alice());
        await first.Server.Accepted.IssueReconnectCredentialAsync(_reconnects);

        var issued = await _sink.NextAsync(AuditKinds.ReconnectIssued);
        (issued.Connection, RecordingSink.Detail(issued, "user"), RecordingSink.Detail(issued, "mechanisms")).Should().Be(
            (first.Server.Accepted.Id, "\"alice\"", "SCRAM-SHA-256-PLUS"));
        var used = await _sink.NextAsync(AuditKinds.LoginAccepted);
        (used.Connection, RecordingSink.Detail(used, "mechanisms")).Should().Be((second.Server.Accepted.Id, "RECONNECT-PLUS"));
        var refused = await _sink.NextAsync(AuditKinds.LoginRefused);
        RecordingSink.Detail(refused, "reason").Should().Be("reconnect_credential_no_longer_valid");
        var notIssued = await _sink.NextAsync(AuditKinds.ReconnectNotIssued);
        RecordingSink.Detail(notIssued, "reason").Should().Be("reconnect_credential_revoked");
        var secret = Convert.ToHexString(octets.AsSpan(1 + 8 + 32, 32));
        _sink.All.Should().NotContain(what => $"{what.Text} {string.Join(' ', what.Details)}".Contains(secret, StringComparison.OrdinalIgnoreCase));
    }

    [Test]
    public async Task One_that_the_auditor_cannot_be_told_of_is_not_issued()
    {
        await using var first = await ConnectAsync(Alice());
        _sink.Instead = (what, _) => what.What == AuditKinds.ReconnectIssued ? Task.FromException(new IOException()) : null;

        var issue = await first.Server.Accepted.IssueReconnectCredentialAsync(_reconnects);

        (issue.Octets, issue.NotAfter, issue.Rejection!.Reason).Should().Be((null, null, RejectionReason.AuditNotRecorded));
    }

    [Test]
    public async Task A_connection_that_is_over_gets_none()
    {
        await using var first = await ConnectAsync(Alice());
        first.Server.Accepted.Abort();

        (await first.Server.Accepted.IssueReconnectCredentialAsync(_reconnects)).Rejection!.Reason.Should().Be(
            RejectionReason.ReconnectCredentialUnavailable);
    }

    [Test]
    public async Task Where_it_cannot_be_used_asking_for_one_is_a_fault_of_the_program()
    {
        await using var first = await ConnectAsync(Alice());
        using var another = new ReconnectCredentials(new ReconnectCredentialsOptions { Server = "vpn.test", Store = _users });
        Func<Task> atTheClient = async () => await first.Client.Accepted.IssueReconnectCredentialAsync(_reconnects);
        Func<Task> ofAnother = async () => await first.Server.Accepted.IssueReconnectCredentialAsync(another);
        Func<Task> ofNone = async () => await first.Server.Accepted.IssueReconnectCredentialAsync(null!);

        await atTheClient.Should().ThrowAsync<InvalidOperationException>();
        await ofAnother.Should().ThrowAsync<InvalidOperationException>();
        await ofNone.Should().ThrowAsync<ArgumentNullException>();
    }

    private static ScramVerifier Sasl(string password) =>
        ScramVerifier.Create(Password.From(password), iterations: ScramVerifier.MinIterations);

    private static SaslClientContext ClientContext(ConnectedPair ends) =>
        new(ends.Client.Accepted.Peer, ChannelBinding.OfServerCertificate(ends.Client.Accepted.Peer.Certificate!), []);

    private ClientCredentials Alice() => Login.WithPassword("alice", "right").Reconnecting(_held);

    private MutualTlsServerOptions Server() => _world.ServerOptions with
    {
        Credentials = Require.CertificateAndUser(SaslServer.Scram(_users), _reconnects.Mechanism),
        TimeProvider = _clock,
        Audit = _sink.Policy,
    };

    private Task<ConnectedPair> ConnectAsync(ClientCredentials credentials, MutualTlsServerOptions? server = null) =>
        ConnectedPair.ShakeAsync(_world.ClientOptions with { Credentials = credentials }, server ?? Server());

    /// <summary>The server's application sends it, and the client's receives it.</summary>
    private async Task<byte[]> HandOverAsync(ConnectedPair ends)
    {
        var issue = await ends.Server.Accepted.IssueReconnectCredentialAsync(_reconnects);
        issue.Rejection.Should().BeNull();
        var octets = new byte[issue.Octets!.Length];
        await ends.Server.Accepted.Stream.WriteAsync(issue.Octets);
        await ends.Client.Accepted.Stream.ReadExactlyAsync(octets).AsTask().WaitAsync(ConnectedPair.Deadline);
        _held.Receive(ends.Client.Accepted.Peer, octets).Should().BeTrue();
        return octets;
    }
}
