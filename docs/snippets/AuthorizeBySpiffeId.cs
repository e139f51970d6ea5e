namespace MutualAuth.Snippets;

/// <summary>docs/how-to/authorize-by-spiffe-id.md</summary>
internal static class AuthorizeBySpiffeId
{
    internal static void Server()
    {
        // snippet
        var backend = new MutualTlsServer(new MutualTlsServerOptions
        {
            Identity = Identity.FromPemFiles("svid.pem", "svid.key"),
            Trust = TrustAnchors.FromPemFiles("bundle.pem"),
            Authorization = Authorize.AnyOf(
                Authorize.SpiffeId("spiffe://example.org/frontend"),
                Authorize.AllOf(
                    Authorize.MemberOf("example.org"),
                    Authorize.Where("its path begins with /batch/", peer => peer.Certificate.Uris[0].StartsWith("spiffe://example.org/batch/", StringComparison.Ordinal)))),
        });
        // end
    }

    internal static async Task ClientAsync(CancellationToken cancellationToken)
    {
        // snippet
        var workload = new MutualTlsClient(new MutualTlsClientOptions
        {
            Identity = Identity.FromPemFiles("svid.pem", "svid.key"),
            Trust = TrustAnchors.FromPemFiles("bundle.pem"),
            Authorization = Authorize.SpiffeId("spiffe://example.org/backend"),   // no DNS name is asked for
        });
        await using var toBackend = await workload.ConnectAsync("10.0.0.7", 8443, cancellationToken);
        Console.WriteLine(toBackend.Peer.SpiffeId);
        // end
    }
}
