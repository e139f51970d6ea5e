using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using MutualAuth.Testing;

namespace MutualAuth.Tests.Support;

/// <summary>A pair that accepts each other, and a server that says what it saw.</summary>
internal sealed class HttpWorld : IDisposable
{
    private readonly TestAuthority _authority = new();

    internal HttpWorld()
    {
        Pair = _authority.CreatePair("client.test", "server.test");
        Server = Pair.Server with { ApplicationProtocols = ["h2", "http/1.1"], CloseTimeout = TimeSpan.FromSeconds(2) };
        Client = Pair.Client with { CloseTimeout = TimeSpan.FromSeconds(2) };
        Gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    internal TestAuthority Authority => _authority;

    internal TestPair Pair { get; }

    internal MutualTlsServerOptions Server { get; set; }

    internal MutualTlsClientOptions Client { get; set; }

    /// <summary>What "/slow" waits for between its two halves.</summary>
    internal TaskCompletionSource Gate { get; }

    internal Task<WebServer> StartAsync() => WebServer.StartAsync(Server, Map);

    /// <summary>Whichever host the URI has, the server is dialled here, and named in the way of the URI.</summary>
    internal static MutualTlsHttpOptions Dialling(WebServer server, MutualTlsHttpOptions? options = null) => (options ?? new()) with
    {
        Target = _ => new MutualTlsHttpTarget { EndPoint = new IPEndPoint(IPAddress.Loopback, server.Port) },
    };

    internal static HttpRequestMessage Get(Uri uri, Version? version = null, HttpVersionPolicy policy = HttpVersionPolicy.RequestVersionExact) =>
        new(HttpMethod.Get, uri) { Version = version ?? HttpVersion.Version20, VersionPolicy = policy };

    public void Dispose()
    {
        Gate.TrySetResult();
        Pair.Dispose();
        _authority.Dispose();
    }

    private void Map(WebApplication app)
    {
        app.MapGet(
            "/seen/{**rest}",
            (HttpRequest request) => $"{request.Scheme} {request.Protocol} {request.Host} {request.Path}{request.QueryString}");
        app.MapGet("/header", (HttpRequest request, string name) => request.Headers[name].ToString());
        app.MapPost("/echo", async (HttpRequest request, HttpResponse response) => await request.Body.CopyToAsync(response.Body));
        // Until the client goes away.
        app.MapGet("/never", (CancellationToken cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken));
        app.MapGet("/slow", async (HttpResponse response) =>
        {
            await response.WriteAsync("first,");
            await response.Body.FlushAsync();
            await Gate.Task;
            await response.WriteAsync("second");
        });
        app.MapMethods("/to", ["GET", "POST"], (HttpResponse response, string where, int status) =>
        {
            response.StatusCode = status;
            response.Headers.Location = where;
        });
        app.MapMethods("/method", ["GET", "POST"], async (HttpRequest request) =>
        {
            using var reader = new StreamReader(request.Body);
            return $"{request.Method} {await reader.ReadToEndAsync()}";
        });
        app.MapGet("/cookie/set", (HttpResponse response) => response.Headers.Append("Set-Cookie", "session=one; Secure; Path=/"));
    }
}
