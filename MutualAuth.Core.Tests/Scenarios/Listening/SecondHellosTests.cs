using System.Net.Sockets;
using MutualAuth.Hello;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>A hello that answers a HelloRetryRequest (RFC 8446 §4.1.4) is judged like the first, however it is sent.</summary>
[CancelAfter(60000)]
public sealed class SecondHellosTests
{
    private const int Brainpool = 0x001a; // an elliptic curve that OpenSSL does not use in TLS 1.3
    private const int Ffdhe2048 = 0x0100;

    private static readonly byte[] s_changeCipherSpec = [20, 3, 3, 0, 1, 1];

    private World _world = null!;

    public enum Way
    {
        Plainly = 1,
        AfterChangeCipherSpec = 2,
        OctetByOctet = 3,
        WithTheFirst = 4,
        InSmallRecords = 5,
    }

    [OneTimeSetUp]
    public void SetUp() => _world = new World();

    [OneTimeTearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task A_finite_field_key_share_is_refused_the_second_time_too([Values] Way way)
    {
        var (first, second) =
            (Offering([Brainpool, Ffdhe2048]), Offering([Brainpool, Ffdhe2048], (Ffdhe2048, Enumerable.Repeat((byte)7, 256).ToArray())));
        var (peer, handshake) = await SendAsync(first, second, way);
        using var _ = peer;
        peer.Shutdown(SocketShutdown.Send);

        (await HearAsync(peer, int.MaxValue)).Should().EndWith([21, 3, 3, 0, 2, 2, 40]);
        var refusal = (await handshake).Refusal;
        (refusal.Failure, refusal.Reason).Should().Be((HandshakeFailure.NoAgreement, RejectionReason.NoCommonCipherSuite), refusal.Message);
        refusal.Rejection.Presented.Should().Contain("0x0100");
    }

    [Test]
    public async Task An_elliptic_key_share_is_taken_the_second_time([Values] Way way)
    {
        var (first, second) = (Offering([0x001d, Ffdhe2048]), Offering([0x001d, Ffdhe2048], (0x001d, HelloDraft.X25519())));
        var (peer, handshake) = await SendAsync(first, second, way);
        using var _ = peer;

        // More than a HelloRetryRequest, its change_cipher_spec and an alert: the certificate is on its way.
        (await HearAsync(peer, 200)).Should().HaveCountGreaterThanOrEqualTo(200);
        peer.Dispose();
        (await handshake).Refusal.Failure.Should().Be(HandshakeFailure.TransportLost);
    }

    [Test]
    public async Task What_is_no_hello_is_left_to_the_engine()
    {
        var (peer, handshake) = await SendAsync(Offering([0x001d, Ffdhe2048]), [21, 3, 3, 0, 2, 2, 47], Way.Plainly);
        using var _ = peer;

        var refusal = (await handshake).Refusal;
        (refusal.Reason, refusal.PeerReason).Should().Be((RejectionReason.RefusedByPeer, PublicReason.ProtocolError));
    }

    [Test]
    public async Task A_second_hello_has_the_bound_of_the_first()
    {
        var (peer, handshake) = await SendAsync(Offering([0x001d, Ffdhe2048]), [22, 3, 3, 0, 4, 1, 0, 0x40, 1], Way.Plainly);
        using var _ = peer;

        (await HearAsync(peer, int.MaxValue)).Should().EndWith([21, 3, 3, 0, 2, 2, 50]);
        peer.Shutdown(SocketShutdown.Send);
        (await handshake).Refusal.Reason.Should().Be(RejectionReason.ClientHelloTooLarge);
    }

    [Test]
    public void Only_a_HelloRetryRequest_is_taken_for_one()
    {
        // RFC 8446 §4.1.3.
        var random = Convert.FromHexString("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C");
        byte[] retry = [22, 3, 3, 0, 88, 2, 0, 0, 84, 3, 3, .. random, 32];

        HelloAfterRetry.IsAskedFor(retry).Should().BeTrue();
        HelloAfterRetry.IsAskedFor(retry.AsSpan(0, 42)).Should().BeFalse();
        retry[20] ^= 1;
        HelloAfterRetry.IsAskedFor(retry).Should().BeFalse("any other random is a ServerHello's");
    }

    private static byte[] Offering(int[] groups, params (int Group, byte[] Key)[] shares) => (new HelloDraft() with
    {
        Extensions = [HelloDraft.Signatures, HelloDraft.Groups(groups), HelloBytes.Versions(0x0304), HelloDraft.Shares(shares)],
    }).Message();

    private async Task<(Socket Peer, Task<End> Handshake)> SendAsync(byte[] first, byte[] second, Way way)
    {
        var (peer, ours) = await ConnectedPair.SocketPairAsync();
        peer.NoDelay = true;
        var handshake = End.OfAsync(new MutualTlsServer(_world.ServerOptions).AcceptAsync(ours));
        var records = second[0] == 1 ? HelloBytes.Records(second, way == Way.InSmallRecords ? 3 : 16384) : second;
        if (way == Way.WithTheFirst)
        {
            await peer.SendAsync(HelloBytes.Concat(HelloBytes.Records(first), records)).WaitAsync(ConnectedPair.Deadline);
            return (peer, handshake);
        }

        await peer.SendAsync(HelloBytes.Records(first)).WaitAsync(ConnectedPair.Deadline);
        (await HearAsync(peer, 6))[5].Should().Be(2, "a HelloRetryRequest is a ServerHello by its type");
        await peer.SendAsync(way == Way.AfterChangeCipherSpec ? HelloBytes.Concat(s_changeCipherSpec, s_changeCipherSpec, records) : records[..1])
            .WaitAsync(ConnectedPair.Deadline);
        var rest = way == Way.AfterChangeCipherSpec ? [] : records[1..];
        foreach (var piece in way == Way.OctetByOctet ? rest.Chunk(1) : [rest])
        {
            await peer.SendAsync(piece).WaitAsync(ConnectedPair.Deadline);
        }

        return (peer, handshake);
    }

    private static async Task<byte[]> HearAsync(Socket peer, int enough)
    {
        var heard = new List<byte>();
        var buffer = new byte[4096];
        while (heard.Count < enough && await peer.ReceiveAsync(buffer).WaitAsync(ConnectedPair.Deadline) is var count && count > 0)
        {
            heard.AddRange(buffer[..count]);
        }

        // What the first call took beyond what it asked for is not missed by those who look at the end.
        return [.. heard];
    }
}
