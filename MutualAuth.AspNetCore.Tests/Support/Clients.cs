using System.Net;
using System.Net.Security;
using MutualAuth.Testing;

namespace MutualAuth.Tests.Support;

/// <summary>Clients of a <see cref="Site"/>.</summary>
internal static class Clients
{
    internal const string Host = "127.0.0.1";

    /// <summary>The framework's own client with its own TLS: no confirmation.</summary>
    internal static HttpClient Plain(TestCertificate? certificate, int version = 1)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        handler.SslOptions.ClientCertificateContext = certificate?.ToSslContext();
        return Configure(new HttpClient(handler), version, "https");
    }

    /// <summary>The framework's client over connections of ours. HTTP/2 needs a server that lets the scheme be <c>http</c>.</summary>
    internal static HttpClient Confirmed(MutualTlsClientOptions options, int version = 1)
    {
        var client = new MutualTlsClient(
            options with { ApplicationProtocols = [version == 2 ? "h2" : "http/1.1"], Confirmation = ConfirmationPolicy.Required });
        return Configure(
            new HttpClient(new SocketsHttpHandler
            {
                ConnectCallback = async (context, cancellationToken) =>
                    (await client.ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, cancellationToken)).Stream,
            }),
            version, "http");
    }

    internal static Uri At(this HttpClient client, int port, string path) => new($"{client.BaseAddress!.Scheme}://{Host}:{port}{path}");

    private static HttpClient Configure(HttpClient client, int version, string scheme)
    {
        client.BaseAddress = new Uri($"{scheme}://{Host}");
        client.DefaultRequestVersion = version == 2 ? HttpVersion.Version20 : HttpVersion.Version11;
        client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        return client;
    }
}
