using System.Net;
using System.Threading.Channels;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using MutualAuth.Spiffe;
using MutualAuth.Spiffe.Protocol;

namespace MutualAuth.Tests.Support;

/// <summary>
/// An agent: a gRPC server on a Unix domain socket that streams what the test gives it. It can die and come back under its address.
/// </summary>
internal sealed class WorkloadApi : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("wapi").FullName;
    private readonly Lock _lock = new();
    private readonly List<Channel<X509SVIDResponse>> _streams = [];
    private readonly SemaphoreSlim _changed = new(0);
    private X509SVIDResponse? _last;
    private StatusCode? _refusal;
    private WebApplication? _server;
    private int _requests;

    private WorkloadApi()
    {
    }

    internal WorkloadApiAddress Address => WorkloadApiAddress.Parse($"unix://{SocketPath}");

    /// <summary>The same agent by TCP, while it runs.</summary>
    internal WorkloadApiAddress TcpAddress =>
        WorkloadApiAddress.Parse($"tcp://127.0.0.1:{new Uri(_server!.Urls.Single(url => url.Contains("127.0.0.1", StringComparison.Ordinal))).Port}");

    private string SocketPath => Path.Combine(_directory, "agent.sock");

    /// <summary>The requests so far, those that were refused included.</summary>
    internal int Requests => Volatile.Read(ref _requests);

    internal int OpenStreams
    {
        get
        {
            lock (_lock)
            {
                return _streams.Count;
            }
        }
    }

    /// <summary>An agent without a server behind its socket.</summary>
    internal static WorkloadApi Stopped() => new();

    internal static async Task<WorkloadApi> StartAsync(X509SVIDResponse? first = null)
    {
        var api = new WorkloadApi { _last = first };
        await api.StartAsync();
        return api;
    }

    internal async Task StartAsync(bool withService = true)
    {
        File.Delete(SocketPath);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.ListenUnixSocket(SocketPath, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(this);
        _server = builder.Build();
        _server.UseRouting();
        if (withService)
        {
            _server.MapGrpcService<Service>();
        }

        await _server.StartAsync();
    }

    /// <summary>Dies as if it were killed: streams break off.</summary>
    internal async Task KillAsync()
    {
        if (_server is { } server)
        {
            _server = null;
            await server.StopAsync(new CancellationToken(canceled: true));
            await server.DisposeAsync();
        }
    }

    /// <summary>Sends an update over all streams, and over every later one at once.</summary>
    internal void Send(X509SVIDResponse update)
    {
        lock (_lock)
        {
            _last = update;
            _refusal = null;
            _streams.ForEach(stream => stream.Writer.TryWrite(update));
        }
    }

    /// <summary>Gives this update to later streams alone; those that are open hear nothing.</summary>
    internal void Queue(X509SVIDResponse update)
    {
        lock (_lock)
        {
            _last = update;
        }
    }

    /// <summary>Ends all streams with this status, and refuses every later request with it until something is sent.</summary>
    internal void Refuse(StatusCode status)
    {
        lock (_lock)
        {
            _refusal = status;
            _streams.ForEach(stream => stream.Writer.TryComplete(new RpcException(new Status(status, "as the test wants it"))));
        }
    }

    /// <summary>Takes later requests and answers none of them.</summary>
    internal void Hang()
    {
        lock (_lock)
        {
            _last = null;
        }
    }

    /// <summary>Ends all streams as if everything had been said.</summary>
    internal void EndStreams()
    {
        lock (_lock)
        {
            _streams.ForEach(stream => stream.Writer.TryComplete());
        }
    }

    /// <summary>Waits until so many streams are open.</summary>
    internal async Task UntilOpenAsync(int streams)
    {
        while (OpenStreams != streams)
        {
            await _changed.WaitAsync().WaitAsync(TimeSpan.FromSeconds(20));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _changed.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task ServeAsync(IServerStreamWriter<X509SVIDResponse> writer, CancellationToken cancellationToken)
    {
        var stream = Channel.CreateUnbounded<X509SVIDResponse>();
        lock (_lock)
        {
            if (_refusal is { } status)
            {
                throw new RpcException(new Status(status, "as the test wants it"));
            }

            if (_last is not null)
            {
                stream.Writer.TryWrite(_last);
            }

            _streams.Add(stream);
        }

        _changed.Release();
        try
        {
            await foreach (var update in stream.Reader.ReadAllAsync(cancellationToken))
            {
                await writer.WriteAsync(update, cancellationToken);
            }
        }
        finally
        {
            lock (_lock)
            {
                _streams.Remove(stream);
            }

            _changed.Release();
        }
    }

    internal sealed class Service(WorkloadApi api) : SpiffeWorkloadAPI.SpiffeWorkloadAPIBase
    {
        public override Task FetchX509SVID(X509SVIDRequest request, IServerStreamWriter<X509SVIDResponse> responseStream, ServerCallContext context)
        {
            Interlocked.Increment(ref api._requests);
            return context.RequestHeaders.GetValue("workload.spiffe.io") == "true"
                ? api.ServeAsync(responseStream, context.CancellationToken)
                : throw new RpcException(new Status(StatusCode.InvalidArgument, "security header missing from request"));
        }
    }
}
