using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Confirmation;
using MutualAuth.Testing;
using MutualAuth.Testing.Transports;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>Streams on which something else came first, and what becomes of streams and connections afterwards.</summary>
[CancelAfter(60000)]
public sealed class UpgradeTests
{
    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task A_stream_is_upgraded_after_a_greeting_in_the_clear()
    {
        await using var wire = new DuplexPair();
        var server = Task.Run(async () =>
        {
            (await ReadLineAsync(wire.Server)).Should().Be("STARTTLS");
            await wire.Server.WriteAsync("220 go ahead\n"u8.ToArray());
            return await new MutualTlsServer(_world.ServerOptions).AcceptAsync(wire.Server);
        });
        var client = Task.Run(async () =>
        {
            await wire.Client.WriteAsync("STARTTLS\n"u8.ToArray());
            (await ReadLineAsync(wire.Client)).Should().Be("220 go ahead");
            return await new MutualTlsClient(_world.ClientOptions).UpgradeAsync(wire.Client, "server.test");
        });

        await using var ends = await ConnectedPair.ShakeAsync(client, server);

        ends.Client.Accepted.IsConfirmed.Should().BeTrue();
        ends.Server.Accepted.Peer.Name.Should().Be("client.test");
    }

    [Test]
    public async Task A_failed_upgrade_closes_the_stream_that_it_was_given([Values] bool weAreServer)
    {
        await using var wire = new DuplexPair();
        var stream = weAreServer ? wire.Server : wire.Client;
        var other = weAreServer ? wire.Client : wire.Server;
        var ours = End.OfAsync(
            weAreServer
                ? new MutualTlsServer(_world.ServerOptions).AcceptAsync(stream)
                : new MutualTlsClient(_world.ClientOptions).UpgradeAsync(stream, "server.test"));

        await other.WriteAsync("this is not TLS"u8.ToArray());
        other.ShutdownWrite();

        (await ours).Refusal.Failure.Should().Be(HandshakeFailure.NoAgreement);
        stream.CanRead.Should().BeFalse("it is ours, and closed");
    }

    [Test]
    public async Task A_name_that_is_none_is_an_argument_error_and_the_stream_is_not_touched()
    {
        await using var wire = new DuplexPair();

        var upgrade = () => new MutualTlsClient(_world.ClientOptions).UpgradeAsync(wire.Client, "not a name");

        (await upgrade.Should().ThrowAsync<ArgumentException>()).WithParameterName("serverName");
        wire.Client.CanRead.Should().BeTrue();
        wire.ClientToServer.Written.Should().Be(0);
    }

    [Test]
    public async Task One_side_may_finish_writing_and_go_on_reading([Values] TlsVersion version)
    {
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { MinimumTlsVersion = version, MaximumTlsVersion = version }, _world.ServerOptions);
        var (client, server) = (ends.Client.Accepted, ends.Server.Accepted);

        await client.Stream.WriteAsync("question"u8.ToArray());
        await client.CompleteWritesAsync();
        (await ReadToEndAsync(server.Stream)).Should().Be("question");
        await server.Stream.WriteAsync("answer"u8.ToArray());
        await server.CompleteWritesAsync();

