// snippet
internal static class Program
{
    private static async Task Main(string[] args)
    {
        switch (args)
        {
            case ["make"]:
                using (var authority = new TestAuthority())
                {
                    authority.WriteTo(".");                                     // authority.pem
                    authority.IssueServer("localhost").WriteTo(".", "server");  // server.pem, server.key
                    authority.IssueClient("alice.test").WriteTo(".", "alice");
                    authority.IssueClient("mallory.test").WriteTo(".", "mallory");
                }

                return;

            case ["serve"]:
                await using (var listener = MutualTlsListener.Start(new MutualTlsListenerOptions
                {
                    EndPoint = new IPEndPoint(IPAddress.IPv6Any, 8443),
                    Server = new MutualTlsServer(new MutualTlsServerOptions
                    {
                        Identity = Identity.FromPemFiles("server.pem", "server.key"),
                        Trust = TrustAnchors.FromPemFiles("authority.pem"),
                        Authorization = Authorize.Dns("alice.test"),
                    }),
                    OnHandshakeFailed = failure => Console.WriteLine($"rejected: {failure.Message}"),
                }))
                {
                    Console.WriteLine($"listening on {listener.LocalEndPoint}");
                    await foreach (var connection in listener.AcceptAllAsync())
                    {
                        Console.WriteLine($"{connection.Peer.Name} is here, confirmed: {connection.IsConfirmed}");
                        await connection.DisposeAsync();
                    }
                }

                return;

            case ["connect", var name]:
                var client = new MutualTlsClient(new MutualTlsClientOptions
                {
                    Identity = Identity.FromPemFiles($"{name}.pem", $"{name}.key"),
                    Trust = TrustAnchors.FromPemFiles("authority.pem"),
                    Authorization = Authorize.ServerName,
                });
                try
                {
                    await using var connection = await client.ConnectAsync("localhost", 8443);
                    Console.WriteLine($"{connection.Peer.Name} has accepted us: {connection.IsConfirmed}");
                }
                catch (HandshakeException failure)
                {
                    Console.WriteLine(failure.Message);
                }

                return;
        }
    }
}
// end
