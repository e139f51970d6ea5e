using MutualAuth.Tokens;

namespace MutualAuth.Snippets;

/// <summary>docs/how-to/tokens.md</summary>
internal static class Tokens
{
    internal static async Task ServerAsync(MutualTlsServerOptions serverOptions, CancellationToken cancellationToken)
    {
        // snippet
        var issuer = new TokenIssuerConnection { Trust = TrustAnchors.FromPemFiles("issuer-authority.pem") };
        await using var keys = await IssuerKeys.DiscoverAsync(
            "https://issuer.example", new IssuerKeysOptions { Connection = issuer }, cancellationToken);
        var tokens = new JwtValidator(new JwtValidatorOptions
        {
            Issuer = "https://issuer.example",
            Audiences = ["https://invoices.example"],
            RequiredScopes = ["invoices:read"],
            Keys = keys,
        });
        var service = serverOptions with { Credentials = Require.CertificateAndUser(SaslServer.BoundTokens(tokens)) };
        // end
        _ = service;
    }

    internal static void Ask(TokenIssuerConnection issuer, MutualTlsServerOptions serverOptions)
    {
        // snippet
        using var asks = new IntrospectionValidator(new IntrospectionOptions
        {
            Endpoint = new Uri("https://issuer.example/introspect"),
            Connection = issuer,
            Credentials = IssuerCredentials.BySecretFile("invoices", "client-secret"),
            Audiences = ["https://invoices.example"],
        });
        // end
        _ = serverOptions with { Credentials = Require.CertificateAndUser(SaslServer.BoundTokens(asks)) };
    }

    internal static async Task ClientAsync(MutualTlsClientOptions clientOptions, IdentityFiles identity)
    {
        // snippet
        await using var source = TokenSource.ClientCredentials(new ClientCredentialsOptions
        {
            Endpoint = new Uri("https://issuer.example/token"),
            Connection = new TokenIssuerConnection { Trust = TrustAnchors.FromPemFiles("issuer-authority.pem"), Identity = identity },
            Credentials = IssuerCredentials.ByCertificate("billing"),
            Scopes = ["invoices:read"],
        });
        var client = new MutualTlsClient(clientOptions with { Identity = identity, Credentials = Login.WithToken(source.GetForAsync) });
        // end
        _ = client;
    }
}
