using System.Net.Sockets;
using MutualAuth.Samples;

namespace MutualAuth.Tool;

/// <summary><c>serve</c>: stdin and stdout over a connection from a client, with the flags of EchoServer.</summary>
internal static class ServeCommand
{
    internal static ToolCommand Create()
    {
        var command = new ToolCommand("serve", "Accepts one client, sends it stdin, and prints what it sends.")
        {
            Details =
            [
                "It listens until a client is accepted; clients that are rejected are told on stderr. It ends when the accepted client has ended its "
                    + "side. stdout has the client's octets alone. The flags are those of the sample EchoServer; with neither --certificate nor "
                        + "--trust "
                    + "it makes a throwaway authority, and says how to connect.",
            ],
            Examples =
            [
                "mutualauth serve --listen 127.0.0.1:8443",
                "mutualauth serve --listen 127.0.0.1:8443 --certificate server.pem --key server.key --trust authority.pem --allow-dns client.test",
            ],
        };
        var flags = new ServerFlags(command);
        return command.Does(async (arguments, stop) =>
        {
            var report = Report.ToErrors(arguments);
            var (options, throwaway) = flags.Read(arguments);
            try
            {
                await using var listener = Start(options with { OnHandshakeFailed = failure => Events.Failed(report, failure) });
                report.Line($"listening on {listener.LocalEndPoint}", ("event", "listening"), ("address", listener.LocalEndPoint.ToString()));
                throwaway?.PrintHowToConnect(listener.LocalEndPoint, flags.LoginHint(arguments), "mutualauth connect");
                await using var connection = await listener.AcceptAsync(stop);
                Events.Accepted(report, connection, flags.Group(arguments, connection.Session));
                return await Pipe.RunAsync(connection, stop);
            }
            catch (OperationCanceledException)
            {
                return CommandLine.Fail(130, "interrupted", "Stopped by a signal.");
            }
        });
    }

    private static MutualTlsListener Start(MutualTlsListenerOptions options)
    {
        try
        {
            return MutualTlsListener.Start(options);
        }
        catch (Exception exception) when (exception is SocketException or ArgumentException)
        {
            throw new UsageException($"Cannot listen on {options.EndPoint}: {exception.Message}");
        }
    }
}
