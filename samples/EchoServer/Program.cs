// An echo server that knows its clients. Every flag: --help. A first try, with throwaway certificates:
//   dotnet run --project samples/EchoServer -- --listen 127.0.0.1:8443
// It prints one line per event on stdout, and the command for a client on stderr.
using System.CommandLine;
using System.Net.Sockets;
using MutualAuth;
using MutualAuth.Samples;

var drainTimeout = TimeSpan.FromSeconds(5);
var quietTime = TimeSpan.FromSeconds(1);

var flags = new ServerFlags(new RootCommand(
    "Echoes what authenticated clients send. With neither --certificate nor --trust it makes a throwaway authority, and says how to connect."));
flags.Command.SetAction(ServeAsync);
return await CommandLine.RunAsync(flags.Command, args);

async Task<int> ServeAsync(ParseResult arguments, CancellationToken stop)
{
    var (options, throwaway) = flags.Read(arguments);
    await using var listener = Start(options with { OnHandshakeFailed = ReportFailure });
    Console.WriteLine($"listening on {listener.LocalEndPoint}");
    throwaway?.PrintHowToConnect(listener.LocalEndPoint, flags.LoginHint(arguments));

    await using var onStop = stop.Register(() => listener.StopAsync(drainTimeout));
    await foreach (var connection in listener.AcceptAllAsync(CancellationToken.None))
    {
        var session = connection.Session;
        Console.WriteLine(
            $"accepted name={connection.Peer.Name} user={CommandLine.Token(connection.Peer.User?.Name)} "
                + $"confirmed={(connection.IsConfirmed ? "yes" : "no")} tls={(session.TlsVersion == TlsVersion.Tls13 ? "1.3" : "1.2")} "
                + $"alpn={session.ApplicationProtocol ?? "-"}{flags.Group(arguments, session)}");
        _ = EchoAsync(connection);
    }

    // The listener gives no more connections; open ones still have the remaining time.
    await listener.StopAsync(drainTimeout, CancellationToken.None); // the end of the loop is not urgent
    return 0;
}

static MutualTlsListener Start(MutualTlsListenerOptions options)
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

async Task EchoAsync(MutualTlsConnection connection)
{
    await using var owned = connection;

    // When asked to stop, or when a client is no longer valid, we continue while bytes keep coming, and end when the connection is idle.
    using var quiet = new CancellationTokenSource();
    await using var onDrain = connection.DrainRequested.Register(() => quiet.CancelAfter(quietTime));
    var buffer = new byte[16 * 1024];
    try
    {
        while (await connection.Stream.ReadAsync(buffer, quiet.Token) is > 0 and var count)
        {
            await connection.Stream.WriteAsync(buffer.AsMemory(0, count), CancellationToken.None);
            if (connection.DrainRequested.IsCancellationRequested)
            {
                quiet.CancelAfter(quietTime);
            }
        }

        await connection.CompleteWritesAsync();
    }
    catch (IOException exception) when (connection.TryGetRefusal(exception, out var refusal))
    {
        ReportFailure(refusal);
    }
    catch (Exception exception) when (exception is IOException or OperationCanceledException)
    {
        // The client has disconnected, or the time to drain is over.
    }

    if (connection.Invalidation is { } lost)
    {
        Console.WriteLine($"closed name={connection.Peer.Name} reason={lost.Rejection.Reason.ToCode()}");
    }
}

static void ReportFailure(HandshakeException failure)
{
    Console.WriteLine(
        failure.Failure == HandshakeFailure.RefusedByPeer
            ? $"refused-by-peer code={(failure.PeerReason ?? PublicReason.Refused).ToCode()}"
            : $"rejected reason={failure.Reason.ToCode()} name={failure.PeerName ?? "-"}");

    // What was expected and what came instead, for the operator.
    CommandLine.Note($"{failure.RemoteEndPoint}: {failure.Rejection}");
}
