namespace MutualAuth.Snippets;

/// <summary>docs/how-to/choose-configuration-by-sni.md</summary>
internal static class ChooseConfigurationBySni
{
    internal static async Task ByTableAsync(MutualTlsServer blue, MutualTlsServer green, MutualTlsServerOptions serverOptions)
    {
        // snippet
        var byName = new Dictionary<string, MutualTlsServer> { ["blue.example"] = blue, ["green.example"] = green };
        var front = new MutualTlsServer(serverOptions with
        {
            SelectServer = (hello, self, cancellation) => ValueTask.FromResult(
                hello.ServerName is { } name ? byName.GetValueOrDefault(name) : null),   // null: unrecognized_name
        });
        await using var shared = MutualTlsListener.Start(new MutualTlsListenerOptions { Server = front, EndPoint = new IPEndPoint(IPAddress.IPv6Any, 8443) });
        // end
    }

    internal static void ByDirectory(MutualTlsServerOptions serverOptions)
    {
        // snippet
        var tenants = new MutualTlsServer(serverOptions with
        {
            SelectServer = async (hello, self, cancellation) =>
                hello.ServerName is { } tenant ? await FindAsync(tenant, cancellation) : self,
        });

        static async Task<MutualTlsServer?> FindAsync(string tenant, CancellationToken cancellation)
        {
            await Task.Delay(1, cancellation);   // your directory
            return null;                         // a tenant that it does not know
        }
        // end
    }
}
