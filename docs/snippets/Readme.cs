namespace MutualAuth.Snippets;

/// <summary>README.md</summary>
internal static class Readme
{
    internal static async Task ServerAsync(Func<MutualTlsConnection, Task> ServeAsync)
    {
        // snippet
        var server = new MutualTlsServer(new MutualTlsServerOptions
        {
            Identity = Identity.FromPemFiles("server.pem", "server.key"),
            Trust = TrustAnchors.FromPemFiles("authority.pem"),
            Authorization = Authorize.Dns("client.example"),
        });
        await using var listener = MutualTlsListener.Start(new MutualTlsListenerOptions { Server = server, EndPoint = new IPEndPoint(IPAddress.IPv6Any, 8443) });
        await foreach (var connection in listener.AcceptAllAsync())
        {
            _ = ServeAsync(connection);   // connection.Peer.Name, connection.Stream; dispose of it when done
        }
        // end
    }

    internal static async Task ClientAsync()
    {
        // snippet
        var client = new MutualTlsClient(new MutualTlsClientOptions
        {
            Identity = Identity.FromPemFiles("client.pem", "client.key"),
            Trust = TrustAnchors.FromPemFiles("authority.pem"),
            Authorization = Authorize.ServerName,
            Confirmation = ConfirmationPolicy.Required,
        });
        await using var connection = await client.ConnectAsync("server.example", 8443);
        await connection.Stream.WriteAsync("hello"u8.ToArray());
        Console.WriteLine($"connected to {connection.Peer.Name}, who has accepted us");
        // end
    }
}
