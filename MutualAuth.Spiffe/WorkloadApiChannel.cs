using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using MutualAuth.Spiffe.Protocol;

namespace MutualAuth.Spiffe;

/// <summary>
/// One gRPC connection to a Workload API, for one call: the next call opens its own, because this one may be dead without notice.
/// </summary>
internal sealed class WorkloadApiChannel : IDisposable
{
    // The endpoint rejects requests without it, so that it cannot be reached through a web server that fetches addresses for others.
    private static readonly Metadata s_headers = new() { { "workload.spiffe.io", "true" } };

    private readonly GrpcChannel _channel;
    private readonly SpiffeWorkloadAPI.SpiffeWorkloadAPIClient _client;

    private static readonly TimeSpan s_longestPingWait = TimeSpan.FromSeconds(20);

    internal WorkloadApiChannel(WorkloadApiAddress address, int maxMessageBytes, TimeSpan keepAlive)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = (_, cancellationToken) => ConnectAsync(address.EndPoint, cancellationToken),
            ConnectTimeout = TimeSpan.FromSeconds(10),
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            KeepAlivePingDelay = keepAlive,
            KeepAlivePingTimeout = keepAlive < s_longestPingWait ? keepAlive : s_longestPingWait,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        };
        _channel = GrpcChannel.ForAddress(
            address.EndPoint is IPEndPoint ip ? $"http://{ip}" : "http://localhost",
            new GrpcChannelOptions
            {
                HttpHandler = handler,
                DisposeHttpClient = true,
                MaxReceiveMessageSize = maxMessageBytes,
                CompressionProviders = [], // A message that is small on the wire is small in memory.
            });
        _client = new SpiffeWorkloadAPI.SpiffeWorkloadAPIClient(_channel);
    }

    internal AsyncServerStreamingCall<X509SVIDResponse> FetchX509Svid(CancellationToken cancellationToken) =>
        _client.FetchX509SVID(new X509SVIDRequest(), s_headers, deadline: null, cancellationToken);

    internal AsyncServerStreamingCall<JWTBundlesResponse> FetchJwtBundles(CancellationToken cancellationToken) =>
        _client.FetchJWTBundles(new JWTBundlesRequest(), s_headers, deadline: null, cancellationToken);

    internal AsyncUnaryCall<JWTSVIDResponse> FetchJwtSvid(JWTSVIDRequest request, CancellationToken cancellationToken) =>
        _client.FetchJWTSVIDAsync(request, s_headers, deadline: null, cancellationToken);

    public void Dispose() => _channel.Dispose();

    private static async ValueTask<Stream> ConnectAsync(EndPoint endPoint, CancellationToken cancellationToken)
    {
        var protocol = endPoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified;
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, protocol);
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
