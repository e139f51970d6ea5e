using System.Net;
using System.Net.Sockets;
using MutualAuth.Http.Streams;

namespace MutualAuth.Http.Pooling;

/// <summary>
/// The connections to one host and port. The platform's handler pools them, and speaks HTTP; here they are dialled, and the version is chosen,
/// which that handler cannot do for connections whose TLS is not its own.
/// </summary>
internal sealed class AuthorityPool : IDisposable
{
    /// <summary>How long a connection that was opened to learn the version may wait for its request.</summary>
    private static readonly TimeSpan s_maxParked = TimeSpan.FromSeconds(5);

    private readonly PoolSet _pools;
    private readonly MutualTlsHttpTarget _target;
    private readonly MutualTlsClient _either;
    private readonly MutualTlsClient _http11;
    private readonly MutualTlsClient _http2;
    private readonly SocketsHttpHandler _handler;
    private readonly HttpMessageInvoker _invoker;
    private readonly SemaphoreSlim _learning = new(1, 1); // its wait handle is never asked for, so that it need not be disposed of
    private readonly Lock _parkedLock = new();
    private (ConnectionStream Stream, bool IsHttp2, long Since)? _parked;
    private volatile Version? _learned;
    private bool _isDisposed;

    internal AuthorityPool(PoolSet pools, Authority authority, MutualTlsHttpTarget target, MutualTlsClient client, MutualTlsHttpOptions options)
    {
        _pools = pools;
        Authority = authority;
        _target = target;
        _either = client.WithApplicationProtocols(["h2", "http/1.1"]);
        _http11 = client.WithApplicationProtocols(["http/1.1"]);
        _http2 = client.WithApplicationProtocols(["h2"]);
        var host = authority.Host.Contains(':', StringComparison.Ordinal) ? $"[{authority.Host}]" : authority.Host;
        Prefix = $"http://{host}:{authority.Port}";
        _handler = new SocketsHttpHandler
        {
            ConnectCallback = ConnectAsync,
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            PooledConnectionLifetime = options.PooledConnectionLifetime,
            PooledConnectionIdleTimeout = options.PooledConnectionIdleTimeout,
            MaxConnectionsPerServer = options.MaxConnectionsPerServer,
            EnableMultipleHttp2Connections = options.EnableMultipleHttp2Connections,
            KeepAlivePingDelay = options.KeepAlivePingDelay,
            KeepAlivePingTimeout = options.KeepAlivePingTimeout,
            MaxResponseHeadersLength = options.MaxResponseHeadersLength,
            AutomaticDecompression = options.AutomaticDecompression,
        };
        _invoker = new HttpMessageInvoker(_handler);
    }

    internal Authority Authority { get; }

    /// <summary>Scheme and authority as the platform's handler is told them.</summary>
    internal string Prefix { get; }

    /// <summary>How many requests wait for their response. The set's lock guards it, and the next two.</summary>
    internal int Users { get; set; }

    /// <summary>The open connections.</summary>
    internal HashSet<MutualTlsConnection> Connections { get; } = [];

    /// <summary>Whether requests go to another pool.</summary>
    internal bool IsRetired { get; set; }

    /// <summary>
    /// Whether every connection may take another request. What ends one of them is known here at once; its announcement takes a moment.
    /// </summary>
    internal bool MayTakeRequests
    {
        get
        {
            foreach (var connection in Connections)
            {
                if (connection.DrainRequested.IsCancellationRequested)
                {
                    return false;
                }
            }

            return true;
        }
    }

    internal Task<HttpResponseMessage> SendAsync(HttpRequestMessage wire, CancellationToken cancellationToken) =>
        _invoker.SendAsync(wire, cancellationToken);

