namespace MutualAuth.Snippets;

/// <summary>docs/how-to/size-certificates.md</summary>
internal static class SizeCertificates
{
    internal static MutualTlsServerOptions WithRoom()
    {
        // snippet
        var roomy = new MutualTlsServerOptions
        {
            Identity = Identity.FromPemFiles("server.pem", "server.key"),
            Trust = TrustAnchors.FromPemFiles("partners.pem"),
            Authorization = Authorize.AnyTrustedPeer,
            Profile = ValidationProfile.MutualTls with { Budget = new ValidationBudget { NameComparisons = 200_000 } },
        };
        // end
        return roomy;
    }
}
