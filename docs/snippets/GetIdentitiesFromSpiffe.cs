using MutualAuth.Spiffe;

namespace MutualAuth.Snippets;

/// <summary>docs/how-to/get-identities-from-spiffe.md</summary>
internal static class GetIdentitiesFromSpiffe
{
    internal static async Task BothSidesAsync(ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        // snippet
        await using var spiffe = await X509Source.ConnectAsync(new X509SourceOptions { LoggerFactory = loggers }, cancellationToken);

        var api = new MutualTlsServer(new MutualTlsServerOptions
        {
            Identity = spiffe.Identity,     // after a rotation, the next handshake presents the new one
            Trust = spiffe.Trust,           // each trust domain's authorities vouch for that domain alone
            Authorization = Authorize.AnyOf(
                Authorize.SpiffeId("spiffe://example.org/frontend"),
                Authorize.MemberOf("partner.test")),    // a federated trust domain
        });

        var billing = new MutualTlsClient(new MutualTlsClientOptions
        {
            Identity = ClientIdentity.From(spiffe.Identity),
            Trust = spiffe.Trust,
            Authorization = Authorize.SpiffeId("spiffe://example.org/billing"),
        });
        // end
    }

    internal static void Files(MutualTlsServerOptions serverOptions)
    {
        // snippet
        var federated = serverOptions with
        {
            Trust = SpiffeBundles.From(
                KeyValuePair.Create(TrustDomain.Parse("example.org"), TrustAnchors.FromPemFiles("example.org.pem")),
                KeyValuePair.Create(TrustDomain.Parse("partner.test"), TrustAnchors.FromPemFiles("partner.test.pem"))),
        };
        // end
    }
}
