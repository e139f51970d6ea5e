using MutualAuth.Factors;
using MutualAuth.Http;
using MutualAuth.Spiffe;
using MutualAuth.Spiffe.Testing;
using MutualAuth.Testing.Assertions;
using MutualAuth.Testing.Transports;
using MutualAuth.Tokens;

namespace MutualAuth.Snippets;

/// <summary>The README of each package.</summary>
public static class PackagePages
{
    internal static async Task ServerAsync(Func<MutualTlsConnection, Task> ServeAsync)
    {
        // snippet
        var server = new MutualTlsServer(new MutualTlsServerOptions
        {
            Identity = Identity.FromPemFiles("server.pem", "server.key"),
            Trust = TrustAnchors.FromPemFiles("authority.pem"),
            Authorization = Authorize.Dns("client.example"),
        });
        await using var listener = MutualTlsListener.Start(new MutualTlsListenerOptions
        {
            Server = server,
            EndPoint = new IPEndPoint(IPAddress.IPv6Any, 8443),
            OnHandshakeFailed = failure => Console.Error.WriteLine(failure.Message),
        });
        await foreach (var connection in listener.AcceptAllAsync())
        {
            _ = ServeAsync(connection);   // connection.Peer.Name, connection.Stream; dispose of it when done
        }
        // end
    }

    internal static async Task ClientAsync()
    {
        // snippet
        var client = new MutualTlsClient(new MutualTlsClientOptions
        {
            Identity = Identity.FromPemFiles("client.pem", "client.key"),
            Trust = TrustAnchors.FromPemFiles("authority.pem"),
            Authorization = Authorize.ServerName,
            Confirmation = ConfirmationPolicy.Required,
        });
        try
        {
            await using var connection = await client.ConnectAsync("server.example", 8443);
            await connection.Stream.WriteAsync("hello"u8.ToArray());
        }
        catch (HandshakeException refusal)
        {
            Console.Error.WriteLine(refusal.Message);   // the reason, what was expected, what was presented, and what to do
        }
        // end
    }

    /// <summary>A pair that connects, and its rejecting neighbour.</summary>
    public static async Task TestAsync()
    {
        // snippet
        using var authority = new TestAuthority();
        using var pair = authority.CreatePair();                // options for a client and a server that accept each other
        using var other = new TestAuthority("somebody else");
        using var stranger = other.IssueClient("client.test");

        await using var connected = await pair.ConnectAsync();
        connected.ShouldBeConnected();
        connected.Server!.ShouldBeTo("client.test");

        // The rejecting neighbour: the same name, from an authority that the server does not trust.
        var bent = pair with { Client = pair.Client with { Identity = stranger.ToIdentity() } };
        await using var rejected = await bent.ConnectAsync();
        rejected.ServerFailure.ShouldReject(RejectionReason.UnknownAuthority);
        // end
    }

    internal static void Factors(
        MutualTlsServerOptions serverOptions,
        MutualTlsClientOptions clientOptions,
        MemoryCredentialStore store,
        IPasskeyAuthenticator authenticator,
        Password password)
    {
        // snippet
        var server = new MutualTlsServer(serverOptions with
        {
            Credentials = Require.User(SaslServer.Scram(store)) with
            {
                SecondFactors = [SecondFactors.Passkeys(store, new PasskeyOptions { RelyingParty = "bank.example" })],
                LoginFactors = FactorRequirement.TwoKinds,
            },
        });
        var client = new MutualTlsClient(clientOptions with
        {
            Credentials = Login.WithPassword("alice", password).Then(SecondFactor.Passkey(authenticator, "bank.example")),
        });
        // end
    }

    internal static async Task TokensAsync(MutualTlsServerOptions serverOptions, CancellationToken cancellationToken)
    {
        // snippet
        await using var keys = await IssuerKeys.DiscoverAsync(
            "https://issuer.example",
            new IssuerKeysOptions { Connection = new TokenIssuerConnection { Trust = TrustAnchors.FromPemFiles("issuer-authority.pem") } },
            cancellationToken);

        var tokens = new JwtValidator(new JwtValidatorOptions
        {
            Issuer = "https://issuer.example",
            Audiences = ["https://invoices.example"],
            Keys = keys,                  // they follow the issuer's rotation
        });
        var server = new MutualTlsServer(serverOptions with { Credentials = Require.CertificateAndUser(SaslServer.BoundTokens(tokens)) });
        // end
    }

    internal static async Task HttpAsync(MutualTlsClientOptions clientOptions, CancellationToken cancellationToken)
    {
        // snippet
        var mutualTls = new MutualTlsClient(clientOptions);
        using var http = new HttpClient(new MutualTlsHttpHandler(mutualTls));
        var text = await http.GetStringAsync("https://server.example:8443/stock", cancellationToken);
        // end
    }

    internal static async Task SpiffeAsync(ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        // snippet
        await using var source = await X509Source.ConnectAsync(new X509SourceOptions { LoggerFactory = loggers }, cancellationToken);

        var server = new MutualTlsServer(new MutualTlsServerOptions
        {
            Identity = source.Identity,   // after a rotation, the next handshake presents the new one
            Trust = source.Trust,         // each trust domain's authorities vouch for that domain alone
            Authorization = Authorize.SpiffeId("spiffe://example.org/frontend"),
        });
        // end
    }

    /// <summary>An agent for a test.</summary>
    internal static async Task FakeAgentAsync()
    {
        // snippet
        using var domain = new TestTrustDomain("example.org");
        await using var agent = await FakeWorkloadApi.StartAsync(domain.Update("/payments"));
        Environment.SetEnvironmentVariable("SPIFFE_ENDPOINT_SOCKET", agent.Address);   // where clients look for it

        agent.Send(domain.Update("/payments"));     // a rotation: a new certificate and key
        agent.Refuse();                             // PermissionDenied, until something is sent again
        // end
    }
}
