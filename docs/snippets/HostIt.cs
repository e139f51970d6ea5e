using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MutualAuth.Hosting;

namespace MutualAuth.Snippets;

/// <summary>docs/how-to/host-it.md, the last step of docs/getting-started.md, and the README of the package.</summary>
internal static class HostIt
{
    internal static async Task ServeAsync(string[] args)
    {
        // snippet
        var builder = Host.CreateApplicationBuilder(args);
        builder.Services.AddMutualTlsListener("inventory", builder.Configuration.GetSection("MutualTls:inventory")).HandledBy<Inventory>();
        builder.Services.AddMutualTlsClient("billing", builder.Configuration.GetSection("MutualTls:billing"));
        builder.Services.AddHealthChecks().AddMutualTls();
        await builder.Build().RunAsync();
        // end
    }

    internal static async Task EchoAsync(string[] args)
    {
        // snippet
        var builder = Host.CreateApplicationBuilder(args);
        builder.Services.AddMutualTlsListener("inventory", builder.Configuration.GetSection("MutualTls:inventory"))
            .HandledBy(async (connection, draining) => await connection.Stream.CopyToAsync(connection.Stream, draining));
        builder.Services.AddMutualTlsClient("billing", builder.Configuration.GetSection("MutualTls:billing"));
        builder.Services.AddHealthChecks().AddMutualTls();
        await builder.Build().RunAsync();
        // end
    }

    internal static async Task GettingStartedAsync(string[] args)
    {
        // snippet
        var builder = Host.CreateApplicationBuilder(args);
        builder.Services.AddMutualTlsListener("greeter", builder.Configuration.GetSection("MutualTls:greeter"))
            .HandledBy(async (connection, draining) => await connection.Stream.WriteAsync("hello"u8.ToArray(), draining));
        await builder.Build().RunAsync();
        // end
    }
}

// snippet
internal sealed class Inventory([FromKeyedServices("billing")] MutualTlsClient billing) : IMutualTlsHandler
{
    public async Task HandleAsync(MutualTlsConnection connection, CancellationToken draining)
    {
        var request = new byte[4096];
        int count;
        while ((count = await connection.Stream.ReadAsync(request, draining)) > 0)             // begins nothing new while it drains
        {
            await using var upstream = await billing.ConnectAsync("billing.example", 8443, CancellationToken.None);
            await upstream.Stream.WriteAsync(request.AsMemory(0, count), CancellationToken.None);
            await connection.Stream.WriteAsync(request.AsMemory(0, count), CancellationToken.None);   // finishes what was begun
        }
    }
}
// end
