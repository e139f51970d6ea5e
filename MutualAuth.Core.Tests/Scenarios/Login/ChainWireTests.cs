using System.Net.Sockets;
using System.Text;
using MutualAuth.Confirmation;
using MutualAuth.Credentials;
using MutualAuth.Tests.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>NEXT on the wire (docs/protocol.md §12.6): what a hostile side says in place of what comes next.</summary>
[CancelAfter(60000)]
public sealed class ChainWireTests
{
    private const string Plain = "\0alice\0right";

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

    // ---- A hostile client ----

    [Test]
    public async Task The_frames_of_a_chain()
    {
        var (peer, server) = await BeginAsync();
        await using (peer)
        {
            await peer.SayStartAsync("PLAIN", Plain);
            (await peer.HearFrameAsync(FrameType.Next)).Should().Equal([0, 0, 0, .. "TEST-CODE"u8]);
            await peer.SayStartAsync("TEST-CODE", "111111");
            (await peer.HearCodeAsync()).Should().Be(0);
            await peer.SayVerdictAsync();

            await using var connection = (await server).Accepted;
            connection.Peer.User!.Mechanisms.Should().Equal("PLAIN", "TEST-CODE");
        }
    }

    [TestCase("an acceptance in place of the second factor", 50, RejectionReason.CredentialProtocolViolated)]
    [TestCase("the first exchange again", 259, RejectionReason.MechanismUnavailable)]
    [TestCase("a mechanism that is not offered", 259, RejectionReason.MechanismUnavailable)]
    [TestCase("a wrong code", 258, RejectionReason.SecondFactorWrong)]
    [TestCase("a refusal", null, RejectionReason.RefusedByPeer)]
    [TestCase("a response", null, RejectionReason.ConfirmationMalformed)]
    [TestCase("LOGIN again", null, RejectionReason.ConfirmationMalformed)]
    [TestCase("NEXT", null, RejectionReason.ConfirmationMalformed)]
    [TestCase("the end", null, RejectionReason.ConfirmationTruncated)]
    public async Task What_a_client_says_in_place_of_the_second_exchange_lets_nobody_in(string what, int? code, RejectionReason reason)
    {
        var (peer, server) = await BeginAsync();
        await using (peer)
        {
            await peer.SayStartAsync("PLAIN", Plain);
            await peer.HearFrameAsync(FrameType.Next);
            await (what switch
            {
                "an acceptance in place of the second factor" => peer.SayVerdictAsync(),
                "the first exchange again" => peer.SayStartAsync("PLAIN", Plain),
                "a mechanism that is not offered" => peer.SayStartAsync("TEST-KEY", "x"),
                "a wrong code" => peer.SayStartAsync("TEST-CODE", "999999"),
                "a refusal" => peer.SayVerdictAsync(40),
                "a response" => peer.SayFrameAsync(FrameType.Response, "111111"),
                "LOGIN again" => peer.SayFrameAsync(FrameType.Login),
                "NEXT" => peer.SayFrameAsync(FrameType.Next, [0, 0, 0, .. "TEST-CODE"u8]),
                _ => peer.EndAsync(),
            });
            if (code is { } told)
            {
                (await peer.HearCodeAsync()).Should().Be(told);
            }

            if (what != "the end")
            {
                await peer.EndAsync();
            }

            (await server).Refusal.Reason.Should().Be(reason);
        }
    }

    [Test]
    public async Task A_second_factor_is_not_on_offer_first()
    {
        var (peer, server) = await BeginAsync();
        await using (peer)
        {
            await peer.SayStartAsync("TEST-CODE", "111111");
            (await peer.HearCodeAsync()).Should().Be(259);
            await peer.EndAsync();
            (await server).Refusal.Reason.Should().Be(RejectionReason.MechanismUnavailable);
        }
    }

    [Test]
    public async Task Each_exchange_has_a_bound_of_its_own_on_messages()
    {
        var endless = new ScriptedMechanism(["TEST-CODE"], _ => SaslServerStep.Continue(default));
        var (peer, server) = await BeginAsync(endless);
        await using (peer)
        {
            await peer.SayStartAsync("PLAIN", Plain);
            await peer.HearFrameAsync(FrameType.Next);
            await peer.SayStartAsync("TEST-CODE", "x");
            for (var message = 2; message <= 8; message++)
            {
                await peer.HearFrameAsync(FrameType.Challenge);
                await peer.SayFrameAsync(FrameType.Response, "x");
            }

            await peer.HearFrameAsync(FrameType.Challenge);
            await peer.SayFrameAsync(FrameType.Response, "x");
            (await peer.HearCodeAsync()).Should().Be(50);
            await peer.EndAsync();
            (await server).Refusal.Reason.Should().Be(RejectionReason.CredentialProtocolViolated);
        }
    }

    // ---- A hostile server ----

