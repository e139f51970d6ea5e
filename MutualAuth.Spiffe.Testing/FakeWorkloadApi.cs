using System.Net;
using System.Threading.Channels;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using MutualAuth.Spiffe.Testing.Protocol;

namespace MutualAuth.Spiffe.Testing;

/// <summary>
/// An agent for tests: a gRPC server on a Unix domain socket with the X.509-SVID and JWT-SVID profiles of the SPIFFE Workload API (§5, §6), which
/// gives every caller what the test says, and fails as the test says.
/// </summary>
/// <remarks>
/// <para>It serves <c>FetchX509SVID</c>, <c>FetchX509Bundles</c>, <c>FetchJWTSVID</c> and <c>FetchJWTBundles</c> to clients in any language that send
/// the metadata <c>workload.spiffe.io: true</c>; without it a call ends as InvalidArgument (SPIFFE Workload Endpoint §5). <c>ValidateJWTSVID</c> is
/// Unimplemented.</para>
/// <para>What <see cref="Send"/>, <see cref="SendRaw"/>, <see cref="Queue"/>, <see cref="Refuse"/> or <see cref="Hang"/> set last is what later
/// streams get. Safe for concurrent use, except that going away and coming back are done one at a time.</para>
/// </remarks>
public sealed class FakeWorkloadApi : IAsyncDisposable
{
    private const string NoIdentity = "no identity issued";

    private static readonly TimeSpan s_longestDelay = TimeSpan.FromMilliseconds(int.MaxValue);

    private readonly Lock _lock = new();
    private readonly List<WorkloadStream> _streams = [];
    private readonly TimeProvider _clock;
    private readonly string? _directory;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Answer _answer;
    private WebApplication? _server;
    private TimeSpan _delay;
    private int _requests;
    private int _disposed;

    private FakeWorkloadApi(string? socketPath, TimeProvider clock, Answer answer)
    {
        _clock = clock;
        _answer = answer;
        _directory = socketPath is null ? Directory.CreateTempSubdirectory("wapi").FullName : null;
        SocketPath = socketPath is null ? Path.Combine(_directory!, "agent.sock") : Path.GetFullPath(socketPath);
    }

    /// <summary>Starts an agent.</summary>
    /// <param name="first">
    /// What it has for its callers; null refuses them with PermissionDenied, as an agent does to a workload that is not registered.
    /// </param>
    /// <param name="socketPath">Where its socket is, in the place of what lies there; null for a folder of its own, which goes with it.</param>
    /// <param name="timeProvider">The clock of <see cref="Delay"/>; null for the system's.</param>
    /// <returns>The agent, which the caller disposes.</returns>
    /// <exception cref="IOException">The socket cannot be made.</exception>
    public static async Task<FakeWorkloadApi> StartAsync(
        WorkloadUpdate? first = null, string? socketPath = null, TimeProvider? timeProvider = null)
    {
        Answer answer = first is null ? new Answer.Refusal(StatusCode.PermissionDenied, NoIdentity) : Answer.Message.Of(first);
        var api = new FakeWorkloadApi(socketPath, timeProvider ?? TimeProvider.System, answer);
        await api.ComeBackAsync().ConfigureAwait(false);
        return api;
    }

    /// <summary>The path of its socket.</summary>
    public string SocketPath { get; }

    /// <summary>Its address as clients take it, for instance in <c>SPIFFE_ENDPOINT_SOCKET</c>: <c>unix:///…/agent.sock</c>.</summary>
    public string Address => $"unix://{SocketPath}";

    /// <summary>The same agent by TCP on the loopback interface, <c>tcp://127.0.0.1:PORT</c>; another port each time it comes back.</summary>
    /// <exception cref="InvalidOperationException">It has gone away.</exception>
    public string TcpAddress
    {
        get
        {
            var server = Volatile.Read(ref _server) ?? throw new InvalidOperationException("The agent has gone away, and has no port.");
            return $"tcp://127.0.0.1:{new Uri(server.Urls.Single(url => url.Contains("127.0.0.1", StringComparison.Ordinal))).Port}";
        }
    }

    /// <summary>The calls so far, those that were refused included.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>The streams that are open now.</summary>
    public int OpenStreams
    {
        get
        {
            lock (_lock)
            {
                return _streams.Count;
            }
        }
    }

