using System.Net.Sockets;
using System.Text;
using MutualAuth.Confirmation;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// START without a first message (docs/protocol.md §12, RFC 4422 §3.3), and an outcome without additional data (§3.6):
/// nothing is not the same as empty.
/// </summary>
[CancelAfter(60000)]
public sealed class LoginWithoutFirstMessageTests
{
    private const int ProtocolError = 50;

    private World _world = null!;
    private MemoryCredentialStore _users = null!;

    [SetUp]
    public async Task SetUp()
    {
        _world = new World { CloseTimeout = World.Moment };
        _users = await TestUsers.CreateAsync();
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    [TestCase("PLAIN", "\0alice\0right")]
    [TestCase("OAUTHBEARER", "n,,\u0001auth=Bearer good\u0001\u0001")]
    [TestCase("EXTERNAL", "")]
    public async Task The_server_asks_for_it_by_an_empty_challenge_and_the_login_goes_on(string mechanism, string message)
    {
        var (peer, server) = await BeginAsync();
        await using (peer)
        {
            await peer.SayStartAsync(mechanism, null);
            (await peer.HearFrameAsync(FrameType.Challenge)).Should().BeEmpty();
            await peer.SayFrameAsync(FrameType.Response, message);
            (await peer.HearCodeAsync()).Should().Be(0);
            await peer.SayVerdictAsync();

            await using var connection = (await server).Accepted;
            connection.Peer.User!.Name.Should().Be("alice");
        }
    }

    [Test]
    public async Task SCRAM_goes_on_with_its_first_message_too()
    {
        var (peer, server) = await BeginAsync();
        await using (peer)
        {
            await peer.SayStartAsync("SCRAM-SHA-256-PLUS", null);
            (await peer.HearFrameAsync(FrameType.Challenge)).Should().BeEmpty();
            await peer.SayFrameAsync(FrameType.Response, "p=tls-server-end-point,,n=alice,r=abcdefgh");
            Encoding.ASCII.GetString(await peer.HearFrameAsync(FrameType.Challenge)).Should().StartWith("r=abcdefgh");
            await peer.SayVerdictAsync(40);
            (await server).Failure.Should().BeOfType<HandshakeException>();
        }
    }

    [TestCase("SCRAM-SHA-256-PLUS", new byte[] { 1 }, TestName = "A first message of no octets is no client-first message")]
    [TestCase("PLAIN", new byte[] { 1 }, TestName = "A first message of no octets is no PLAIN message")]
    [TestCase("PLAIN", new byte[] { 0, 65 }, TestName = "Octets behind the mark that there are none")]
    [TestCase("PLAIN", new byte[] { 2 }, TestName = "A mark that is neither")]
    public async Task What_is_neither_nothing_nor_a_message_is_refused(string mechanism, byte[] rest)
    {
        var (peer, server) = await BeginAsync();
        await using (peer)
        {
            await peer.SayFrameAsync(FrameType.Start, [(byte)mechanism.Length, .. Encoding.ASCII.GetBytes(mechanism), .. rest]);
            (await peer.HearCodeAsync()).Should().Be(ProtocolError);
            await peer.EndAsync(); // or the server would wait a second for what is still under way
            (await server).Refusal.Reason.Should().Be(RejectionReason.CredentialProtocolViolated);
        }
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_client_can_tell_an_outcome_without_data_from_one_with_empty_data(bool isThere)
    {
        var mechanism = new ServerFirst();
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var client = End.OfAsync(
            new MutualTlsClient(_world.ClientOptions with { Credentials = Login.With(mechanism) }).UpgradeAsync(clientSocket, "server.test"));
        await using var server = await ScriptedTlsPeer.AsServerAsync(new NetworkStream(serverSocket, ownsSocket: true), _world.ServerCertificate);
        await server.HearFrameAsync(FrameType.Login);
        await server.SayFrameAsync(FrameType.Mechanisms, ServerFirst.Name);
        var start = await server.HearFrameAsync(FrameType.Start);
        await server.SayFrameAsync(FrameType.Challenge);
        await server.HearFrameAsync(FrameType.Response);
        await server.SayFrameAsync(FrameType.Outcome, 0, 0, isThere ? (byte)1 : (byte)0);
        (await server.HearCodeAsync()).Should().Be(0);

        start[^1].Should().Be(0, "this client waits for the server");
        await using var connection = (await client).Accepted;
        mechanism.Completed!.Value.Should().Be((isThere, 0));
    }

    private async Task<(ScriptedTlsPeer Peer, Task<End> Server)> BeginAsync()
    {
        var policy = Require.CertificateAndUser(
            SaslServer.Scram(_users),
            SaslServer.PasswordsInPlain(_users),
            SaslServer.DangerouslyUnboundTokens(new AliceToken()),
            SaslServer.Certificates(_ => "alice")) with
        { DecoyIterations = ScramVerifier.MinIterations };
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var server = End.OfAsync(new MutualTlsServer(_world.ServerOptions with { Credentials = policy }).AcceptAsync(serverSocket));
        var peer = await ScriptedTlsPeer.AsClientAsync(new NetworkStream(clientSocket, ownsSocket: true), _world.ClientCertificate);
        await peer.BeginLoginAsync();
        return (peer, server);
    }

    private sealed class AliceToken : ITokenValidator
    {
        public ValueTask<TokenVerdict> ValidateAsync(string token, System.Net.IPAddress? remoteAddress, CancellationToken cancellationToken) =>
            ValueTask.FromResult(TokenVerdict.Valid("alice", null));
    }

    /// <summary>A mechanism in which the server speaks first.</summary>
    private sealed class ServerFirst : ISaslClientMechanism, ISaslClientExchange
    {
        internal const string Name = "X-SERVER-FIRST";

        internal (bool IsThere, int Length)? Completed { get; private set; }

        public IEnumerable<string> NamesFor(SaslClientContext context) => [Name];

        public ISaslClientExchange Begin(string name, SaslClientContext context) => this;

        public ValueTask<ReadOnlyMemory<byte>?> StartAsync(CancellationToken cancellationToken) => default;

        public ValueTask<SaslClientStep> StepAsync(ReadOnlyMemory<byte> challenge, CancellationToken cancellationToken) =>
            ValueTask.FromResult(SaslClientStep.Answer(challenge));

        public SaslClientEnd Complete(ReadOnlyMemory<byte>? additionalData)
        {
            Completed = (additionalData is not null, additionalData?.Length ?? 0);
            return new SaslClientEnd(null, PeerProofs.None);
        }

        public void Dispose()
        {
        }
    }
}
