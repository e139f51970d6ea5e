// A client that knows its server. Every flag: --help. EchoServer prints a first command.
// Sends stdin to the server and prints its answer on stdout; the exit code says how it ended, and the last line of stderr why.
using System.CommandLine;
using MutualAuth;
using MutualAuth.Samples;

var flags = new ClientFlags(new RootCommand(
    "Sends stdin to an echo server, prints what comes back, and ends when all of it has. Empty stdin: the handshake alone."));
flags.Command.SetAction(TalkAsync);
return await CommandLine.RunAsync(flags.Command, args);

async Task<int> TalkAsync(ParseResult arguments, CancellationToken stop)
{
    var (client, endPoint, serverName) = flags.Read(arguments);
    try
    {
        await using var connection = await client.ConnectAsync(endPoint, serverName, stop);
        var session = connection.Session;
        Console.Error.WriteLine(
            $"accepted name={connection.Peer.Name} confirmed={(connection.IsConfirmed ? "yes" : "no")} "
                + $"tls={(session.TlsVersion == TlsVersion.Tls13 ? "1.3" : "1.2")} alpn={session.ApplicationProtocol ?? "-"}"
                + flags.Group(arguments, session));
        try
        {
            var conversation = new Conversation(connection, Console.OpenStandardInput(), Console.OpenStandardOutput());
            return await conversation.RunAsync(stop)
                ? 0
                : CommandLine.Fail(
                    1,
                    "peer_closed",
                    "The server closed before everything had come back."
                        + (connection.IsConfirmed ? null : " It may have refused us without a word."));
        }
        catch (IOException exception) when (connection.TryGetRefusal(exception, out var refusal))
        {
            return HandshakeExit.Fail(refusal);
        }
        catch (Exception exception) when (exception is IOException or TimeoutException)
        {
            return CommandLine.Fail(1, "peer_closed", $"The connection broke before everything had come back: {exception.Message}");
        }
    }
    catch (HandshakeException failure)
    {
        return HandshakeExit.Fail(failure);
    }
    catch (OperationCanceledException)
    {
        return CommandLine.Fail(130, "interrupted", "Stopped by a signal.");
    }
}