    /// <summary>How long it holds every message back, by its clock, as an agent that is overloaded. Default: not at all.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative, or more than <see cref="int.MaxValue"/> milliseconds.</exception>
    public TimeSpan Delay
    {
        get
        {
            lock (_lock)
            {
                return _delay;
            }
        }

        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, s_longestDelay);
            lock (_lock)
            {
                _delay = value;
            }
        }
    }

    /// <summary>Sends an update over all streams, and over every later one at once: a rotation, or whatever else has changed.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="update"/> is null.</exception>
    public void Send(WorkloadUpdate update)
    {
        ArgumentNullException.ThrowIfNull(update);
        SendToAll(Answer.Message.Of(update));
    }

    /// <summary>Sends these octets in place of a message, over all streams and every later one: an answer that is malformed.</summary>
    /// <param name="message">What stands where the encoded message should be; gRPC's frame around it is right.</param>
    public void SendRaw(ReadOnlySpan<byte> message)
    {
        var octets = message.ToArray();
        SendToAll(new Answer.Message(octets, octets, octets, _ => octets));
    }

    /// <summary>Gives this update to later streams alone; those that are open hear nothing, as from an agent that has lost sight of them.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="update"/> is null.</exception>
    public void Queue(WorkloadUpdate update)
    {
        ArgumentNullException.ThrowIfNull(update);
        lock (_lock)
        {
            _answer = Answer.Message.Of(update);
        }
    }

    /// <summary>Ends all streams with this status, and refuses every later call with it until something is sent.</summary>
    /// <param name="status">
    /// The status. Default: PermissionDenied, as for a workload that is not registered (SPIFFE Workload API §5.2.1, Workload Endpoint §6).
    /// </param>
    /// <param name="detail">The text that goes with it.</param>
    /// <exception cref="ArgumentNullException"><paramref name="detail"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="status"/> is OK, which is no refusal.</exception>
    public void Refuse(StatusCode status = StatusCode.PermissionDenied, string detail = NoIdentity)
    {
        ArgumentNullException.ThrowIfNull(detail);
        ArgumentOutOfRangeException.ThrowIfEqual(status, StatusCode.OK);
        var refusal = new Answer.Refusal(status, detail);
        lock (_lock)
        {
            _answer = refusal;
            _streams.ForEach(stream => stream.Messages.Writer.TryComplete(refusal.ToException()));
        }
    }

    /// <summary>Takes later calls and answers none of them until something is sent; open streams stay open and silent.</summary>
    public void Hang()
    {
        lock (_lock)
        {
            _answer = new Answer.Silence();
        }
    }

    /// <summary>Ends all streams as if everything had been said. Calls that come later get what there is.</summary>
    public void EndStreams()
    {
        lock (_lock)
        {
            _streams.ForEach(stream => stream.Messages.Writer.TryComplete());
        }
    }

    /// <summary>Waits until exactly so many streams are open.</summary>
    /// <param name="count">How many.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async Task WaitForStreamsAsync(int count, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_streams.Count == count)
                {
                    return;
                }

                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Goes away as if it were killed: streams break off, and no server listens. Does nothing when it has gone already.</summary>
    public async Task GoAwayAsync()
    {
        if (Interlocked.Exchange(ref _server, null) is { } server)
        {
            await server.StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
            await server.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Comes back at the same socket, with what was set last.</summary>
    /// <exception cref="InvalidOperationException">It has not gone away.</exception>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    /// <exception cref="IOException">The socket cannot be made.</exception>
    public Task ComeBackAsync() => ListenAsync(isAgent: true);

    /// <summary>Puts another gRPC server at the socket, which knows nothing of the Workload API.</summary>
    /// <exception cref="InvalidOperationException">The agent has not gone away.</exception>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    /// <exception cref="IOException">The socket cannot be made.</exception>
    public Task ComeBackAsAnotherServerAsync() => ListenAsync(isAgent: false);

    /// <summary>Goes away for good, and removes the socket.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await GoAwayAsync().ConfigureAwait(false);
        File.Delete(SocketPath);
        if (_directory is not null)
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    /// <summary>Serves one call until it ends.</summary>
    internal async Task ServeAsync(WorkloadStreamKind kind, IServerStreamWriter<byte[]> writer, ServerCallContext call)
    {
        Count(call);
        var stream = Open(kind);
        try
        {
            await foreach (var message in stream.Messages.Reader.ReadAllAsync(call.CancellationToken).ConfigureAwait(false))
            {
                await HoldBackAsync(call).ConfigureAwait(false);
                await writer.WriteAsync(message, call.CancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            lock (_lock)
            {
                _streams.Remove(stream);
                StreamsHaveChanged();
            }
        }
    }

    /// <summary>Answers one call for tokens.</summary>
    internal async Task<byte[]> ServeJwtSvidAsync(byte[] octets, ServerCallContext call)
    {
        Count(call);
        var asked = JWTSVIDRequest.Parser.ParseFrom(octets);
        if (asked.Audience.Count == 0)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "audience must be specified"));
        }

        Answer answer;
        lock (_lock)
        {
            answer = _answer;
        }

        if (answer is Answer.Silence)
        {
            await Task.Delay(Timeout.Infinite, call.CancellationToken).ConfigureAwait(false);
        }

        await HoldBackAsync(call).ConfigureAwait(false);
        return (answer as Answer.Message)?.JwtSvids(new WorkloadJwtRequest([.. asked.Audience], asked.SpiffeId))
            ?? throw (answer as Answer.Refusal ?? new Answer.Refusal(StatusCode.PermissionDenied, NoIdentity)).ToException();
    }

    private void Count(ServerCallContext call)
    {
        Interlocked.Increment(ref _requests);
        if (call.RequestHeaders.GetValue("workload.spiffe.io") != "true")
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "security header missing from request"));
        }
    }

    private async Task HoldBackAsync(ServerCallContext call)
    {
        if (Delay > TimeSpan.Zero)
        {
            await Task.Delay(Delay, _clock, call.CancellationToken).ConfigureAwait(false);
        }
    }

    private void SendToAll(Answer.Message message)
    {
        lock (_lock)
        {
            _answer = message;
            _streams.ForEach(stream => stream.Messages.Writer.TryWrite(message.For(stream)));
        }
    }

    private WorkloadStream Open(WorkloadStreamKind kind)
    {
        var stream = new WorkloadStream(kind, Channel.CreateUnbounded<byte[]>());
        lock (_lock)
        {
            switch (_answer)
            {
                case Answer.Refusal refusal:
                    throw refusal.ToException();
                case Answer.Message message:
                    stream.Messages.Writer.TryWrite(message.For(stream));
                    break;
            }

            _streams.Add(stream);
            StreamsHaveChanged();
        }

        return stream;
    }

    private void StreamsHaveChanged()
    {
        _changed.SetResult();
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private async Task ListenAsync(bool isAgent)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        if (Volatile.Read(ref _server) is not null)
        {
            throw new InvalidOperationException("The agent has not gone away.");
        }

        File.Delete(SocketPath);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.ListenUnixSocket(SocketPath, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc();
        WorkloadService.AddTo(builder.Services, this);
        var server = builder.Build();
        server.UseRouting();
        if (isAgent)
        {
            server.MapGrpcService<WorkloadService>();
        }

        try
        {
            await server.StartAsync().ConfigureAwait(false);
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        Volatile.Write(ref _server, server);
    }

    private sealed record WorkloadStream(WorkloadStreamKind Kind, Channel<byte[]> Messages);

    /// <summary>What a new stream gets.</summary>
    private abstract record Answer
    {
        internal sealed record Silence : Answer;

        internal sealed record Refusal(StatusCode Status, string Detail) : Answer
        {
            internal RpcException ToException() => new(new Status(Status, Detail));
        }

        internal sealed record Message(
            byte[] Svids, byte[] Bundles, byte[] JwtBundles, Func<WorkloadJwtRequest, byte[]?> JwtSvids) : Answer
        {
            internal static Message Of(WorkloadUpdate update) => new(
                update.ToX509SvidMessage(), update.ToX509BundlesMessage(), update.ToJwtBundlesMessage(), update.ToJwtSvidMessage);

            internal byte[] For(WorkloadStream stream) => stream.Kind switch
            {
                WorkloadStreamKind.X509Svids => Svids,
                WorkloadStreamKind.X509Bundles => Bundles,
                _ => JwtBundles,
            };
        }
    }
}
