using System.Net.Sockets;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>
/// Whoever begins TLS wrongly is told what is wrong, in the clear, as RFC 8446 §6 demands; then the connection is closed without a reset.
/// </summary>
[CancelAfter(60000)]
public sealed class AnsweredHellosTests
{
    private World _world = null!;

    [OneTimeSetUp]
    public void SetUp() => _world = new World();

    [OneTimeTearDown]
    public void TearDown() => _world.Dispose();

    private static IEnumerable<TestCaseData> Cases() => HelloCases.All.Select(hello => new TestCaseData(hello).SetArgDisplayNames(hello.Name));

    [TestCaseSource(nameof(Cases))]
    public async Task A_hello_gets_its_answer(object hello)
    {
        var (bytes, alert, inSilence) = hello is HelloCase given
            ? (given.Bytes, given.Alert, given.InSilence)
            : throw new ArgumentException("No case.", nameof(hello));
        var (peer, ours) = await ConnectedPair.SocketPairAsync();
        using var _ = peer;
        var handshake = End.OfAsync(new MutualTlsServer(_world.ServerOptions).AcceptAsync(ours));

        await peer.SendAsync(bytes).WaitAsync(ConnectedPair.Deadline);

        if (alert is null && !inSilence)
        {
            (await HearAsync(peer, 6)).Should().StartWith([22, 3, 3]).And.HaveElementAt(5, 2, "it is a ServerHello, or asks for another hello");
            peer.Dispose();
            (await handshake).Refusal.Failure.Should().Be(HandshakeFailure.TransportLost);
            return;
        }

        peer.Shutdown(SocketShutdown.Send);
        (await HearAsync(peer, int.MaxValue)).Should().Equal(inSilence ? [] : [21, 3, 3, 0, 2, 2, (byte)alert!.Value]);
        (await handshake).Failure.Should().BeOfType<HandshakeException>();
    }

    /// <summary>Reads to the end, or until there is enough. A reset is a failure: it may erase what was said before it.</summary>
    private static async Task<byte[]> HearAsync(Socket peer, int enough)
    {
        var heard = new List<byte>();
        var buffer = new byte[4096];
        while (heard.Count < enough && await peer.ReceiveAsync(buffer).WaitAsync(ConnectedPair.Deadline) is var count && count > 0)
        {
            heard.AddRange(buffer[..count]);
        }

        return [.. heard];
    }
}