        (await ReadToEndAsync(client.Stream)).Should().Be("answer");
    }

    [Test]
    public async Task The_peer_outlives_its_connection()
    {
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions with { CloseTimeout = World.Moment });
        var peer = ends.Server.Accepted.Peer;

        await ends.Server.Accepted.DisposeAsync();

        peer.Certificate!.DnsNames.Should().Equal("client.test");
        using var platform = peer.Certificate!.ToX509Certificate2();
        platform.Subject.Should().Be("CN=client.test");
    }

    [Test]
    public async Task A_chain_with_an_intermediate_is_sent_whole_both_ways([Values] TlsVersion version)
    {
        using var intermediate = _world.Authority.IssueIntermediate();
        using var server = intermediate.IssueServer("server.test");
        using var client = intermediate.IssueClient("client.test");

        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Identity = World.ToIdentity(client), MinimumTlsVersion = version, MaximumTlsVersion = version },
            _world.ServerOptions with { Identity = World.ToIdentity(server) });

        ends.Client.Accepted.Peer.Path.Should().HaveCount(3);
        ends.Server.Accepted.Peer.Path.Should().HaveCount(3);
    }

    [Test]
    public async Task A_certificate_of_200_KB_is_refused_before_it_is_looked_at([Values] TlsVersion version)
    {
        using var certificate = _world.Authority.Issue(spec => spec with
        {
            DnsNames = ["client.test"],
            Extensions = [new CertificateExtension("1.2.3.4.5", false, new byte[200_000])],
        });
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var ours = End.OfAsync(new MutualTlsServer(_world.ServerOptions).AcceptAsync(serverSocket));

        try
        {
            await using var peer = await ScriptedTlsPeer.AsClientAsync(new NetworkStream(clientSocket, ownsSocket: true), certificate, version);
        }
        catch (Exception exception) when (exception is IOException or System.Security.Authentication.AuthenticationException)
        {
            // It was refused while it was still sending.
        }

        (await ours).Refusal.Reason.Should().Be(RejectionReason.HandshakeMessageTooLarge);
    }

    [TestCase(64 * 1024, true)]
    [TestCase(16 * 1024, false)]
    public async Task More_octets_than_the_bound_are_refused_although_each_message_is_in_order(int bound, bool isServed)
    {
        using var certificate = _world.Authority.Issue(spec => spec with
        {
            DnsNames = ["client.test"],

            // Not zeros: OpenSSL 3.5 compresses certificates (RFC 8879), and the bound counts what comes over the wire.
            Extensions = [new CertificateExtension("1.2.3.4.5", false, RandomNumberGenerator.GetBytes(20_000))],
        });
        var limits = new HandshakeLimits { MaxClientHelloBytes = 4096, MaxHandshakeBytes = bound };

        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Identity = World.ToIdentity(certificate) }, _world.ServerOptions with { HandshakeLimits = limits });

        if (isServed)
        {
            ends.Server.Accepted.Peer.Name.Should().Be("client.test");
        }
        else
        {
            var refusal = ends.Server.Refusal;
            (refusal.Failure, refusal.Reason).Should().Be((HandshakeFailure.PeerMisbehaved, RejectionReason.HandshakeMessageTooLarge));
            ends.Client.Connection.Should().BeNull();
        }
    }

    /// <summary>What a peer has against us may come after the handshake, as an alert: it comes out of reading then.</summary>
    [Test]
    public async Task An_alert_after_the_handshake_is_read_out_of_what_the_stream_throws_and_a_reset_holds_none([Values] bool isReset)
    {
        await using var wire = new DuplexPair();
        var accepting = LooseTlsPeer.AcceptAsync(wire.Server, _world.ServerCertificate);
        var options = _world.ClientOptions with { Confirmation = ConfirmationPolicy.Never, CloseTimeout = World.Moment };
        await using var client = await new MutualTlsClient(options).UpgradeAsync(wire.Client, "server.test").WaitAsync(ConnectedPair.Deadline);
        using var peer = await accepting.WaitAsync(ConnectedPair.Deadline);
        if (isReset)
        {
            wire.Reset();
        }
        else
        {
            wire.ClientToServer.CorruptAt(wire.ClientToServer.Written + 5); // the first octet behind the header of a record
            await client.Stream.WriteAsync("x"u8.ToArray());
            var hear = () => peer.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline);
            await hear.Should().ThrowAsync<IOException>("it says bad_record_mac");
        }

        var read = () => client.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline);
        var thrown = (await read.Should().ThrowAsync<IOException>()).Which;

        client.TryGetRefusal(thrown, out var refusal).Should().Be(!isReset);
        client.TryGetRefusal(new InvalidOperationException("ours", thrown), out _).Should().BeFalse("the stream throws no such thing");
        (refusal?.Failure, refusal?.PeerReason, refusal?.PeerName).Should().Be(
            isReset ? (null, null, null) : (HandshakeFailure.RefusedByPeer, PublicReason.ProtocolError, "server.test"));
    }

    [Test]
    public async Task With_a_plain_TLS_client_preferred_serves_and_required_refuses(
        [Values] TlsVersion version, [Values(ConfirmationPolicy.Preferred, ConfirmationPolicy.Required)] ConfirmationPolicy policy)
    {
        using var certificate = _world.Authority.IssueClient("client.test");
        await using var wire = new DuplexPair();
        var options = _world.ServerOptions with { Confirmation = policy, CloseTimeout = World.Moment };
        var ours = End.OfAsync(new MutualTlsServer(options).AcceptAsync(wire.Server));
        var peer = ScriptedTlsPeer.AsClientAsync(wire.Client, certificate, version, protocol: null);

        var end = await ours;

        if (policy == ConfirmationPolicy.Preferred)
        {
            await using var connection = end.Accepted;
            connection.IsConfirmed.Should().BeFalse();
            await (await peer).DisposeAsync();
        }
        else
        {
            end.Refusal.Reason.Should().Be(RejectionReason.ConfirmationUnavailable);
            await peer.Invoking(task => task).Should().ThrowAsync<System.Security.Authentication.AuthenticationException>();
        }
    }

    [Test]
    public async Task With_a_plain_TLS_server_preferred_talks_and_required_refuses(
        [Values] TlsVersion version, [Values(ConfirmationPolicy.Preferred, ConfirmationPolicy.Required)] ConfirmationPolicy policy)
    {
        using var certificate = _world.Authority.IssueServer("server.test");
        await using var wire = new DuplexPair();
        var options = _world.ClientOptions with { Confirmation = policy, CloseTimeout = World.Moment };
        var ours = End.OfAsync(new MutualTlsClient(options).UpgradeAsync(wire.Client, "server.test"));
        var accepting = ScriptedTlsPeer.AsServerAsync(wire.Server, certificate, version, protocol: null);
        await accepting.WaitAsync(ConnectedPair.Deadline).ContinueWith(_ => { }, TaskScheduler.Default); // who is refused within TLS has no session
        await using var peer = accepting.IsCompletedSuccessfully ? await accepting : null;
        if (policy == ConfirmationPolicy.Required && peer is not null)
        {
            await peer.HearOneOrLeaveAsync();
        }

        var end = await ours;

        if (policy == ConfirmationPolicy.Preferred)
        {
            await using var connection = end.Accepted;
            connection.IsConfirmed.Should().BeFalse();
        }
        else
        {
            (end.Refusal.Failure, end.Refusal.Reason).Should().Be((HandshakeFailure.NoAgreement, RejectionReason.ConfirmationUnavailable));
        }
    }

    [Test]
    public async Task A_client_that_never_confirms_is_not_led_into_it_by_the_server()
    {
        using var certificate = _world.Authority.IssueServer("server.test");
        await using var wire = new DuplexPair();
        var ours = End.OfAsync(
            new MutualTlsClient(_world.ClientOptions with { Confirmation = ConfirmationPolicy.Never, ApplicationProtocols = ["x"] }).UpgradeAsync(
                wire.Client, "server.test"));

        // OpenSSL as a server agrees only on what was offered, so that the server has to be a scripted one, and fails by itself.
        var peer = ScriptedTlsPeer.AsServerAsync(wire.Server, certificate, protocol: ConfirmationProtocol.Bare);

        (await ours).Refusal.Reason.Should().Be(RejectionReason.AlpnMismatch);
        await peer.Invoking(task => task).Should().ThrowAsync<System.Security.Authentication.AuthenticationException>();
    }

    [Test]
    public async Task Whoever_strips_our_protocol_id_on_the_way_breaks_the_handshake([Values] TlsVersion version)
    {
        await using var wire = new DuplexPair();
        var stripping = new StripsAlpn(wire.Client);
        var server = new MutualTlsServer(_world.ServerOptions);
        var client = new MutualTlsClient(_world.ClientOptions with { MinimumTlsVersion = version, MaximumTlsVersion = version });

        await using var ends = await ConnectedPair.ShakeAsync(client.UpgradeAsync(stripping, "server.test"), server.AcceptAsync(wire.Server));

        stripping.Stripped.Should().BeTrue();
        ends.Client.Failure.Should().BeOfType<HandshakeException>("the hello is part of what both sides sign");
        ends.Server.Failure.Should().BeOfType<HandshakeException>();
    }

    private static async Task<string> ReadLineAsync(Stream stream)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (await stream.ReadAsync(one).AsTask().WaitAsync(ConnectedPair.Deadline) == 1 && one[0] != '\n')
        {
            line.Append((char)one[0]);
        }

        return line.ToString();
    }

    private static Task<string> ReadToEndAsync(Stream stream) =>
        new StreamReader(stream, leaveOpen: true).ReadToEndAsync().WaitAsync(ConnectedPair.Deadline);

    /// <summary>A man in the middle who renames our ALPN id in the ClientHello, so that the server sees a plain peer.</summary>
    private sealed class StripsAlpn(Stream wire) : TamperedStream(wire)
    {
        internal bool Stripped { get; private set; }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var copy = buffer.ToArray();
            if (copy.AsSpan().IndexOf("mutualauth/1"u8) is var at and >= 0)
            {
                copy[at] = (byte)'x';
                Stripped = true;
            }

            return Inner.WriteAsync(copy, cancellationToken);
        }
    }
}