    /// <summary>The one version in which to send a request: by its policy, or as the server chose.</summary>
    /// <exception cref="HttpRequestException">The version is not supported, or the connection failed by which to learn it.</exception>
    internal ValueTask<Version> ChooseVersionAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var policy = request.VersionPolicy;
        return request.Version.Major switch
        {
            >= 3 when policy != HttpVersionPolicy.RequestVersionOrLower => throw new HttpRequestException(
                HttpRequestError.VersionNegotiationError,
                $"HTTP/{request.Version} is not supported over mutual TLS; ask for 2.0, or for {nameof(HttpVersionPolicy.RequestVersionOrLower)}."),
            2 when policy != HttpVersionPolicy.RequestVersionOrLower => new(HttpVersion.Version20),
            < 2 when policy != HttpVersionPolicy.RequestVersionOrHigher => new(request.Version),
            _ => _learned is { } learned ? new(learned) : LearnAsync(cancellationToken),
        };
    }

    /// <summary>The next request that leaves it to the server asks again.</summary>
    internal void ForgetVersion() => _learned = null;

    /// <summary>No request is left that a connection waits for which was opened to learn the version: it is closed.</summary>
    internal void DropParked()
    {
        ConnectionStream? parked;
        lock (_parkedLock)
        {
            parked = _parked?.Stream;
            _parked = null;
        }

        parked?.Dispose();
    }

    /// <summary>Lets the requests that have their response go on; their connections end with them.</summary>
    public void Dispose()
    {
        lock (_parkedLock)
        {
            _isDisposed = true;
        }

        DropParked();
        _invoker.Dispose();
    }

    private async ValueTask<Version> LearnAsync(CancellationToken cancellationToken)
    {
        await _learning.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_learned is { } learned)
            {
                return learned;
            }

            MutualTlsConnection connection;
            try
            {
                connection = await DialAsync(_either, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                throw new HttpRequestException(
                    HttpRequestError.SecureConnectionError, $"{exception.Message} ({Authority.Host}:{Authority.Port})", exception);
            }

            var isHttp2 = connection.Session.ApplicationProtocol == "h2";
            Park(Adopt(connection, isHttp2), isHttp2);
            return _learned = isHttp2 ? HttpVersion.Version20 : HttpVersion.Version11;
        }
        finally
        {
            _learning.Release();
        }
    }

    private void Park(ConnectionStream stream, bool isHttp2)
    {
        ConnectionStream? unwanted;
        lock (_parkedLock)
        {
            unwanted = _isDisposed ? stream : _parked?.Stream;
            if (!_isDisposed)
            {
                _parked = (stream, isHttp2, Environment.TickCount64);
            }
        }

        unwanted?.Dispose();
    }

    private ConnectionStream? TakeParked(bool isHttp2)
    {
        (ConnectionStream Stream, bool IsHttp2, long Since) parked;
        lock (_parkedLock)
        {
            if (_parked is not { } found)
            {
                return null;
            }

            parked = found;
            _parked = null;
        }

        if (parked.IsHttp2 == isHttp2 && parked.Stream.MayTakeRequests && Environment.TickCount64 - parked.Since < s_maxParked.TotalMilliseconds)
        {
            return parked.Stream;
        }

        parked.Stream.Dispose();
        return null;
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var isHttp2 = context.InitialRequestMessage.Version.Major == 2;
        if (TakeParked(isHttp2) is { } parked)
        {
            return parked;
        }

        var connection = await DialAsync(isHttp2 ? _http2 : _http11, cancellationToken).ConfigureAwait(false);
        if (isHttp2 && connection.Session.ApplicationProtocol != "h2")
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw new HttpRequestException(
                HttpRequestError.VersionNegotiationError,
                $"The server at {Authority.Host}:{Authority.Port} has not agreed to speak HTTP/2: have \"h2\" among its application protocols.");
        }

        return Adopt(connection, isHttp2);
    }

    private Task<MutualTlsConnection> DialAsync(MutualTlsClient client, CancellationToken cancellationToken)
    {
        if (_target.EndPoint is null && _target.ServerName is null)
        {
            return client.ConnectAsync(Authority.Host, Authority.Port, cancellationToken);
        }

        EndPoint endPoint = _target.EndPoint
            ?? (IPAddress.TryParse(Authority.Host, out var address)
                ? new IPEndPoint(address, Authority.Port)
                : new DnsEndPoint(Authority.Host, Authority.Port, AddressFamily.Unspecified));
        return client.ConnectAsync(endPoint, _target.ServerName ?? Authority.Host, cancellationToken);
    }

    private ConnectionStream Adopt(MutualTlsConnection connection, bool isHttp2)
    {
        _pools.Opened(this, connection);
        return new ConnectionStream(
            connection, isHttp2, onDrain: () => _pools.Retire(this), onClosed: () => _pools.Closed(this, connection));
    }
}
