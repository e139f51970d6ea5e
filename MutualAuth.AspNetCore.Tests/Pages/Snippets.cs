using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MutualAuth.AspNetCore;
using MutualAuth.Authorization;
using MutualAuth.Connections;
using MutualAuth.Identities;
using MutualAuth.Trust;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Pages;

/// <summary>What the pages on ASP.NET Core show.</summary>
internal static class Snippets
{
    internal static void Package(WebApplicationBuilder builder)
    {
        // snippet
        builder.WebHost.ListenMutualTls(new IPEndPoint(IPAddress.Any, 8443), new MutualTlsServerOptions
        {
            Identity = IdentityFiles.FromPem("server.pem", "server.key"),
            Trust = new TrustAnchorFiles("authority.pem"),
            Authorization = Authorize.From(new AuthorizationFile("clients.txt")),
        });
        builder.Services.AddAuthentication(MutualTlsDefaults.AuthenticationScheme).AddMutualTls();
        builder.Services.AddAuthorizationBuilder()
            .AddPolicy("billing", policy => policy.RequireSpiffeId("spiffe://example.org/billing"));

        var app = builder.Build();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapGet("/invoices", (HttpContext context) => $"for {context.GetMutualTlsPeer()!.Name}").RequireAuthorization("billing");
        // end
    }

    internal static void Listen(WebApplicationBuilder builder, IIdentitySource identity, TrustAnchors trust)
    {
        // snippet
        builder.WebHost.ListenMutualTls(new IPEndPoint(IPAddress.Any, 8443), new MutualTlsServerOptions
        {
            Identity = identity,
            Trust = trust,
            Authorization = Authorize.Parse("dns shop.example", "spiffe spiffe://example.org/audit"),
        });
        // end
    }

    internal static void Listener(WebApplicationBuilder builder, MutualTlsServerOptions serverOptions)
    {
        // snippet
        builder.WebHost.ListenMutualTls(services => new MutualTlsListenerOptions
        {
            Server = new MutualTlsServer(serverOptions with
            {
                ApplicationProtocols = ["h2", "http/1.1"],
                LoggerFactory = services.GetRequiredService<ILoggerFactory>(),
            }),
            EndPoint = new IPEndPoint(IPAddress.Any, 8443),
            ProxyProtocol = new ProxyProtocol { TrustedProxies = [IPNetwork.Parse("10.1.2.0/24")] },
        });
        // end
    }

    internal static void Configured(WebApplicationBuilder builder)
    {
        // snippet
        builder.WebHost.ListenMutualTls("MutualTls:Endpoints");
        // end
    }

    internal static void Peer(WebApplication app)
    {
        // snippet
        app.MapGet("/whoami", (HttpContext context) => context.GetMutualTlsPeer()?.Name);
        // end
    }

    internal static void Policies(WebApplicationBuilder builder, IAuthorizationSource rules)
    {
        // snippet
        builder.Services.AddAuthentication(MutualTlsDefaults.AuthenticationScheme).AddMutualTls();
        builder.Services.AddAuthorizationBuilder()
            .AddPolicy("shop", policy => policy.RequirePeer("dns shop.example"))
            .AddPolicy("audit", policy => policy.RequireSpiffeId("spiffe://example.org/audit"))
            .AddPolicy("followed", policy => policy.RequirePeer(Authorize.From(rules)))
            .AddPolicy("transfers", policy => policy.RequireProofs(PeerProofs.Certificate | PeerProofs.Passkey));
        // end
    }

    internal static void OwnTls(WebApplicationBuilder builder, X509Certificate2 certificate, CertificateStageOptions clientOptions)
    {
        // snippet
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenAnyIP(8443, listen => listen.UseHttps(https =>
        {
            https.ServerCertificate = certificate;
            https.UseMutualAuth(new CertificateStage(clientOptions));
        })));
        // end
    }
}
