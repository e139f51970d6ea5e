using System.Net.Sockets;
using MutualAuth.Handshake;
using MutualAuth.Tests.Support;
using MutualAuth.Transport;

namespace MutualAuth.Tests.Scenarios;

/// <summary>A close that waits for its peer has to ask whether it may, whatever the peer was refused for, and however early.</summary>
[CancelAfter(120000)]
public sealed class LingeringStrangersTests
{
    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World { CloseTimeout = World.Moment };

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task A_stranger_that_is_refused_before_its_hello_lingers_within_the_bound([Values] bool mayLinger)
    {
        var (client, server) = await ConnectedPair.SocketPairAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray()).WaitAsync(ConnectedPair.Deadline);
        client.Shutdown(SocketShutdown.Send);
        var admission = new CountingAdmission(mayLinger);

        var end = await End.OfAsync(AcceptAsync(server, admission));

        end.Refusal.Failure.Should().Be(HandshakeFailure.NoAgreement);
        (admission.Asked, admission.Lingering).Should().Be((1, 0));
        admission.HasLeft.Should().BeTrue();
        client.Dispose();
    }

    [Test]
    public async Task A_stranger_that_is_refused_for_its_hello_lingers_within_the_bound([Values] bool mayLinger)
    {
        var (client, server) = await ConnectedPair.SocketPairAsync();
        var admission = new CountingAdmission(mayLinger);

        await using var ends = await ConnectedPair.ShakeAsync(
            new MutualTlsClient(_world.ClientOptions with { ApplicationProtocols = ["x"] }).UpgradeAsync(client, "server.test"),
            AcceptAsync(server, admission));

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.AlpnMismatch);
        (admission.Asked, admission.Lingering).Should().Be((1, 0));
        admission.HasLeft.Should().BeTrue();
    }

    private Task<MutualTlsConnection> AcceptAsync(Socket socket, IAdmission admission)
    {
        var server = new MutualTlsServer(_world.ServerOptions with { ApplicationProtocols = ["y"] });
        return server.AcceptAsync(HandshakeAttempt.Begin(socket, PeerRole.Server, server.Options, CancellationToken.None), admission).AsTask();
    }

    private sealed class CountingAdmission(bool mayLinger) : IAdmission
    {
        internal int Asked { get; private set; }

        internal int Lingering { get; private set; }

        internal bool HasLeft { get; private set; }

        public void AddressIsKnown()
        {
        }

        public void HelloIsComplete()
        {
        }

        public ValueTask EnterAsync() => default;

        public void BeginWait()
        {
        }

        public ValueTask EndWaitAsync() => default;

        public void WorkIsDone()
        {
        }

        public void Leave() => HasLeft = true;

        public bool TryBeginLinger()
        {
            Asked++;
            Lingering += mayLinger ? 1 : 0;
            return mayLinger;
        }

        public void EndLinger() => Lingering--;
    }
}
