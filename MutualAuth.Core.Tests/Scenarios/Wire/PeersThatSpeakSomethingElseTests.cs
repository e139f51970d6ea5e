using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>What does not even begin TLS properly gets a reason of its own, within the deadline, and its socket is closed.</summary>
[CancelAfter(60000)]
public sealed class PeersThatSpeakSomethingElseTests
{
    private World _world = null!;
    private FakeTimeProvider _clock = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new World();
        _clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    private static IEnumerable<TestCaseData> Speakers()
    {
        static TestCaseData Case(string name, byte[] says, bool thenCloses, RejectionReason reason, HandshakeFailure failure) =>
            new TestCaseData(says, thenCloses, reason, failure).SetArgDisplayNames(name);

        var hello = HelloBytes.Records(HelloBytes.Message(HelloBytes.ServerName("server.test"), HelloBytes.Versions(0x0304)));
        yield return Case(
            "plain HTTP", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray(), false, RejectionReason.PlainHttp, HandshakeFailure.NoAgreement);
        yield return Case("SSH", "SSH-2.0-OpenSSH_9.2\r\n"u8.ToArray(), false, RejectionReason.PlainSsh, HandshakeFailure.NoAgreement);
        yield return Case("garbage", [1, 2, 3, 4, 5, 6, 7, 8, 9], false, RejectionReason.NotTls, HandshakeFailure.NoAgreement);
        yield return Case("one letter and silence", "G"u8.ToArray(), false, RejectionReason.NotTls, HandshakeFailure.TimedOut);
        foreach (var (name, version) in new[] { ("TLS 1.1 at most", 0x0302), ("TLS 1.0 at most", 0x0301), ("SSL 3 at most", 0x0300) })
        {
            yield return Case(
                name,
                HelloBytes.Records(HelloBytes.Message(version)),
                false,
                RejectionReason.ProtocolVersionUnsupported,
                HandshakeFailure.NoAgreement);
        }

        byte[] ofSsl2 = [0x80, 0x1c, 1, 0, 2, 0, 3, 0, 0, 0, 16, 7, 0, 0xc0, .. new byte[16]];
        yield return Case("SSL 2", ofSsl2, false, RejectionReason.ProtocolVersionUnsupported, HandshakeFailure.NoAgreement);
        yield return Case("half a hello and silence", hello[..40], false, RejectionReason.IncompleteClientHello, HandshakeFailure.TimedOut);
        yield return Case("half a hello and the end", hello[..40], true, RejectionReason.IncompleteClientHello, HandshakeFailure.TransportLost);
        yield return Case("nothing", [], false, RejectionReason.NoClientHello, HandshakeFailure.TimedOut);
        yield return Case("nothing and the end", [], true, RejectionReason.NoClientHello, HandshakeFailure.TransportLost);
        yield return Case(
            "a hello of a mebibyte", [22, 3, 1, 0x40, 0, 1, 0x10, 0, 0], false, RejectionReason.ClientHelloTooLarge, HandshakeFailure.PeerMisbehaved);
        yield return Case(
            "a malformed hello", [22, 3, 1, 0, 4, 1, 0, 0, 0], false, RejectionReason.MalformedClientHello, HandshakeFailure.PeerMisbehaved);
    }

    [TestCaseSource(nameof(Speakers))]
    public async Task A_server_says_what_it_met(byte[] says, bool thenCloses, RejectionReason reason, HandshakeFailure failure)
    {
        var (peer, ours) = await ConnectedPair.SocketPairAsync();
        using var _ = peer;
        var server = new MutualTlsServer(_world.ServerOptions with { TimeProvider = _clock });
        await using var us = new HungryStream(new NetworkStream(ours, ownsSocket: true));
        var isSilent = failure == HandshakeFailure.TimedOut;
        var handshake = End.OfAsync(isSilent ? server.AcceptAsync(us) : server.AcceptAsync(ours));

        await peer.SendAsync(says);
        if (thenCloses)
        {
            peer.Shutdown(SocketShutdown.Send);
        }

        if (isSilent)
        {
            await us.HasTakenAsync(says.Length);
            _clock.Advance(TimeSpan.FromSeconds(10));
        }

        await AssertClosedAsync(peer);
        peer.Dispose(); // or we would wait a second for what is still under way
        var refusal = (await handshake).Refusal;
        (refusal.Failure, refusal.Reason).Should().Be((failure, reason), refusal.Message);
    }

    [Test]
    public async Task A_client_that_says_hello_and_no_more_has_timed_out()
    {
        var (peer, ours) = await ConnectedPair.SocketPairAsync();
        using var _ = peer;
        var handshake = End.OfAsync(new MutualTlsServer(_world.ServerOptions with { TimeProvider = _clock }).AcceptAsync(ours));

        await peer.SendAsync(await HelloBytes.OfRealClientAsync());
        await peer.ReceiveAsync(new byte[1]).WaitAsync(ConnectedPair.Deadline); // our answer: the hello has been taken in
        _clock.Advance(TimeSpan.FromSeconds(10));

        (await handshake).Refusal.Reason.Should().Be(RejectionReason.HandshakeTimedOut);
        await AssertClosedAsync(peer);
    }

