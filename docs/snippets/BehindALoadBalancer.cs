namespace MutualAuth.Snippets;

/// <summary>docs/how-to/behind-a-load-balancer.md, and the socket from systemd of docs/reference/connection-and-listener.md</summary>
internal static class BehindALoadBalancer
{
    internal static async Task ListenAsync(MutualTlsServer server)
    {
        // snippet
        await using var listener = MutualTlsListener.Start(new MutualTlsListenerOptions
        {
            Server = server,
            EndPoint = new IPEndPoint(IPAddress.IPv6Any, 8443),
            ProxyProtocol = new ProxyProtocol { TrustedProxies = [IPNetwork.Parse("10.1.2.0/24")] },
        });
        // end
    }

    internal static async Task ActivateAsync(MutualTlsServer server)
    {
        // snippet
        if (Environment.GetEnvironmentVariable("LISTEN_FDS") == "1")
        {
            var activated = new Socket(new SafeSocketHandle(3, ownsHandle: true));
            await using var listener = MutualTlsListener.Start(new MutualTlsListenerOptions { Server = server, BoundSocket = activated });
        }
        // end
    }

    internal static void Acknowledge(MutualTlsServerOptions serverOptions)
    {
        // snippet
        var acknowledged = serverOptions with { AcknowledgedWarnings = ConfigurationWarnings.RevocationNotChecked };
        // end
    }
}
