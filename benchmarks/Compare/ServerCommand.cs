using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using MutualAuth.Collections;
using MutualAuth.Credentials;

namespace MutualAuth.Benchmarks.Compare;

/// <summary>One echo server of a kind, in a process of its own: <c>compare-server KIND DIRECTORY TLS</c>.</summary>
internal static class ServerCommand
{
    internal static async Task RunAsync(string kind, string directory, Scenario scenario)
    {
        if (kind == "OursWithoutCaches")
        {
            CacheSize.Limit = 0;
        }

        if (kind.StartsWith("Http", StringComparison.Ordinal))
        {
            await HttpServerCommand.RunAsync(kind, directory, scenario);
        }
        else if (Enum.TryParse<PlainStyle>(kind, out var style))
        {
            await ServePlainAsync(new PlainTls(style, scenario, directory, "server"));
        }
        else
        {
            await ServeOursAsync(directory, scenario, kind == "OursWithLogin");
        }
    }

    private static async Task ServeOursAsync(string directory, Scenario scenario, bool withLogin)
    {
        var options = OptionsOf(directory, scenario);
        var server = new MutualTlsServer(withLogin ? options with { Credentials = await LoginPolicyAsync() } : options);
        await using var listener = MutualTlsListener.Start(new() { Server = server, EndPoint = new IPEndPoint(IPAddress.Loopback, 0) });
        _ = AcceptOursAsync(listener);
        await ControlLoop.AnswerAsync(((IPEndPoint)listener.LocalEndPoint).Port);
    }

    internal static MutualTlsServerOptions OptionsOf(string directory, Scenario scenario) => new()
    {
        Identity = Identity.FromPemFiles(Path.Combine(directory, "server.pem"), Path.Combine(directory, "server.key")),
        Trust = TrustAnchors.FromPemFiles(Path.Combine(directory, "root.pem")),
        Authorization = Authorize.Dns("client.test"),
        MaximumTlsVersion = scenario.Tls == "1.2" ? TlsVersion.Tls12 : TlsVersion.Tls13,
    };

    private static async Task<CredentialPolicy> LoginPolicyAsync()
    {
        var store = new MemoryCredentialStore();
        using var password = Password.From(Materials.Password);
        await store.SetAsync(Materials.User, ScramVerifier.Create(password, iterations: Materials.Iterations));
        return Require.CertificateAndUser(SaslServer.Scram(store));
    }

    private static async Task AcceptOursAsync(MutualTlsListener listener)
    {
        await foreach (var connection in listener.AcceptAllAsync())
        {
            _ = EchoOursAsync(connection);
        }
    }

    private static async Task EchoOursAsync(MutualTlsConnection connection)
    {
        await using (connection)
        {
            await EchoAsync(connection.Stream);
        }
    }

    private static async Task ServePlainAsync(PlainTls tls)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(512);
        _ = AcceptPlainAsync(listener, tls);
        await ControlLoop.AnswerAsync(((IPEndPoint)listener.LocalEndPoint!).Port);
    }

    private static async Task AcceptPlainAsync(Socket listener, PlainTls tls)
    {
        while (true)
        {
            var socket = await listener.AcceptAsync();
            _ = EchoPlainAsync(socket, tls);
        }
    }

    private static async Task EchoPlainAsync(Socket socket, PlainTls tls)
    {
        socket.NoDelay = true;
        await using var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        try
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            await stream.AuthenticateAsServerAsync(tls.ForServer(), deadline.Token);
            await tls.ConfirmAsync(stream);
            await EchoAsync(stream);
            await stream.ShutdownAsync();
        }
        catch (Exception exception)
        {
            await Console.Error.WriteLineAsync(exception.ToString());
        }
    }

    private static async Task EchoAsync(SslStream stream)
    {
        // Waits for the first byte without a buffer, as a server with many idle connections does.
        if (await stream.ReadAsync(Memory<byte>.Empty) != 0)
        {
            return;
        }

        var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(64 * 1024);
        int count;
        while ((count = await stream.ReadAsync(buffer)) > 0)
        {
            await stream.WriteAsync(buffer.AsMemory(0, count));
        }

        System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
    }
}