    private static IEnumerable<TestCaseData> Listeners()
    {
        static TestCaseData Case(string name, byte[] says, bool thenCloses, RejectionReason reason, HandshakeFailure failure) =>
            new TestCaseData(says, thenCloses, reason, failure).SetArgDisplayNames(name);

        yield return Case(
            "plain HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray(), true, RejectionReason.PlainHttp, HandshakeFailure.NoAgreement);
        yield return Case("SSH", "SSH-2.0-OpenSSH_9.2\r\n"u8.ToArray(), true, RejectionReason.PlainSsh, HandshakeFailure.NoAgreement);
        yield return Case("garbage", [1, 2, 3, 4, 5, 6, 7, 8, 9], true, RejectionReason.NotTls, HandshakeFailure.NoAgreement);
        yield return Case("silence", [], false, RejectionReason.HandshakeTimedOut, HandshakeFailure.TimedOut);
        yield return Case("the end", [], true, RejectionReason.TransportClosed, HandshakeFailure.TransportLost);
        yield return Case(
            "alert protocol_version", [21, 3, 3, 0, 2, 2, 70], true, RejectionReason.ProtocolVersionUnsupported, HandshakeFailure.NoAgreement);
        yield return Case(
            "alert handshake_failure", [21, 3, 3, 0, 2, 2, 40], true, RejectionReason.NoCommonCipherSuite, HandshakeFailure.NoAgreement);
        yield return Case(
            "alert no_application_protocol", [21, 3, 3, 0, 2, 2, 120], true, RejectionReason.AlpnMismatch, HandshakeFailure.NoAgreement);
        yield return Case(
            "alert unrecognized_name", [21, 3, 3, 0, 2, 2, 112], true, RejectionReason.UnrecognizedServerName, HandshakeFailure.NoAgreement);
        yield return Case("alert internal_error", [21, 3, 3, 0, 2, 2, 80], true, RejectionReason.RefusedByPeer, HandshakeFailure.RefusedByPeer);
    }

    [TestCaseSource(nameof(Listeners))]
    public async Task A_client_says_what_it_met(byte[] says, bool thenCloses, RejectionReason reason, HandshakeFailure failure)
    {
        var (ours, peer) = await ConnectedPair.SocketPairAsync();
        using var _ = peer;
        var client = new MutualTlsClient(_world.ClientOptions with { TimeProvider = _clock });
        var handshake = End.OfAsync(client.UpgradeAsync(ours, "server.test"));
        await peer.ReceiveAsync(new byte[4096]);

        await peer.SendAsync(says);
        if (thenCloses)
        {
            peer.Shutdown(SocketShutdown.Send);
        }

        if (failure == HandshakeFailure.TimedOut)
        {
            _clock.Advance(TimeSpan.FromSeconds(10));
        }

        var refusal = (await handshake).Refusal;
        (refusal.Failure, refusal.Reason).Should().Be((failure, reason), refusal.Message);
    }

    [Test]
    public async Task A_reset_in_the_middle_is_a_lost_transport()
    {
        var (ours, peer) = await ConnectedPair.SocketPairAsync();
        var handshake = End.OfAsync(new MutualTlsClient(_world.ClientOptions).UpgradeAsync(ours, "server.test"));
        await peer.ReceiveAsync(new byte[4096]);

        peer.LingerState = new LingerOption(true, 0);
        peer.Dispose();

        var refusal = (await handshake).Refusal;
        (refusal.Failure, refusal.Reason).Should().Be((HandshakeFailure.TransportLost, RejectionReason.TransportFailed));
    }

    [Test]
    public async Task Whoever_gives_up_gets_his_own_cancellation_and_the_socket_is_closed()
    {
        var (peer, ours) = await ConnectedPair.SocketPairAsync();
        using var _ = peer;
        using var giveUp = new CancellationTokenSource();
        var handshake = End.OfAsync(new MutualTlsServer(_world.ServerOptions).AcceptAsync(ours, giveUp.Token));

        await giveUp.CancelAsync();

        (await handshake).Failure.Should().BeOfType<OperationCanceledException>().Which.CancellationToken.Should().Be(giveUp.Token);
        await AssertClosedAsync(peer);
    }

    /// <summary>Reads whatever is left (an alert, perhaps) up to the end or the reset.</summary>
    private static async Task AssertClosedAsync(Socket peer)
    {
        var buffer = new byte[256];
        try
        {
            while (await peer.ReceiveAsync(buffer).WaitAsync(ConnectedPair.Deadline) > 0)
            {
            }
        }
        catch (SocketException exception)
        {
            exception.SocketErrorCode.Should().Be(SocketError.ConnectionReset);
        }
    }
}
