using System.Net;
using System.Net.Sockets;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

public sealed class SilentSocketsTests
{
    private const int Silent = 2000;
    private const int Batch = 250;
    private const int MostFromOneAddress = 256;

    [Test]
    [CancelAfter(120000)]
    public async Task Two_thousand_silent_sockets_neither_keep_an_honest_client_out_nor_stay()
    {
        using var workshop = new Workshop();
        await using var server = await EchoServer.StartAsync(workshop, workshop.Server(), "--handshake-timeout", "5");
        var evicted = 0;
        var sockets = new List<Socket>();
        while (sockets.Count < Silent)
        {
            sockets.AddRange(
                await Task.WhenAll(Enumerable.Range(0, Batch).Select(_ => ConnectAsync(server.Port))).WaitAsync(RunningProgram.Deadline));

            // More than the kernel's queue holds would not reach the server, and not be told so either: wait until it has taken these.
            for (; evicted < sockets.Count - MostFromOneAddress; evicted++)
            {
                await server.LineAsync("rejected ");
            }
        }

        var client = await EchoClient.RunAsync("hello\n", server.Address, workshop, workshop.Client());

        (client.ExitCode, client.Output).Should().Be((0, "hello"), client.All);
        await Task.WhenAll(sockets.Select(EndAsync)).WaitAsync(RunningProgram.Deadline);
        server.Program.Terminate();
        (await server.Program.ExitCodeAsync()).Should().Be(0);
        server.Program.Output.Count(line => line is "rejected reason=no_client_hello name=-" or "rejected reason=evicted_before_hello name=-")
            .Should().Be(Silent);
        server.Program.Output.Should().ContainSingle(line => line.StartsWith("accepted ", StringComparison.Ordinal)).And.HaveCount(Silent + 2);
    }

    private static async Task<Socket> ConnectAsync(int port)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port);
        return socket;
    }

    /// <summary>Waits until the server has closed the socket.</summary>
    private static async Task EndAsync(Socket socket)
    {
        using (socket)
        {
            try
            {
                (await socket.ReceiveAsync(new byte[1])).Should().Be(0);
            }
            catch (SocketException)
            {
                // Reset: closed as well.
            }
        }
    }
}
