using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using MutualAuth.Http;

namespace MutualAuth.Benchmarks.Compare;

/// <summary>Requests of an <see cref="HttpClient"/>, ours and the platform's, to the server of the same port.</summary>
internal sealed class HttpLoad(Func<MutualTlsClient> ours, Func<PlainTls> plain) : IDisposable
{
    private const int Concurrency = 16;

    private readonly ConcurrentDictionary<(string Kind, int Port), HttpClient> _clients = [];

    /// <summary>Sends so many: <c>http1-new</c>, each on a connection of its own; <c>http1</c> and <c>http2</c> on those that are open.</summary>
    internal async Task SendAsync(string task, string kind, int port, int count)
    {
        var http = _clients.GetOrAdd((kind, port), key => Make(key.Kind, key.Port));
        var left = count;
        await Task.WhenAll(Enumerable.Range(0, Concurrency).Select(async _ =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{Materials.ServerName}:{port}/")
                {
                    Version = task == "http2" ? HttpVersion.Version20 : HttpVersion.Version11,
                    VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                };
                request.Headers.ConnectionClose = task == "http1-new" ? true : null;
                using var response = await http.SendAsync(request);
                response.EnsureSuccessStatusCode();
                if (response.Version != request.Version || await response.Content.ReadAsStringAsync() != "hello")
                {
                    throw new InvalidOperationException($"An answer in HTTP/{response.Version} that was not asked for.");
                }
            }
        }));
    }

    public void Dispose()
    {
        foreach (var client in _clients.Values)
        {
            client.Dispose();
        }
    }

    private HttpClient Make(string kind, int port)
    {
        var endPoint = new IPEndPoint(IPAddress.Loopback, port);
        return new HttpClient(kind == "HttpOurs"
            ? new MutualTlsHttpHandler(
                ours(), new MutualTlsHttpOptions { Target = _ => new MutualTlsHttpTarget { EndPoint = endPoint } })
            : new SocketsHttpHandler
            {
                SslOptions = plain().ForClient(resumes: false),
                EnableMultipleHttp2Connections = true,
                UseProxy = false,
                UseCookies = false,
                ConnectCallback = async (_, cancellationToken) =>
                {
                    var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                    await socket.ConnectAsync(endPoint, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            });
    }
}
