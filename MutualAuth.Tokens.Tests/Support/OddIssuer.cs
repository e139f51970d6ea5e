using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MutualAuth.Testing;
using MutualAuth.Tokens;

namespace MutualAuth.Tests.Support;

/// <summary>An https server that answers as a test says, and counts. Its certificate is for localhost.</summary>
internal sealed class OddIssuer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private int _asked;

    private OddIssuer(WebApplication application, TestAuthority authority)
    {
        _application = application;
        Authority = authority;
    }

    internal TestAuthority Authority { get; }

    internal int Asked => Volatile.Read(ref _asked);

    /// <summary>How many certificates the last client that showed its own sent beside that; null before the first one.</summary>
    internal int? IntermediatesShown { get; private set; }

    /// <summary>What is answered.</summary>
    internal Func<HttpContext, Task> Answer { get; set; } = context => context.Response.WriteAsync("{}");

    internal string Address { get; private set; } = string.Empty;

    internal TokenIssuerConnection Connection => new() { Trust = Authority.ToTrustAnchors() };

    internal static async Task<OddIssuer> StartAsync()
    {
        var authority = new TestAuthority("Issuer Authority");
        OddIssuer? asked = null;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.Loopback, 0, listen => listen.UseHttps(authority.IssueServer("localhost").Certificate, https =>
            {
                // Whoever has a certificate shows it: tokens are bound to that.
                https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                https.ClientCertificateValidation = (_, chain, _) =>
                {
                    asked!.IntermediatesShown = chain!.ChainPolicy.ExtraStore.Count;
                    return true;
                };
            })));
        var issuer = asked = new OddIssuer(builder.Build(), authority);
        issuer._application.Run(context =>
        {
            Interlocked.Increment(ref issuer._asked);
            return issuer.Answer(context);
        });
        await issuer._application.StartAsync();
        var addresses = issuer._application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        issuer.Address = $"https://localhost:{new Uri(addresses.Single()).Port}";
        return issuer;
    }

    internal void Say(string text, int status = 200) => Answer = context =>
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text)).AsTask();
    };

    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync();
        Authority.Dispose();
    }
}