    [TestCase("v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    [TestCase(null)]
    [TestCase("e=other-error")]
    public async Task A_server_that_has_not_proven_itself_gets_no_second_factor(string? proof)
    {
        var code = new CodeClient("111111");
        var (client, server) = await AgainstServerAsync(
            code, (type, payload) => type == FrameType.Next ? StepUpWire.Next(proof, CodeServer.Name) : null);

        client.Refusal.Reason.Should().Be(RejectionReason.ServerSignatureWrong);
        code.Asked.Should().Be(0);
        server.Heard.Select(frame => frame.Type).Should().Equal(FrameType.Login, FrameType.Start, FrameType.Response, FrameType.Verdict);
    }

    [Test]
    public async Task A_server_that_has_proven_itself_gets_it()
    {
        var code = new CodeClient("111111");
        var (client, server) = await AgainstServerAsync(code, (_, _) => null);

        client.Accepted.IsConfirmed.Should().BeTrue();
        code.Asked.Should().Be(1);
        server.Heard.Select(frame => frame.Type).Should().Equal(
            FrameType.Login, FrameType.Start, FrameType.Response, FrameType.Start, FrameType.Verdict);
    }

    [Test]
    public async Task NEXT_before_the_client_has_proven_anything_is_no_proof_of_the_server()
    {
        var code = new CodeClient("111111");
        var (client, _) = await AgainstServerAsync(
            code, (type, _) => type == FrameType.Challenge ? StepUpWire.Next(null, CodeServer.Name) : null);

        client.Refusal.Reason.Should().Be(RejectionReason.ServerSignatureWrong);
        code.Asked.Should().Be(0);
    }

    [Test]
    public async Task NEXT_in_place_of_the_mechanisms_is_malformed()
    {
        var (client, _) = await AgainstServerAsync(
            new CodeClient("111111"), (type, _) => type == FrameType.Mechanisms ? StepUpWire.Next(null, CodeServer.Name) : null);

        client.Refusal.Reason.Should().Be(RejectionReason.ConfirmationMalformed);
    }

    [Test]
    public async Task A_fourth_exchange_is_one_too_many()
    {
        var code = new CodeClient("111111");
        var (client, server) = await AgainstServerAsync(code, (type, payload) => type == FrameType.Outcome
            ? [.. StepUpWire.Next(null, CodeServer.Name), .. StepUpWire.Next(null, CodeServer.Name)]
            : null);

        client.Refusal.Reason.Should().Be(RejectionReason.CredentialProtocolViolated);
        code.Asked.Should().Be(2);
        server.Heard[^1].Type.Should().NotBe(FrameType.Outcome);
    }

    [TestCase("00 0000", RejectionReason.ConfirmationMalformed, TestName = "No names")]
    [TestCase("00 0001 41 42", RejectionReason.CredentialProtocolViolated, TestName = "A length without a message")]
    [TestCase("02 0000 41", RejectionReason.CredentialProtocolViolated, TestName = "A mark that is neither")]
    [TestCase("01 0002 41 42", RejectionReason.CredentialProtocolViolated, TestName = "A message and no names")]
    [TestCase("01 0009 41 42", RejectionReason.CredentialProtocolViolated, TestName = "A message that is longer than all")]
    [TestCase("00 0000 61", RejectionReason.CredentialProtocolViolated, TestName = "A name that is none")]
    [TestCase("00 0000 41 20 20 42", RejectionReason.CredentialProtocolViolated, TestName = "Two spaces")]
    public async Task What_is_not_of_its_form_is_refused(string payload, RejectionReason reason)
    {
        var octets = Convert.FromHexString(payload.Replace(" ", string.Empty, StringComparison.Ordinal));
        var (client, _) = await AgainstServerAsync(
            new CodeClient("111111"), (type, _) => type == FrameType.Next ? Frame.Encode(FrameType.Next, octets) : null);

        client.Refusal.Reason.Should().Be(reason);
    }

    [Test]
    public void A_client_that_knows_no_NEXT_fails_closed()
    {
        // What such a client allows after START, by the page of its time.
        var problem = Frame.CheckHeader(StepUpWire.Next(null, "TEST-CODE").AsSpan(0, 3), [FrameType.Challenge, FrameType.Outcome, FrameType.Verdict]);

        problem!.Reason.Should().Be(RejectionReason.ConfirmationMalformed);
    }

    [Test]
    public void What_is_written_is_read()
    {
        foreach (var data in new string?[] { null, string.Empty, "v=x" })
        {
            var payload = StepUpWire.Next(data, "A", "B-PLUS")[3..];
            var (read, names) = LoginChannel.ReadNext(payload)!.Value;

            (read is { } text ? Encoding.UTF8.GetString(text.Span) : null).Should().Be(data);
            names.Should().Equal("A", "B-PLUS");
        }
    }

    private async Task<(ScriptedTlsPeer Peer, Task<End> Server)> BeginAsync(ISaslServerMechanism? second = null)
    {
        var policy = Require.CertificateAndUser(SaslServer.PasswordsInPlain(_users)) with
        {
            SecondFactors = [second ?? _codes],
            LoginFactors = FactorRequirement.Proofs(PeerProofs.Password | PeerProofs.OneTimeCode),
            DecoyIterations = ScramVerifier.MinIterations,
        };
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var server = End.OfAsync(new MutualTlsServer(_world.ServerOptions with { Credentials = policy }).AcceptAsync(serverSocket));
        var peer = await ScriptedTlsPeer.AsClientAsync(new NetworkStream(clientSocket, ownsSocket: true), _world.ClientCertificate);
        await peer.BeginLoginAsync();
        return (peer, server);
    }

    private async Task<(End Client, TamperingServer Server)> AgainstServerAsync(CodeClient code, Func<FrameType, byte[], byte[]?> tamper)
    {
        var policy = Require.User(SaslServer.Scram(_users)) with
        {
            SecondFactors = [_codes],
            LoginFactors = FactorRequirement.Proofs(PeerProofs.Password | PeerProofs.OneTimeCode),
            DecoyIterations = ScramVerifier.MinIterations,
        };
        var server = new TamperingServer(_world, policy, tamper);
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var serving = server.ServeAsync(new NetworkStream(serverSocket, ownsSocket: true));
        var options = _world.ClientOptions with { Credentials = Login.WithPassword("alice", "right").Then(code) };
        var client = await End.OfAsync(new MutualTlsClient(options).UpgradeAsync(clientSocket, "server.test"));
        if (client.Connection is { } connection)
        {
            await connection.DisposeAsync();
        }

        await serving.WaitAsync(ConnectedPair.Deadline);
        return (client, server);
    }
}
