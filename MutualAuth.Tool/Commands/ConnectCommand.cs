using MutualAuth.Samples;

namespace MutualAuth.Tool;

/// <summary><c>connect</c>: stdin and stdout over a connection to a server, with the flags of EchoClient.</summary>
internal static class ConnectCommand
{
    internal static ToolCommand Create()
    {
        var command = new ToolCommand("connect", "Connects to a server, sends stdin, and prints what comes back.")
        {
            Details =
            [
                "The end of stdin is sent as the end of our side; the command ends when the server has ended its side. What is said about the "
                    + "connection goes to stderr. The flags are those of the sample EchoClient.",
            ],
            Examples =
            [
                "mutualauth connect --connect inventory.example:8443 --trust authority.pem --certificate client.pem --key client.key < request",
            ],
        };
        var flags = new ClientFlags(command);
        return command.Does(async (arguments, stop) =>
        {
            var (client, endPoint, serverName) = flags.Read(arguments);
            try
            {
                await using var connection = await client.ConnectAsync(endPoint, serverName, stop);
                Events.Accepted(Report.ToErrors(arguments), connection, flags.Group(arguments, connection.Session));
                return await Pipe.RunAsync(connection, stop);
            }
            catch (HandshakeException failure)
            {
                return HandshakeExit.Fail(failure);
            }
            catch (OperationCanceledException)
            {
                return CommandLine.Fail(130, "interrupted", "Stopped by a signal.");
            }
        });
    }
}
