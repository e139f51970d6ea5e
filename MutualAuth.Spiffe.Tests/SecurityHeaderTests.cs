using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using MutualAuth.Spiffe.Protocol;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests;

/// <summary>The agent of these tests refuses what a real one refuses, so that the header of the library is shown to be there.</summary>
[CancelAfter(60000)]
public sealed class SecurityHeaderTests
{
    [TestCase(null, null, StatusCode.InvalidArgument)]
    [TestCase("workload.spiffe.io", "TRUE", StatusCode.InvalidArgument)]
    [TestCase("workload.spiffe.com", "true", StatusCode.InvalidArgument)]
    [TestCase("workload.spiffe.io", "true", StatusCode.OK)]
    public async Task Only_a_request_with_the_header_is_served(string? name, string? value, StatusCode expected)
    {
        using var domain = new Domain("example.test", TimeProvider.System);
        await using var api = await WorkloadApi.StartAsync(domain.Update("/api"));
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(api.Address.EndPoint, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions { HttpHandler = handler });
        var headers = name is null ? [] : new Metadata { { name, value! } };

        using var call = new SpiffeWorkloadAPI.SpiffeWorkloadAPIClient(channel).FetchX509SVID(new X509SVIDRequest(), headers);

        (await StatusOfAsync(call).WaitAsync(TimeSpan.FromSeconds(20))).Should().Be(expected);
    }

    private static async Task<StatusCode> StatusOfAsync(AsyncServerStreamingCall<X509SVIDResponse> call)
    {
        try
        {
            return await call.ResponseStream.MoveNext(CancellationToken.None) ? StatusCode.OK : StatusCode.Unknown;
        }
        catch (RpcException exception)
        {
            return exception.StatusCode;
        }
    }
}
