using MutualAuth.Spiffe;
using MutualAuth.Spiffe.Testing;
using MutualAuth.Tokens;

namespace MutualAuth.Snippets;

/// <summary>docs/how-to/get-identities-from-spiffe.md</summary>
public static class GetIdentitiesFromSpiffe
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

    /// <summary>An agent for a test.</summary>
    public static async Task TestAsync()
    {
        // snippet
        using var domain = new TestTrustDomain("example.org");                   // its authority is a TestAuthority
        using var partner = new TestTrustDomain("partner.test");
        await using var agent = await FakeWorkloadApi.StartAsync(domain.Update("/payments", partner));
        await using var spiffe = await X509Source.ConnectAsync(new X509SourceOptions { Address = WorkloadApiAddress.Parse(agent.Address) });

        agent.Send(domain.Update("/payments"));        // a rotation over the open stream; the federation has ended
        agent.Refuse();                                // PermissionDenied, until something is sent again
        await agent.GoAwayAsync();                     // streams break off, as when an agent is killed
        agent.Send(new WorkloadUpdate { Svids = [domain.Issue("/payments") with { Hint = "internal" }] });
        await agent.ComeBackAsync();                   // with what was sent last
        // end
    }

    internal static async Task ServerOfTokensAsync(MutualTlsServerOptions serverOptions, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        // snippet
        await using var keys = await JwtSource.ConnectAsync(new JwtSourceOptions { LoggerFactory = loggers }, cancellationToken);
        var workloads = new JwtSvidValidator(new JwtSvidValidatorOptions
        {
            Audiences = ["spiffe://example.org/invoices"],                          // our own name
            Bundles = keys,                                                         // each trust domain's keys, followed
            Workloads = WorkloadRule.AnyOf(
                WorkloadRule.SpiffeId("spiffe://example.org/billing"),
                WorkloadRule.MemberOf("partner.test")),
        });
        var behindProxy = serverOptions with                                        // its rules for certificates are those for the proxy
        {
            Credentials = Require.CertificateAndUser(SaslServer.DangerouslyUnboundTokens(workloads)),
        };
        // end
        _ = behindProxy;
    }

    internal static async Task ClientWithTokensAsync(MutualTlsClientOptions clientOptions)
    {
        // snippet
        await using var tokens = JwtSvids.Renewing(new JwtSvidRequest { Audiences = ["spiffe://example.org/invoices"] });
        var throughProxy = clientOptions with { Credentials = Login.WithToken(tokens.GetForAsync) };
        // end
        _ = throughProxy;
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
