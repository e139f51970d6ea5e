using System.Net;
using System.Net.Sockets;
using MutualAuth.Audit;
using MutualAuth.Credentials;
using MutualAuth.Evidence;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;
using static MutualAuth.Tests.Support.RecordingSink;

namespace MutualAuth.Tests.Audit;

/// <summary>What the library records of a connection by itself, from its first octet to its end, under one id.</summary>
[CancelAfter(60000)]
public sealed class AuditedConnectionsTests
{
    private const string Canary = "canary-4711-of-a-secret";

    private World _world = null!;
    private RecordingSink _sink = null!;
    private MemoryCredentialStore _users = null!;

    [SetUp]
    public async Task SetUp()
    {
        _world = new World { CloseTimeout = World.Moment };
        _sink = new RecordingSink();
        _users = await TestUsers.CreateAsync();
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task A_connection_has_one_id_from_its_first_event_to_its_last_and_in_the_log()
    {
        using var log = new EventLog();
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions, _world.ServerOptions with { Audit = _sink.Policy, LoggerFactory = log });
        var server = ends.Server.Accepted;
        await ends.Client.Accepted.Stream.WriteAsync(new byte[5]);
        await server.Stream.ReadExactlyAsync(new byte[5]).AsTask().WaitAsync(ConnectedPair.Deadline);
        await server.Stream.WriteAsync(new byte[7]);

        await server.DisposeAsync();

        var ended = await _sink.NextAsync(AuditKinds.ConnectionEnded);
        _sink.Kinds.Should().Equal(AuditKinds.Configured, AuditKinds.ConnectionBegun, AuditKinds.Authenticated, AuditKinds.ConnectionEnded);
        _sink.All.Skip(1).Select(what => what.Connection).Should().AllBe(server.Id);
        (await log.NextAsync(1000)).Values["ConnectionId"]!.ToString().Should().Be(server.Id);
        (Detail(ended, "octets_received"), Detail(ended, "octets_sent"), Detail(ended, "end")).Should().Be(("5", "7", "disposed"));
        (Detail(ended, "peer"), Detail(ended, "peer_address")).Should().Be(("client.test", server.RemoteEndPoint!.ToString()));
        double.Parse(Detail(ended, "seconds")!, System.Globalization.CultureInfo.InvariantCulture).Should().BeInRange(0, 60);
    }

