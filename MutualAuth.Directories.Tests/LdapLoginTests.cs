using System.Collections.Immutable;
using MutualAuth.Credentials;
using MutualAuth.Directories;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>Users of an OpenLDAP log in: the directory is real, and so are both ends.</summary>
[CancelAfter(120000)]
public sealed class LdapLoginTests
{
    private readonly TestAuthority _authority = new("Directory");
    private TextLog _log = null!;
    private TestPair _pair = null!;
    private Slapd _slapd = null!;
    private IAttemptLimiter? _limiter;

    [OneTimeSetUp]
    public async Task Start() => _slapd = await Slapd.StartAsync(_authority.IssueServer("localhost"));

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (_slapd is not null)
        {
            await _slapd.DisposeAsync();
        }

        _authority.Dispose();
    }

    [SetUp]
    public void SetUp()
    {
        _limiter = null;
        _log = new TextLog();
        _pair = new TestAuthority("Ends").CreatePair();
    }

    [TearDown]
    public void TearDown()
    {
        _pair.Dispose();
        _log.Dispose();
    }

    [TestCase("alice", "right", null)]
    [TestCase("smith, john", "comma", null)]
    [TestCase("a*", "star", null)]
    [TestCase("alice", "wrong", RejectionReason.CredentialsWrong)]
    [TestCase("nobody", "right", RejectionReason.CredentialsWrong)]
    [TestCase("Alice", "right", RejectionReason.CredentialsWrong, TestName = "Another spelling is another user")]
    [TestCase("twin", "right", RejectionReason.CredentialsWrong, TestName = "Two entries of one name let nobody in")]
    [TestCase("*", "right", RejectionReason.CredentialsWrong)]
    [TestCase("ali*", "right", RejectionReason.CredentialsWrong)]
    [TestCase("alice)(uid=*", "right", RejectionReason.CredentialsWrong)]
    [TestCase("alice,ou=people", "right", RejectionReason.CredentialsWrong)]
    [TestCase("locked", "right", RejectionReason.AccountLocked)]
    [TestCase("locked", "wrong", RejectionReason.AccountLocked)]
    [TestCase("expired", "right", RejectionReason.PasswordExpired)]
    [TestCase("expired", "wrong", RejectionReason.CredentialsWrong)]
    [TestCase("reset", "right", RejectionReason.PasswordExpired)]
    public async Task A_user_found_by_a_search_logs_in(string user, string password, RejectionReason? reason)
    {
        await using var directory = Verifier(Slapd.BySearch());

        await ShakeAsync(directory, user, password, reason);
    }

    [TestCase("alice", "right", null)]
    [TestCase("smith, john", "comma", null)]
    [TestCase("a*", "star", null)]
    [TestCase("alice", "wrong", RejectionReason.CredentialsWrong)]
    [TestCase("nobody", "right", RejectionReason.CredentialsWrong)]
    [TestCase("ALICE", "right", RejectionReason.CredentialsWrong)]
    [TestCase("alice ", "right", RejectionReason.CredentialsWrong)]
    [TestCase("*", "right", RejectionReason.CredentialsWrong)]
    [TestCase("alice,ou=people", "right", RejectionReason.CredentialsWrong)]
    [TestCase("twin,ou=other", "right", RejectionReason.CredentialsWrong, TestName = "No name leads into another branch")]
    [TestCase("locked", "right", RejectionReason.AccountLocked)]
    public async Task A_user_by_template_logs_in(string user, string password, RejectionReason? reason)
    {
        await using var directory = Verifier(LdapUsers.ByTemplate("uid={0}," + Slapd.Users));

        await ShakeAsync(directory, user, password, reason);
    }

    [Test]
    public async Task After_StartTLS_it_is_the_same()
    {
        await using var directory = Verifier(Slapd.BySearch(), new LdapServer("localhost", _slapd.PlainPort, LdapTls.StartTls));

        await ShakeAsync(directory, "alice", "right", null);
        await ShakeAsync(directory, "alice", "wrong", RejectionReason.CredentialsWrong);
    }

    [Test]
    public async Task An_empty_password_is_never_sent()
    {
        await using var directory = Verifier(Slapd.BySearch());
        var before = _slapd.Said.Length;

        await ShakeAsync(directory, new ByHand("\0alice\0"), RejectionReason.CredentialProtocolViolated, PublicReason.ProtocolError);

        _slapd.Said[before..].Should().NotContain("BIND");
    }

    [Test]
    public async Task A_server_of_another_authority_gets_no_name_and_no_password([Values] bool startTls)
    {
        using var other = new TestAuthority("Other");
        var server = startTls ? new LdapServer("localhost", _slapd.PlainPort, LdapTls.StartTls) : _slapd.Server;
        await using var directory = new LdapVerifier(Options(Slapd.BySearch(), server) with { Trust = other.ToTrustAnchors() });
        var before = _slapd.Said.Length;

        await ShakeAsync(directory, "alice", "right", RejectionReason.DirectoryUnavailable, PublicReason.TryAgainLater);

        _log.All.Should().Contain("unknown_authority");
        _slapd.Said[before..].Should().NotContain("BIND").And.NotContain("SRCH");
    }

    [Test]
    public async Task A_server_with_another_name_gets_no_password()
    {
        await using var directory = Verifier(Slapd.BySearch(), new LdapServer("127.0.0.1", _slapd.TlsPort));
        var before = _slapd.Said.Length;

        await ShakeAsync(directory, "alice", "right", RejectionReason.DirectoryUnavailable, PublicReason.TryAgainLater);

        _log.All.Should().Contain("server_name_mismatch");
        _slapd.Said[before..].Should().NotContain("BIND");
    }

    [Test]
    public async Task A_port_without_TLS_gets_nothing()
    {
        await using var directory = Verifier(Slapd.BySearch(), new LdapServer("localhost", _slapd.PlainPort));

        await ShakeAsync(directory, "alice", "right", RejectionReason.DirectoryUnavailable, PublicReason.TryAgainLater);
    }

    [Test]
    public async Task A_server_that_refuses_StartTLS_gets_nothing()
    {
        await using var plain = await Slapd.StartAsync(_authority.IssueServer("localhost"), withStartTls: false);
        await using var directory = Verifier(Slapd.BySearch(), new LdapServer("localhost", plain.PlainPort, LdapTls.StartTls));

        await ShakeAsync(directory, "alice", "right", RejectionReason.DirectoryUnavailable, PublicReason.TryAgainLater);

        plain.Said.Should().NotContain("BIND");
        _log.All.Should().Contain("refuses StartTLS");
    }

    [Test]
    public async Task A_service_account_that_is_refused_lets_nobody_in()
    {
        await using var directory = Verifier(Slapd.BySearch("another"));

        await ShakeAsync(directory, "alice", "right", RejectionReason.DirectoryUnavailable, PublicReason.TryAgainLater);
    }

    [Test]
    public async Task While_the_server_is_down_nobody_comes_in_and_afterwards_as_before()
    {
        await using var slapd = await Slapd.StartAsync(_authority.IssueServer("localhost"));
        await using var directory = Verifier(Slapd.BySearch(), slapd.Server);
        await ShakeAsync(directory, "alice", "right", null);

        await slapd.StopAsync();
        await ShakeAsync(directory, "alice", "right", RejectionReason.DirectoryUnavailable, PublicReason.TryAgainLater);
        await slapd.StartAgainAsync();
        await ShakeAsync(directory, "alice", "right", null);
        await ShakeAsync(directory, "alice", "wrong", RejectionReason.CredentialsWrong);

        _log.Events.Should().Contain([1340, 1342, 1341]);
    }

    [Test]
    public async Task A_second_server_answers_for_the_first()
    {
        await using var slapd = await Slapd.StartAsync(_authority.IssueServer("localhost"));
        await using var directory = Verifier(Slapd.BySearch(), slapd.Server, _slapd.Server);
        await ShakeAsync(directory, "alice", "right", null);

        await slapd.StopAsync();

        await ShakeAsync(directory, "alice", "right", null);
        await ShakeAsync(directory, "alice", "wrong", RejectionReason.CredentialsWrong);
    }

    [Test]
    public async Task A_server_that_hangs_cannot_hold_the_clients_deadline_up()
    {
        await using var slapd = await Slapd.StartAsync(_authority.IssueServer("localhost"));
        await using var directory = new LdapVerifier(Options(Slapd.BySearch(), slapd.Server) with { Timeout = TimeSpan.FromMinutes(5) });
        await ShakeAsync(directory, "alice", "right", null);
        slapd.Freeze();
        var pair = PairOf(directory, Plain("alice", "right"));
        pair = pair with { Server = pair.Server with { HandshakeTimeout = TimeSpan.FromSeconds(1) } };

        await using var outcome = await pair.ConnectAsync().WaitAsync(RunningProgram.Deadline);

        outcome.ServerFailure!.Reason.Should().Be(RejectionReason.HandshakeTimedOut);
        slapd.Thaw();
        await ShakeAsync(directory, "alice", "right", null);
    }

    [Test]
    public async Task A_server_that_hangs_is_left_after_its_timeout()
    {
        await using var slapd = await Slapd.StartAsync(_authority.IssueServer("localhost"));
        await using var directory = new LdapVerifier(
            Options(Slapd.BySearch(), slapd.Server, _slapd.Server) with { Timeout = TimeSpan.FromSeconds(1) });
        await ShakeAsync(directory, "alice", "right", null);
        slapd.Freeze();

        await ShakeAsync(directory, "alice", "right", null);
    }

    [Test]
    public async Task Two_hundred_log_in_at_once_over_eight_connections()
    {
        await using var directory = new LdapVerifier(Options(Slapd.BySearch(), _slapd.Server) with { Timeout = RunningProgram.Deadline });
        var patient = TimeSpan.FromMinutes(1);
        _pair = _pair with
        {
            Client = _pair.Client with { HandshakeTimeout = patient },
            Server = _pair.Server with { HandshakeTimeout = patient },
        };
        _limiter = new Unlimited();

        await Task.WhenAll(Enumerable.Range(0, 200).Select(number => ShakeAsync(directory, $"user{number}", "right", null)));

        directory.MostOpen.Should().BeLessThanOrEqualTo(8);
    }

    [Test]
    public async Task Where_too_many_wait_further_ones_are_refused_and_may_come_again()
    {
        await using var slapd = await Slapd.StartAsync(_authority.IssueServer("localhost"));
        await using var directory = new LdapVerifier(
            Options(Slapd.BySearch(), slapd.Server) with { MaxConnections = 1, MaxWaiting = 0, Timeout = TimeSpan.FromMinutes(1) });
        slapd.Freeze();
        using var password = Password.From("right");
        var first = directory.VerifyAsync("alice", password, default).AsTask();

        await ShakeAsync(directory, "bob", "right", RejectionReason.CredentialCheckOverloaded, PublicReason.TryAgainLater);

        slapd.Thaw();
        await first.WaitAsync(RunningProgram.Deadline);
        await ShakeAsync(directory, "bob", "right", null);
    }

    [Test]
    public async Task Guesses_are_counted_before_the_directory_is_asked()
    {
        await using var directory = Verifier(Slapd.BySearch());
        var policy = Require.CertificateAndUser(SaslServer.PasswordsInPlain(directory));
        var server = _pair with { Server = _pair.Server with { Credentials = policy } };
        var reasons = new List<RejectionReason>();
        for (var attempt = 0; attempt < 8; attempt++)
        {
            await using var outcome = await (server with
            {
                Client = _pair.Client with { Credentials = Plain("bob", "guess") },
            }).ConnectAsync().WaitAsync(RunningProgram.Deadline);
            reasons.Add(outcome.ServerFailure!.Reason);
        }

        reasons.Should().Contain(RejectionReason.CredentialsWrong);
        reasons[^1].Should().Be(RejectionReason.AttemptsLimited);
    }

    [Test]
    public async Task A_login_is_good_for_as_long_as_the_options_say()
    {
        await using var directory = new LdapVerifier(Options(Slapd.BySearch(), _slapd.Server) with { LoginLifetime = TimeSpan.FromHours(1) });
        await using var outcome = await PairOf(directory, Plain("alice", "right")).ConnectAsync().WaitAsync(RunningProgram.Deadline);

        outcome.Server!.Peer.User!.NotAfter.Should().BeCloseTo(DateTimeOffset.UtcNow + TimeSpan.FromHours(1), TimeSpan.FromMinutes(5));
    }

    private static ClientCredentials Plain(string user, string password) => Login.With(new ByHand($"\0{user}\0{password}"));

    private LdapVerifier Verifier(LdapUsers users, params ImmutableArray<LdapServer> servers) => new(Options(users, servers));

    private LdapVerifierOptions Options(LdapUsers users, params ImmutableArray<LdapServer> servers) => new()
    {
        Servers = servers.IsEmpty ? [_slapd.Server] : servers,
        Trust = _authority.ToTrustAnchors(),
        Users = users,
        LoggerFactory = _log,
    };

    private TestPair PairOf(LdapVerifier directory, ClientCredentials credentials) => _pair with
    {
        Server = _pair.Server with
        {
            Credentials = Require.CertificateAndUser(SaslServer.PasswordsInPlain(directory)) with { AttemptLimiter = _limiter },
            LoggerFactory = _log,
        },
        Client = _pair.Client with { Credentials = credentials },
    };

    private Task ShakeAsync(
        LdapVerifier directory, string user, string password, RejectionReason? reason, PublicReason told = PublicReason.CredentialsWrong) =>
        ShakeAsync(directory, new ByHand($"\0{user}\0{password}"), reason, told, user);

    private async Task ShakeAsync(LdapVerifier directory, ByHand client, RejectionReason? reason, PublicReason told, string? user = null)
    {
        await using var outcome = await PairOf(directory, Login.With(client)).ConnectAsync().WaitAsync(RunningProgram.Deadline);

        outcome.ServerFailure?.Reason.Should().Be(reason, outcome.ToString());
        if (reason is null)
        {
            outcome.ServerFailure.Should().BeNull();
            outcome.Server!.Peer.User!.Name.Should().Be(user);
            outcome.Server.Peer.Proofs.Should().HaveFlag(PeerProofs.Password);
        }
        else
        {
            outcome.ServerFailure.Should().NotBeNull();
            outcome.ClientFailure!.PeerReason.Should().Be(told);
        }

        _log.All.Should().NotContain("right\"").And.NotContain(Slapd.AccountPassword);
        foreach (var secret in new[] { "\0", "guess", "=right", "'right'", " star", "comma" })
        {
            _log.All.Should().NotContain(secret);
        }
    }

    /// <summary>For users who all come from one place.</summary>
    private sealed class Unlimited : IAttemptLimiter
    {
        public ValueTask<TimeSpan?> BeginAsync(LoginAttempt attempt, CancellationToken cancellationToken) => default;

        public ValueTask EndAsync(LoginAttempt attempt, AttemptOutcome outcome) => default;
    }

    /// <summary>PLAIN without the preparation of names, so that any octets can be sent.</summary>
    private sealed class ByHand(string message) : ISaslClientMechanism, ISaslClientExchange
    {
        public IEnumerable<string> NamesFor(SaslClientContext context) => ["PLAIN"];

        public ISaslClientExchange Begin(string name, SaslClientContext context) => this;

        public ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken) =>
            ValueTask.FromResult<ReadOnlyMemory<byte>?>(System.Text.Encoding.UTF8.GetBytes(message));

        public ValueTask<SaslClientStep> StepAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken) =>
            throw new InvalidOperationException();

        public SaslClientEnd Complete(ReadOnlyMemory<byte>? additionalData) => new(null, PeerProofs.None);

        public void Dispose()
        {
        }
    }
}
