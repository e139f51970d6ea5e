namespace MutualAuth.Snippets;

/// <summary>docs/how-to/qualified-certificates.md</summary>
internal static class QualifiedCertificates
{
    internal static MutualTlsServerOptions Bank(Identity identity, TrustAnchors qualifiedAuthorities, IRevocationListSource lists)
    {
        // snippet
        var accounts = new MutualTlsServerOptions
        {
            Identity = identity,
            Trust = qualifiedAuthorities,                                          // the issuers of QWACs on the trusted list, and no others
            Revocation = new RevocationPolicy { Lists = lists },
            Authorization = Authorize.Psd2Role(Psd2Role.AccountInformation),       // PSP_AI
        };
        // end
        return accounts;
    }

    internal static void Show(MutualTlsConnection connection)
    {
        // snippet
        Console.WriteLine(connection.Peer.Name);                                                // organization:PSDGB-FCA-123456
        var certificate = connection.Peer.Certificate!;
        Console.WriteLine(certificate.Subject.OrganizationIdentifier?.AuthorizationNumber);     // 123456
        Console.WriteLine(certificate.QcStatements?.Psd2);                                      // PSP_PI, PSP_AI by GB-FCA
        var mayPay = Authorize.Psd2Role(Psd2Role.PaymentInitiation).Examine(connection.Peer, TimeProvider.System.GetUtcNow()) is null;
        // end
        Console.WriteLine(mayPay);
    }

    internal static MutualTlsClientOptions Mail(Identity identity, TrustAnchors authorities)
    {
        // snippet
        var mail = new MutualTlsClientOptions
        {
            Identity = identity,
            Trust = authorities,
            Authorization = Authorize.Service("_imaps.example.org"),               // the domain that was asked, not the host that DNS named
        };
        // end
        return mail;
    }

    internal static MutualTlsServerOptions Assets(Identity identity, TrustAnchors authority)
    {
        // snippet
        var assets = new MutualTlsServerOptions
        {
            Identity = identity,
            Trust = authority,
            Profile = ValidationProfile.MutualTls with { HandledCriticalExtensions = ["1.3.6.1.4.1.99999.3"] },
            Authorization = Authorize.AllOf(
                Authorize.Issuer("CN=Devices,O=Example"),
                Authorize.Where("its asset class is 2", context => context.Certificate.FindExtension("1.3.6.1.4.1.99999.3") is { Value.Span: [2, 1, 2] })),
        };
        // end
        return assets;
    }
}
