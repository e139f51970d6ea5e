namespace MutualAuth.Snippets;

/// <summary>docs/security/what-tls-offers.md</summary>
internal static class WhatTlsOffers
{
    internal static void Server()
    {
        // snippet
        var server = new MutualTlsServer(new MutualTlsServerOptions
        {
            Identity = Identity.FromPemFiles("server.pem", "server.key"),
            Trust = TrustAnchors.FromPemFiles("authority.pem"),
            Authorization = Authorize.Dns("client.example"),
            RequirePlatform = PlatformRequirements.Fapi,   // throws PlatformException, with every excess and its remedy
        });
        // end
    }

    internal static async Task Read(CancellationToken cancellationToken)
    {
        // snippet
        var platform = await PlatformReport.ReadAsync(TlsVersion.Tls13, [], cancellationToken);
        foreach (var excess in platform.Examine(PlatformRequirements.Cnsa2 with { Fips = true }))
        {
            Console.WriteLine(excess);   // who, what was expected, what was found, what to do
        }
        // end
    }
}
