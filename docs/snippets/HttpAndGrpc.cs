using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;
using MutualAuth.Http;

namespace MutualAuth.Snippets;

/// <summary>docs/how-to/http-and-grpc.md</summary>
internal static class HttpAndGrpc
{
    internal static async Task GetAsync(MutualTlsClientOptions clientOptions, CancellationToken cancellationToken)
    {
        // snippet
        var mutualTls = new MutualTlsClient(clientOptions);                      // its rule: Authorize.ServerName, or whom you expect
        using var http = new HttpClient(new MutualTlsHttpHandler(mutualTls));    // make one and keep it
        var stock = await http.GetStringAsync("https://inventory.example:8443/stock", cancellationToken);
        // end
    }

    internal static void Call(MutualTlsClient mutualTls)
    {
        // snippet
        using var channel = GrpcChannel.ForAddress("https://inventory.example:8443", new GrpcChannelOptions
        {
            HttpHandler = new MutualTlsHttpHandler(mutualTls),
            DisposeHttpClient = true,
        });
        // end
    }

    internal static void Choose(MutualTlsClient mutualTls, MutualTlsClientOptions clientOptions)
    {
        // snippet
        var inventory = new MutualTlsClient(clientOptions with { Authorization = Authorize.SpiffeId("spiffe://example.org/inventory") });
        using var http = new HttpClient(new MutualTlsHttpHandler(mutualTls, new MutualTlsHttpOptions
        {
            Target = authority => authority.Host switch
            {
                "inventory" => new MutualTlsHttpTarget { Client = inventory },                     // by its SPIFFE ID
                "billing" => new MutualTlsHttpTarget { ServerName = "billing.example" },           // by another name
                "local" => new MutualTlsHttpTarget { EndPoint = new UnixDomainSocketEndPoint("/run/local.sock") },
                _ => null,
            },
        }));
        // end
    }

    internal static void Add(IServiceCollection services, MutualTlsClientOptions clientOptions)
    {
        // snippet
        services.AddKeyedSingleton("inventory", new MutualTlsClient(clientOptions));
        services.AddHttpClient("inventory").AddMutualTls();
        // end
    }

    internal static async Task<bool> FailAsync(HttpClient http, string address, CancellationToken cancellationToken)
    {
        var mayRetry = false;

        // snippet
        try
        {
            await http.GetStringAsync(address, cancellationToken);
        }
        catch (HttpRequestException exception) when (exception.TryGetHandshakeFailure(out var failure))
        {
            Console.WriteLine($"{exception.HttpRequestError}: {failure.Rejection}");
            mayRetry = failure.IsTransient;
        }
        // end

        return mayRetry;
    }
}
