using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;
using MutualAuth.AspNetCore;

namespace MutualAuth.Benchmarks.Compare;

/// <summary>Kestrel with our transport, or with client certificates of its own, that says hello.</summary>
internal static class HttpServerCommand
{
    internal static async Task RunAsync(string kind, string directory, Scenario scenario)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var endPoint = new IPEndPoint(IPAddress.Loopback, 0);
        if (kind == "HttpOurs")
        {
            builder.WebHost.ListenMutualTls(endPoint, ServerCommand.OptionsOf(directory, scenario));
        }
        else
        {
            var tls = new PlainTls(PlainStyle.Tuned, scenario, directory, "server");
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(endPoint, listen => listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = _ =>
                {
                    var options = tls.ForServer();
                    options.ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];
                    return ValueTask.FromResult(options);
                },
            })));
        }

        await using var app = builder.Build();
        app.MapGet("/", () => "hello");
        await app.StartAsync();
        await ControlLoop.AnswerAsync(new Uri(app.Urls.Single()).Port);
    }
}
