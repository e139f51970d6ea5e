namespace MutualAuth.Snippets;

/// <summary>docs/how-to/check-revocation.md</summary>
internal static class CheckRevocation
{
    internal static void Options(MutualTlsServerOptions serverOptions)
    {
        // snippet
        var checking = serverOptions with
        {
            Revocation = new RevocationPolicy { Lists = RevocationLists.FromFiles("root.crl", "issuing.crl") },
            DenyList = DenyList.FromFile("denied.txt"),
        };
        // end
    }

    internal static void Ask(MutualTlsServerOptions serverOptions)
    {
        // snippet
        using var ocsp = new OcspValidator(new OcspOptions
        {
            Responders =
            [
                new OcspEndpoint(new Uri("http://ocsp.example/")),                                                    // every issuer
                new OcspEndpoint(new Uri("http://root.example/ocsp"), DistinguishedName.Parse("CN=Root,O=Example")),  // but this one
            ],
        });
        var asking = serverOptions with { AsyncValidators = [ocsp] };
        // end
    }

    internal static void Follow(MutualTlsServerOptions serverOptions)
    {
        // snippet
        using var lists = new RevocationListFiles("root.crl", "issuing.crl");
        var following = serverOptions with { Revocation = new RevocationPolicy { Lists = lists }, DenyList = new DenyListFile("denied.txt") };
        // end
    }

    internal static async Task Fetch(MutualTlsServerOptions serverOptions, CancellationToken cancellationToken)
    {
        // snippet
        await using var lists = new FetchedRevocationLists(new RevocationFetchOptions
        {
            Addresses = [new Uri("http://crl.example/root.crl"), new Uri("http://crl.example/issuing.crl")],
            Directory = "/var/lib/inventory/lists",
        });
        await lists.FetchAsync(cancellationToken);    // peers that come before the first lists are rejected
        var fetching = serverOptions with { Revocation = new RevocationPolicy { Lists = lists } };
        // end
    }

    internal static async Task Witness()
    {
        // snippet
        var witness = RevocationListWitness.Open("/var/lib/inventory/lists.witness");    // Create, once, before the first start
        using var files = new RevocationListFiles(["root.crl", "issuing.crl"], witness, null);
        await using var fetched = new FetchedRevocationLists(new RevocationFetchOptions
        {
            Addresses = [new Uri("http://crl.example/partner.crl")],
            Witness = witness,
        });
        // end
    }

    internal static void ShortLived()
    {
        // snippet
        var shortLived = new RevocationPolicy
        {
            Lists = new RevocationListFiles("root.crl"),
            NoRevAvailLifetime = TimeSpan.FromDays(7),       // only where the certificate says so, and was issued for seven days or less
        };
        var rules = ValidationProfile.MutualTls with { MaximumLifetime = TimeSpan.FromDays(7) };
        // end
    }
}
