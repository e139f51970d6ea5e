using System.Collections.Concurrent;
using System.Net.Sockets;

namespace MutualAuth.Testing.Responders;

/// <summary>
/// A small HTTP/1.1 server (RFC 9112), on loopback or where a container reaches it, which counts what it is asked and misbehaves on request.
/// </summary>
/// <remarks>
/// <para>
/// Without a <see cref="Mode"/> it does what a server should: persistent connections, pipelined requests, chunks, HEAD, <c>100-continue</c>. A
/// request that it does not answer gets a status and a reason, and stands in <see cref="Problems"/>.
/// </para>
/// <para>
/// A head has at most 32 KiB and a body 1 MiB; how long a client takes and how often it comes is not bounded, and every request is remembered
/// until the responder is forgotten: it is for tests. Safe for concurrent use; <see cref="Mode"/> may change at any time and takes effect on the
/// next request.
/// </para>
/// </remarks>
public abstract class HttpResponder : IAsyncDisposable
{
    private static readonly TimeSpan s_longestDelay = TimeSpan.FromMilliseconds(int.MaxValue);

    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Task, byte> _exchanges = new();
    private readonly ConcurrentQueue<ResponderRequest> _requests = new();
    private readonly ConcurrentQueue<ResponderProblem> _problems = new();
    private readonly Lock _stopping = new();
    private readonly Task _accepting;
    private Task? _stopped;
    private ResponderMode _mode = ResponderMode.Normal;
    private TimeSpan _delay = TimeSpan.FromSeconds(2);
    private long _oversizedLength = 64L << 20;
    private int _connections;
    private int _hits;

    private protected HttpResponder(TimeProvider clock, string? publishedHost, int port)
    {
        Clock = clock;
        PublishedHost = publishedHost;
        _listener = PublishedAddress.Listen(publishedHost, port);
        BaseUri = PublishedAddress.UriOf(publishedHost, _listener);
        _accepting = Accepting.RunAsync(_listener, Accepted, NotAccepted, _stop.Token);
    }

    /// <summary>How it behaves. Default: as it should.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such mode.</exception>
    public ResponderMode Mode
    {
        get => _mode;
        set => _mode = Enum.IsDefined(value) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "Not a mode of responders.");
    }

    /// <summary>How long <see cref="ResponderMode.Slow"/> takes, by the authority's clock. Default: two seconds.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative, or more than <see cref="int.MaxValue"/> milliseconds.</exception>
    public TimeSpan Delay
    {
        get => _delay;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, s_longestDelay);
            _delay = value;
        }
    }

    /// <summary>How many octets <see cref="ResponderMode.Oversized"/> sends. Default: 64 MiB.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public long OversizedLength
    {
        get => _oversizedLength;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _oversizedLength = value;
        }
    }

    /// <summary>How many connections have come so far, those without a request included.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>How many requests have come so far, those that could not be read included.</summary>
    public int Hits => Volatile.Read(ref _hits);

    /// <summary>The requests that could be read so far, the oldest first.</summary>
    public IReadOnlyList<ResponderRequest> Requests => [.. _requests];

    /// <summary>
    /// Everything so far that was refused, could not be read or could not be answered, with the reason, the oldest first. A problem is there before
    /// its answer goes out. What <see cref="Mode"/> asks for is no problem.
    /// </summary>
    public IReadOnlyList<ResponderProblem> Problems => [.. _problems];

    /// <summary>
    /// What those who ask call this machine, such as <c>host.docker.internal</c>; <see cref="BaseUri"/> has it, and the responder listens on every
    /// address. Null when it listens on loopback alone.
    /// </summary>
    public string? PublishedHost { get; }

    /// <summary>
    /// Where it is reached, as <c>http://127.0.0.1:PORT/</c> or with <see cref="PublishedHost"/>. It stays the same, also after the disposal.
    /// </summary>
    public Uri BaseUri { get; }

    internal TimeProvider Clock { get; }

    internal abstract IReadOnlyList<string> Methods { get; }

    /// <summary>Stops listening and breaks off what is under way, hanging answers included.</summary>
    /// <remarks>
    /// May be called more than once, also at the same time: each call ends when everything has stopped. It waits for callbacks that are under way.
    /// </remarks>
    public ValueTask DisposeAsync()
    {
        lock (_stopping)
        {
            _stopped ??= StopAsync();
        }

        GC.SuppressFinalize(this);
        return new ValueTask(_stopped);
    }

    internal abstract HttpRefusal? Refuse(ResponderRequest request);

    /// <summary>The content type of the answer at this path, whatever the octets of the answer are.</summary>
    internal abstract string ContentTypeOf(ResponderRequest request);

    /// <summary>Answers, or says that the responder failed.</summary>
    internal ResponderReply Reply(ResponderRequest request)
    {
        try
        {
            return Answer(request);
        }
        catch (Exception exception)
        {
            var reason = $"{exception.GetType().Name}: {exception.Message}";
            Tell(new ResponderProblem(ResponderProblemKind.Failed, reason, request, 500, exception));
            return ResponderReply.Text(500, reason);
        }
    }

    internal void Received(ResponderRequest request)
    {
        _requests.Enqueue(request);
        Interlocked.Increment(ref _hits);
    }

    internal void CannotRead(ResponderProblem problem)
    {
        _problems.Enqueue(problem);
        Interlocked.Increment(ref _hits);
    }

    internal void Tell(ResponderProblem problem) => _problems.Enqueue(problem);

    private protected abstract ResponderReply Answer(ResponderRequest request);

    private async Task StopAsync()
    {
        // In this order: asked for a connection after it has stopped, the listener throws something else again.
        await _stop.CancelAsync().ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);
        await Task.WhenAll(_exchanges.Keys).ConfigureAwait(false);
        _listener.Dispose();
        _stop.Dispose();
    }

    private Task Accepted(Socket socket)
    {
        Interlocked.Increment(ref _connections);

        // Elsewhere, for a callback of the test may block.
        var exchange = Task.Run(() => ServeAsync(socket));
        _exchanges.TryAdd(exchange, 0);
        _ = exchange.ContinueWith(done => _exchanges.TryRemove(done, out _), TaskScheduler.Default);
        return Task.CompletedTask;
    }

    private void NotAccepted(SocketException exception)
    {
        var reason = $"a connection could not be accepted: {exception.Message}";
        Tell(new ResponderProblem(ResponderProblemKind.Failed, reason, Request: null, Status: null, exception));
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            using var connection = new HttpConnection(this, socket, _stop.Token);
            await connection.RunAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Stopped.
        }
        catch (Exception exception)
        {
            var lost = exception is IOException or SocketException;
            Tell(new ResponderProblem(
                lost ? ResponderProblemKind.ConnectionLost : ResponderProblemKind.Failed, exception.Message, Request: null, Status: null, exception));
        }
    }
}