    [Test]
    public async Task The_record_says_who_came_by_what_and_over_what()
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions with { Audit = _sink.Policy });

        var authenticated = await _sink.NextAsync(AuditKinds.Authenticated);

        var server = ends.Server.Accepted;
        authenticated.Details.ToDictionary().Should().BeEquivalentTo(new Dictionary<string, string>
        {
            ["role"] = "server",
            ["peer"] = "client.test",
            ["peer_address"] = server.RemoteEndPoint!.ToString()!,
            ["proofs"] = "Certificate",
            ["subject"] = "\"CN=client.test\"",
            ["issuer"] = "\"CN=Ours\"",
            ["serial"] = server.Peer.Certificate!.SerialNumber,
            ["sha256"] = server.Peer.Certificate.Thumbprint,
            ["tls"] = "1.3",
            ["cipher_suite"] = server.Session.CipherSuite.ToString(),
            ["key_exchange"] = Detail(authenticated, "key_exchange")!,
            ["confirms"] = "yes",
        });
        Detail(authenticated, "key_exchange").Should().Be(server.Session.KeyExchangeGroup!.Value.ToText());
    }

    [Test]
    public async Task Two_connections_have_two_ids()
    {
        var server = _world.ServerOptions with { Audit = _sink.Policy };
        await using var one = await ConnectedPair.ShakeAsync(_world.ClientOptions, server);
        await using var other = await ConnectedPair.ShakeAsync(_world.ClientOptions, server);

        new[] { one.Server.Accepted.Id, one.Client.Accepted.Id, other.Server.Accepted.Id, other.Client.Accepted.Id }.Should().OnlyHaveUniqueItems();
    }

    [Test]
    public async Task A_refused_peer_is_recorded_with_the_reason_and_the_certificate_that_it_showed()
    {
        using var stranger = _world.Foreign.IssueClient("stranger.test");
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Identity = World.ToIdentity(stranger) }, _world.ServerOptions with { Audit = _sink.Policy });

        var failed = await _sink.NextAsync(AuditKinds.HandshakeFailed);

        var certificate = MutualAuth.Certificates.Certificate.Parse(stranger.RawCertificate);
        (failed.Connection, Detail(failed, "reason"), Detail(failed, "failure")).Should().Be(
            (ends.Server.Refusal.ConnectionId, "unknown_authority", "peer_rejected"));
        new[] { "claimed", "subject", "issuer", "serial", "sha256" }.Select(name => Detail(failed, name)).Should().Equal(
            "stranger.test", "\"CN=stranger.test\"", "\"CN=Theirs\"", certificate.SerialNumber, certificate.Thumbprint);
        Detail(failed, "peer_address").Should().Be(ends.Server.Refusal.RemoteEndPoint!.ToString());
        _sink.Kinds.Should().NotContain(AuditKinds.Authenticated);
    }

    [Test]
    public async Task A_server_of_another_name_is_recorded_with_the_name_that_was_dialled_and_those_that_it_showed()
    {
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Audit = _sink.Policy }, _world.ServerOptions, "another.test");

        var failed = await _sink.NextAsync(AuditKinds.HandshakeFailed);

        Detail(failed, "reason").Should().Be("server_name_mismatch");
        Detail(failed, "expected").Should().Contain("another.test");
        Detail(failed, "presented").Should().Contain("server.test");
    }

    [Test]
    public async Task Who_may_not_connect_is_a_kind_of_its_own()
    {
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions, _world.ServerOptions with { Audit = _sink.Policy, Authorization = Authorize.Dns("another.test") });

        Detail(await _sink.NextAsync(AuditKinds.AuthorizationRefused), "reason").Should().Be("not_authorized");
        _sink.Kinds.Should().NotContain(AuditKinds.Authenticated);
    }

    [Test]
    public async Task A_socket_that_says_nothing_is_recorded_twice_and_no_more()
    {
        await using var listener = MutualTlsListener.Start(new()
        { EndPoint = new IPEndPoint(IPAddress.Loopback, 0), Server = new(_world.ServerOptions with { Audit = _sink.Policy }) });
        using (var socket = new TcpClient())
        {
            await socket.ConnectAsync((IPEndPoint)listener.LocalEndPoint);
        }

        var failed = await _sink.NextAsync(AuditKinds.HandshakeFailed);

        Detail(failed, "reason").Should().Be("no_client_hello");
        _sink.All.Where(what => what.Connection == failed.Connection).Select(what => what.What).Should()
            .Equal(AuditKinds.ConnectionBegun, AuditKinds.HandshakeFailed);
    }

    /// <summary>It is we who do not accept it, whatever its certificate says: nobody has been authenticated then.</summary>
    [TestCase(true)]
    [TestCase(false)]
    public async Task Who_does_not_confirm_where_that_is_required_is_not_recorded_as_accepted(bool weAreServer)
    {
        var (server, client) = (_world.ServerOptions, _world.ClientOptions);
        var never = ConfirmationPolicy.Never;
        await using var ends = weAreServer
            ? await ConnectedPair.ShakeAsync(
                client with { Confirmation = never }, server with { Confirmation = ConfirmationPolicy.Required, Audit = _sink.Policy })
            : await ConnectedPair.ShakeAsync(
                client with { Confirmation = ConfirmationPolicy.Required, Audit = _sink.Policy }, server with { Confirmation = never });

        var failed = await _sink.NextAsync(AuditKinds.HandshakeFailed);

        Detail(failed, "failure").Should().Be("no_agreement");
        _sink.Kinds.Should().Equal(AuditKinds.Configured, AuditKinds.ConnectionBegun, AuditKinds.HandshakeFailed);
    }

    [Test]
    public async Task A_peer_that_refuses_us_is_recorded_after_we_have_accepted_it()
    {
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Authorization = Authorize.Dns("another.test") }, _world.ServerOptions with { Audit = _sink.Policy });

        var failed = await _sink.NextAsync(AuditKinds.HandshakeFailed);

        (Detail(failed, "failure"), Detail(failed, "peer_reason")).Should().Be(("refused_by_peer", "refused"));
        _sink.Kinds.Should().Equal(AuditKinds.Configured, AuditKinds.ConnectionBegun, AuditKinds.Authenticated, AuditKinds.HandshakeFailed);
    }

    [Test]
    public async Task A_client_records_its_side_too()
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions with { Audit = _sink.Policy }, _world.ServerOptions);

        await ends.Client.Accepted.DisposeAsync();

        await _sink.NextAsync(AuditKinds.ConnectionEnded);
        _sink.Kinds.Should().Equal(AuditKinds.Configured, AuditKinds.ConnectionBegun, AuditKinds.Authenticated, AuditKinds.ConnectionEnded);
        (Detail(_sink.All[2], "role"), Detail(_sink.All[2], "peer"), _sink.All[3].Connection).Should().Be(
            ("client", "server.test", ends.Client.Accepted.Id));
    }

    [Test]
    public async Task A_client_records_a_host_that_does_not_answer()
    {
        using var nobody = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // and does not listen
        var client = new MutualTlsClient(_world.ClientOptions with { Audit = _sink.Policy });

        var refused = await client.Invoking(each => each.ConnectAsync(nobody.LocalEndPoint!, "server.test")).Should()
            .ThrowAsync<HandshakeException>();

        var failed = await _sink.NextAsync(AuditKinds.HandshakeFailed);
        (Detail(failed, "reason"), failed.Connection).Should().Be(("unreachable", refused.Which.ConnectionId));
    }

    [Test]
    public async Task A_handshake_that_our_caller_gives_up_is_recorded()
    {
        var (client, server) = await ConnectedPair.SocketPairAsync();
        using var _ = client;
        using var end = new CancellationTokenSource();
        var accepting = new MutualTlsServer(_world.ServerOptions with { Audit = _sink.Policy }).AcceptAsync(server, end.Token);

        await end.CancelAsync();

        await accepting.Invoking(task => task).Should().ThrowAsync<OperationCanceledException>();
        Detail(await _sink.NextAsync(AuditKinds.HandshakeFailed), "failure").Should().Be("cancelled");
    }

    [Test]
    public async Task A_login_is_recorded_and_its_neighbour_with_the_wrong_password_too()
    {
        var server = _world.ServerOptions with { Audit = _sink.Policy, Credentials = Require.CertificateAndUser(SaslServer.Scram(_users)) };
        await using var right = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Credentials = Login.WithPassword("alice", "right") }, server);
        await using var wrong = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Credentials = Login.WithPassword("alice", "wrong") }, server);

        var accepted = await _sink.NextAsync(AuditKinds.LoginAccepted);
        var authenticated = await _sink.NextAsync(AuditKinds.Authenticated);
        var refused = await _sink.NextAsync(AuditKinds.LoginRefused);

        (Detail(accepted, "user"), Detail(accepted, "mechanisms"), accepted.Connection).Should().Be(
            ("\"alice\"", "SCRAM-SHA-256-PLUS", right.Server.Accepted.Id));
        (Detail(authenticated, "user"), Detail(authenticated, "proofs")).Should().Be(("\"alice\"", "Certificate, Password, ChannelBinding"));
        (Detail(refused, "reason"), refused.Connection).Should().Be(("credentials_wrong", wrong.Server.Refusal.ConnectionId));
    }

    [Test]
    public async Task No_password_and_no_token_reaches_the_record()
    {
        await _users.SetAsync("alice", ScramVerifier.Create(Password.From(Canary), iterations: ScramVerifier.MinIterations));
        var scram = Require.CertificateAndUser(SaslServer.Scram(_users));
        var plain = Require.CertificateAndUser(SaslServer.PasswordsInPlain(_users)) with
        { ChannelBinding = ChannelBindingPolicy.DangerouslyOptional };
        var tokens = Require.CertificateAndUser(SaslServer.DangerouslyUnboundTokens(new AcceptsOne()));
        foreach (var (policy, credentials) in new (CredentialPolicy, ClientCredentials)[]
        {
            (scram, Login.WithPassword("alice", Canary)),
            (scram, Login.WithPassword("alice", Canary + "x")),
            (plain, Login.DangerouslyWithPasswordInPlain("alice", Password.From(Canary))),
            (plain, Login.DangerouslyWithPasswordInPlain("alice", Password.From(Canary + "x"))),
            (tokens, Login.WithToken(Canary)),
            (tokens, Login.WithToken(Canary + "x")),
        })
        {
            await using var ends = await ConnectedPair.ShakeAsync(
                _world.ClientOptions with { Credentials = credentials, Audit = _sink.Policy },
                _world.ServerOptions with { Credentials = policy, Audit = _sink.Policy });
        }

        for (var refused = 0; refused < 3; refused++)
        {
            await _sink.NextAsync(AuditKinds.LoginRefused); // no call waits for those
        }

        var all = _sink.All;
        all.Count(what => what.What is AuditKinds.LoginAccepted or AuditKinds.LoginRefused).Should().Be(6);
        all.SelectMany(what => what.Details.Select(detail => detail.Value).Append(what.Text)).Where(
            text => text.Contains(Canary, StringComparison.OrdinalIgnoreCase)
                || text.Contains(Convert.ToHexString(System.Text.Encoding.ASCII.GetBytes(Canary)), StringComparison.OrdinalIgnoreCase)
                || text.Contains(Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(Canary)), StringComparison.Ordinal)).Should().BeEmpty();
    }

    [TestCase("right", AuditKinds.ReauthenticationAccepted)]
    [TestCase("wrong", AuditKinds.ReauthenticationRefused)]
    public async Task A_reauthentication_is_recorded(string password, string kind)
    {
        await using var ends = await LogInAsync(_sink.Policy);

        await using var verifier = ends.Server.Accepted.BeginReauthentication();
        using var responder = ends.Client.Accepted.AnswerReauthentication(Login.WithPassword("alice", password));
        await StepUpWire.RunAsync(verifier, responder);

        var told = await _sink.NextAsync(kind);
        (Detail(told, "user"), told.Connection).Should().Be(("\"alice\"", ends.Server.Accepted.Id));
        Detail(told, "reason").Should().Be(verifier.Rejection?.Reason.ToCode());
    }

    [TestCase("right", AuditKinds.StepUpAccepted)]
    [TestCase("wrong", AuditKinds.StepUpRefused)]
    public async Task A_step_up_is_recorded(string password, string kind)
    {
        await using var ends = await LogInAsync(_sink.Policy);

        await using var verifier = ends.Server.Accepted.BeginStepUp("pay"u8);
        using var responder = ends.Client.Accepted.AnswerStepUp(Login.WithPassword("alice", password), "pay"u8);
        await StepUpWire.RunAsync(verifier, responder);

        (await _sink.NextAsync(kind)).Connection.Should().Be(ends.Server.Accepted.Id);
    }

    [Test]
    public async Task What_ends_a_connection_before_its_time_is_recorded_before_the_end_is()
    {
        var server = new MutualTlsServer(_world.ServerOptions with { Audit = _sink.Policy });
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        await using var ends = await ConnectedPair.ShakeAsync(
            new MutualTlsClient(_world.ClientOptions).UpgradeAsync(clientSocket, "server.test"), server.AcceptAsync(serverSocket));

        server.EndWhere(_ => true, "laptop stolen").Should().Be(1);

        var invalidated = await _sink.NextAsync(AuditKinds.ConnectionInvalidated);
        var ended = await _sink.NextAsync(AuditKinds.ConnectionEnded);
        (Detail(invalidated, "reason"), Detail(invalidated, "action"), invalidated.Connection).Should().Be(
            ("ended_by_application", "abort", ends.Server.Accepted.Id));
        (Detail(ended, "end"), Detail(ended, "reason"), ended.Connection).Should().Be(
            ("invalidated", "ended_by_application", ends.Server.Accepted.Id));
    }

    [TestCase(true, "closed")]
    [TestCase(false, "cut")]
    public async Task How_the_peer_ended_its_side_is_recorded(bool closes, string side)
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions with { Audit = _sink.Policy });
        var reading = ends.Server.Accepted.Stream.ReadAsync(new byte[1]).AsTask();
        if (closes)
        {
            await ends.Client.Accepted.CompleteWritesAsync();
        }
        else
        {
            ends.Client.Accepted.Abort();
        }

        await ((Task)reading).WaitAsync(ConnectedPair.Deadline).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ends.Server.Accepted.DisposeAsync();

        Detail(await _sink.NextAsync(AuditKinds.ConnectionEnded), "peers_side").Should().Be(side);
    }

    [Test]
    public async Task A_connection_that_is_aborted_is_recorded_once()
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions with { Audit = _sink.Policy });

        ends.Server.Accepted.Abort();
        await ends.Server.Accepted.DisposeAsync();

        Detail(await _sink.NextAsync(AuditKinds.ConnectionEnded), "end").Should().Be("aborted");
        _sink.Kinds.Count(kind => kind == AuditKinds.ConnectionEnded).Should().Be(1);
    }

    [Test]
    public async Task The_server_that_is_selected_records_in_its_own_sink()
    {
        var own = new RecordingSink();
        var special = new MutualTlsServer(_world.ServerOptions with { Audit = own.Policy });
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions, _world.ServerOptions with { Audit = _sink.Policy, SelectServer = (_, _, _) => new(special) });

        await ends.Server.Accepted.DisposeAsync();

        await own.NextAsync(AuditKinds.ConnectionEnded);
        _sink.Kinds.Should().Equal(AuditKinds.Configured, AuditKinds.ConnectionBegun);
        own.Kinds.Should().Equal(AuditKinds.Configured, AuditKinds.ConnectionBegun, AuditKinds.Authenticated, AuditKinds.ConnectionEnded);
        own.All.Skip(1).Select(what => what.Connection).Should().AllBe(ends.Server.Accepted.Id);
    }

    [Test]
    public async Task The_front_server_records_where_the_selected_one_has_no_sink()
    {
        var special = new MutualTlsServer(_world.ServerOptions);
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions, _world.ServerOptions with { Audit = _sink.Policy, SelectServer = (_, _, _) => new(special) });

        await ends.Server.Accepted.DisposeAsync();

        await _sink.NextAsync(AuditKinds.ConnectionEnded);
        _sink.Kinds.Should().Equal(AuditKinds.Configured, AuditKinds.ConnectionBegun, AuditKinds.Authenticated, AuditKinds.ConnectionEnded);
    }

    [Test]
    public void An_id_costs_nothing_until_it_is_written_down()
    {
        _ = MutualAuth.Telemetry.ConnectionId.Next();
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var count = 0; count < 1000; count++)
        {
            _ = MutualAuth.Telemetry.ConnectionId.Next();
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
    }

    private async Task<ConnectedPair> LogInAsync(AuditPolicy audit) => await ConnectedPair.ShakeAsync(
        _world.ClientOptions with { Credentials = Login.WithPassword("alice", "right") },
        _world.ServerOptions with { Audit = audit, Credentials = Require.CertificateAndUser(SaslServer.Scram(_users)) });

    private sealed class AcceptsOne : ITokenValidator
    {
        public ValueTask<TokenVerdict> ValidateAsync(string token, IPAddress? remoteAddress, CancellationToken cancellationToken) =>
            new(token == Canary ? TokenVerdict.Valid("alice", null) : TokenVerdict.Invalid("the canary", "another token"));
    }
}
