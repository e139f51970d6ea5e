using System.Net.Sockets;
using System.Text;
using MutualAuth.Confirmation;
using MutualAuth.Credentials;
using MutualAuth.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// Somebody stands in between with a certificate of his own that the client accepts (the same name, the same authority, another key), and passes
/// every frame of the login on to the real server. TLS cannot see him. Channel binding does, and without it he is in.
/// </summary>
[CancelAfter(60000)]
public sealed class RelayTests
{
    private World _world = null!;
    private MemoryCredentialStore _users = null!;
    private TestCertificate _his = null!;

    [SetUp]
    public async Task SetUp()
    {
        _world = new World();
        _his = _world.Authority.IssueServer("server.test");
        _users = await TestUsers.CreateAsync();
    }

    [TearDown]
    public void TearDown()
    {
        _his.Dispose();
        _world.Dispose();
    }

    [Test]
    public async Task With_PLUS_the_relay_is_caught_by_the_server_and_nobody_is_in()
    {
        var (client, server) = await RelayAsync(Login.WithPassword("alice", "right"), ChannelBindingPolicy.WhereItExists);

        (server.Refusal.Failure, server.Refusal.Reason).Should().Be((HandshakeFailure.PeerRejected, RejectionReason.ChannelBindingMismatch));
        (client.Refusal.Failure, client.Refusal.PeerReason).Should().Be((HandshakeFailure.RefusedByPeer, PublicReason.ChannelBindingRefused));
    }

    [Test]
    public async Task Without_PLUS_the_same_relay_is_logged_in_as_the_user_and_both_ends_believe_that_all_is_well()
    {
        var credentials = Login.WithPassword("alice", Password.From("right"), channelBinding: ChannelBindingPolicy.DangerouslyOptional) with
        { OnlyMechanism = "SCRAM-SHA-256" };

        var (client, server) = await RelayAsync(credentials, ChannelBindingPolicy.DangerouslyOptional);

        server.Accepted.Peer.User!.Name.Should().Be("alice");
        client.Accepted.IsConfirmed.Should().BeTrue();
        client.Accepted.Peer.Certificate!.RawData.ToArray().Should().NotEqual(_world.ServerCertificate.RawCertificate.ToArray());
        await client.Accepted.DisposeAsync();
        await server.Accepted.DisposeAsync();
    }

    [Test]
    public async Task A_relay_that_takes_PLUS_out_of_the_list_is_given_away_by_the_flag_y()
    {
        var credentials = Login.WithPassword("alice", Password.From("right"), channelBinding: ChannelBindingPolicy.DangerouslyOptional);

        var (client, server) = await RelayAsync(credentials, ChannelBindingPolicy.DangerouslyOptional, StripPlus);

        server.Refusal.Reason.Should().Be(RejectionReason.ChannelBindingDowngraded);
        client.Refusal.PeerReason.Should().Be(PublicReason.ChannelBindingRefused);
    }

    [Test]
    public async Task By_default_a_client_does_not_even_begin_when_PLUS_is_taken_out_of_the_list()
    {
        var (client, server) = await RelayAsync(Login.WithPassword("alice", "right"), ChannelBindingPolicy.DangerouslyOptional, StripPlus);

        client.Refusal.Reason.Should().Be(RejectionReason.ChannelBindingUnavailable);
        server.Refusal.Failure.Should().Be(HandshakeFailure.RefusedByPeer);
    }

    [Test]
    public async Task With_PLAIN_the_relay_has_the_password_itself()
    {
        // What the word in DangerouslyWithPasswordInPlain stands for.
        var (client, server) = await RelayAsync(
            Login.DangerouslyWithPasswordInPlain("alice", Password.From("right")),
            ChannelBindingPolicy.WhereItExists,
            mechanism: SaslServer.PasswordsInPlain(_users));

        server.Accepted.Peer.User!.Name.Should().Be("alice");
        _said.Should().Contain(text => text.Contains("\0alice\0right"));
        await client.Accepted.DisposeAsync();
        await server.Accepted.DisposeAsync();
    }

    [Test]
    public async Task A_relay_whose_certificate_the_client_does_not_accept_hears_nothing_of_the_login()
    {
        using var foreign = _world.Foreign.IssueServer("server.test");

        var (client, _) = await RelayAsync(Login.WithPassword("alice", "right"), ChannelBindingPolicy.WhereItExists, certificate: foreign);

        client.Refusal.Reason.Should().Be(RejectionReason.UnknownAuthority);
        _said.Should().BeEmpty();
    }

    private readonly List<string> _said = [];

    private static byte[] StripPlus(byte[] frame)
    {
        var names = Encoding.ASCII.GetString(frame.AsSpan(Frame.HeaderLength)).Split(' ').Where(
            name => !name.EndsWith("-PLUS", StringComparison.Ordinal));
        return Frame.Encode(FrameType.Mechanisms, Encoding.ASCII.GetBytes(string.Join(' ', names)));
    }

    private async Task<(End Client, End Server)> RelayAsync(
        ClientCredentials credentials,
        ChannelBindingPolicy binding,
        Func<byte[], byte[]>? changeMechanisms = null,
        ISaslServerMechanism? mechanism = null,
        TestCertificate? certificate = null)
    {
        _said.Clear();
        var policy = Require.User(mechanism ?? SaslServer.Scram(_users)) with
        { ChannelBinding = binding, DecoyIterations = ScramVerifier.MinIterations };
        var (clientSocket, hisFront) = await ConnectedPair.SocketPairAsync();
        var (hisBack, serverSocket) = await ConnectedPair.SocketPairAsync();
        var client = End.OfAsync(
            new MutualTlsClient(_world.ClientOptions with { Identity = ClientIdentity.None, Credentials = credentials }).UpgradeAsync(
                clientSocket, "server.test"));
        var server = End.OfAsync(new MutualTlsServer(_world.ServerOptions with { Credentials = policy }).AcceptAsync(serverSocket));
        await using var front = await ScriptedTlsPeer.AsServerAsync(new NetworkStream(hisFront, ownsSocket: true), certificate ?? _his);
        await using var back = await ScriptedTlsPeer.AsClientAsync(new NetworkStream(hisBack, ownsSocket: true), _world.ClientCertificate);

        var passing = Task.WhenAll(PassAsync(front, back, note: true, null), PassAsync(back, front, note: false, changeMechanisms));
        var ends = (await client, await server);
        if (ends.Item1.Connection is null)
        {
            await passing.WaitAsync(ConnectedPair.Deadline);
        }

        return ends;
    }

    /// <summary>Frame by frame, until one side ends or refuses.</summary>
    private async Task PassAsync(ScriptedTlsPeer from, ScriptedTlsPeer to, bool note, Func<byte[], byte[]>? changeMechanisms)
    {
        try
        {
            while (true)
            {
                var (type, payload) = await from.HearFrameAsync();
                if (note && type is FrameType.Start or FrameType.Response)
                {
                    _said.Add(Encoding.UTF8.GetString(payload));
                }

                var frame = Frame.Encode(type, payload);
                await to.SayAsync(type == FrameType.Mechanisms && changeMechanisms is not null ? changeMechanisms(frame) : frame);
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException)
        {
            try
            {
                await to.EndAsync();
            }
            catch (Exception gone) when (gone is IOException or ObjectDisposedException or InvalidOperationException)
            {
                // It has ended by itself.
            }
        }
    }
}
