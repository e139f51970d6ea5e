using System.Net.Sockets;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using MutualAuth.Spiffe.Protocol;
using MutualAuth.Spiffe.Testing;

namespace MutualAuth.Tests.Support;

/// <summary>A workload that is not our library: gRPC and the octets of the messages, nothing else.</summary>
internal sealed class PlainWorkload : IDisposable
{
    internal static readonly Metadata Header = new() { { "workload.spiffe.io", "true" } };

    private static readonly Marshaller<byte[]> s_octets = Marshallers.Create<byte[]>(octets => octets, octets => octets);

    private readonly GrpcChannel _channel;

    internal PlainWorkload(FakeWorkloadApi api)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(api.SocketPath), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        _channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
    }

    /// <summary>Calls a method of the service by its name.</summary>
    internal AsyncServerStreamingCall<byte[]> Call(string method, Metadata? headers = null, byte[]? request = null) =>
        _channel.CreateCallInvoker().AsyncServerStreamingCall(
        new Method<byte[], byte[]>(MethodType.ServerStreaming, "SpiffeWorkloadAPI", method, s_octets, s_octets),
        host: null,
        new CallOptions(headers ?? Header),
        request ?? []);

    /// <summary>The next message, or the status that the call ended with.</summary>
    internal static async Task<(byte[]? Message, StatusCode Status)> NextAsync(AsyncServerStreamingCall<byte[]> call)
    {
        try
        {
            return await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20))
                ? (call.ResponseStream.Current, StatusCode.OK)
                : (null, call.GetStatus().StatusCode);
        }
        catch (RpcException exception)
        {
            return (null, exception.StatusCode);
        }
    }

    /// <summary>The SPIFFE ID of the first identity in a message.</summary>
    internal static string FirstId(byte[]? message) => X509SVIDResponse.Parser.ParseFrom(message).Svids[0].SpiffeId;

    /// <summary>The map of bundles in an answer to FetchX509Bundles (field 2).</summary>
    internal static Dictionary<string, byte[]> Bundles(byte[]? message)
    {
        var bundles = new Dictionary<string, byte[]>();
        var input = new CodedInputStream(message);
        while (input.ReadTag() is > 0 and var tag)
        {
            var content = input.ReadBytes().CreateCodedInput();
            if (WireFormat.GetTagFieldNumber(tag) == 2)
            {
                content.ReadTag();
                var domain = content.ReadString();
                content.ReadTag();
                bundles.Add(domain, content.ReadBytes().ToByteArray());
            }
        }

        return bundles;
    }

    public void Dispose() => _channel.Dispose();
}
