using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MutualAuth.AspNetCore;

namespace MutualAuth.Tests.Support;

/// <summary>A web application that is up, with mutual TLS on a free port.</summary>
internal sealed class Site : IAsyncDisposable
{
    private Site(WebApplication application) => Application = application;

    internal WebApplication Application { get; }

    internal int Port => Ports[0];

    internal int[] Ports => [.. Addresses.Select(address => new Uri(address).Port)];

    internal string[] Addresses => [.. Application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses];

    internal static IPEndPoint AnyPort => new(IPAddress.Loopback, 0);

    internal static Task<Site> StartAsync(
        MutualTlsServerOptions options,
        Action<WebApplication> map,
        Action<WebApplicationBuilder>? build = null,
        Action<ListenOptions>? listen = null) =>
        StartAsync(
            builder =>
            {
                builder.WebHost.ListenMutualTls(AnyPort, options, listen);
                build?.Invoke(builder);
            },
            map);

    internal static async Task<Site> StartAsync(Action<WebApplicationBuilder> build, Action<WebApplication> map, string? contentRoot = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = contentRoot });
        builder.Logging.ClearProviders();
        build(builder);
        var application = builder.Build();
        map(application);
        try
        {
            await application.StartAsync();
        }
        catch
        {
            await application.DisposeAsync();
            throw;
        }

        return new Site(application);
    }

    public async ValueTask DisposeAsync()
    {
        using var atOnce = new CancellationTokenSource();
        await atOnce.CancelAsync();
        await Application.StopAsync(atOnce.Token);
        await Application.DisposeAsync();
    }
}
