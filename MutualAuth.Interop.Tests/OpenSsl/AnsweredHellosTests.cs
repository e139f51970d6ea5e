using System.Globalization;
using System.Net;
using System.Net.Sockets;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.OpenSsl;

/// <summary>A client that begins wrongly learns of us what it would learn of OpenSSL itself; where not, the table says why.</summary>
public sealed class AnsweredHellosTests
{
    [Test]
    [CancelAfter(120000)]
    public async Task Hellos_are_answered_as_OpenSSL_answers_them()
    {
        using var workshop = new Workshop();
        var certificate = workshop.Server();
        await using var theirs = RunningProgram.Start(
            Tool.Find("openssl"),
            "s_server", "-accept", "127.0.0.1:0", "-rev", "-cert", certificate.Leaf, "-key", certificate.Key, "-Verify", "3", "-min_protocol",
            "TLSv1.2");
        var address = IPEndPoint.Parse((await theirs.LineAsync("ACCEPT "))["ACCEPT ".Length..].Trim());
        await using var ours = await EchoServer.StartAsync(workshop, certificate);

        var differences = new List<string>();
        foreach (var hello in HelloCases.All)
        {
            var expected = hello.InSilence ? "silence" : hello.Alert is { } alert ? $"alert {alert}" : "a ServerHello";
            var (weSay, theySay) =
                (await AnswerAsync(new IPEndPoint(IPAddress.Loopback, ours.Port), hello.Bytes), await AnswerAsync(address, hello.Bytes));
            if (weSay != expected || (theySay == expected) == (hello.OpenSslDiffers is not null))
            {
                differences.Add($"{hello.Name}: expected {expected}, we say {weSay}, OpenSSL says {theySay}");
            }
        }

        string.Join('\n', differences).Should().BeEmpty();
    }

    private static async Task<string> AnswerAsync(IPEndPoint server, byte[] says)
    {
        using var deadline = new CancellationTokenSource(RunningProgram.Deadline);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server, deadline.Token);
        var heard = new byte[7];
        var length = 0;
        try
        {
            await socket.SendAsync(says, deadline.Token);
            for (var count = 1; count > 0 && length < heard.Length; length += count)
            {
                count = await socket.ReceiveAsync(heard.AsMemory(length), deadline.Token);
            }
        }
        catch (SocketException)
        {
            // OpenSSL closes with octets unread; what it said may have come before.
        }

        return heard.AsSpan(0, length) switch
        {
            [] => "silence",
            [21, _, _, 0, 2, 2, var alert] => string.Create(CultureInfo.InvariantCulture, $"alert {alert}"),
            [22, 3, _, _, _, 2, ..] => "a ServerHello",
            var other => Convert.ToHexString(other),
        };
    }
}
