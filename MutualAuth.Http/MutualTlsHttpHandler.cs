using System.Net;
using MutualAuth.Http.Pooling;

namespace MutualAuth.Http;

/// <summary>
/// Sends the requests of an <see cref="HttpClient"/>, or of a gRPC channel, over mutually authenticated connections: <c>https</c>, HTTP/1.1 and
/// HTTP/2, with or without the confirmation protocol.
/// </summary>
/// <remarks>
/// <para>
/// Each connection is that of a <see cref="MutualTlsClient"/>, so that its rules, its bounds and its revalidation hold: a pooled connection whose
/// server is no longer accepted ends, or takes no further request, and the next request connects again. The server must have the name in the URI,
/// unless <see cref="MutualTlsHttpOptions.Target"/> says otherwise.
/// </para>
/// <para>
/// The request's version and policy decide: 2.0 with <see cref="HttpVersionPolicy.RequestVersionExact"/> or
/// <see cref="HttpVersionPolicy.RequestVersionOrHigher"/> is HTTP/2, 1.1 with <see cref="HttpVersionPolicy.RequestVersionExact"/> or
/// <see cref="HttpVersionPolicy.RequestVersionOrLower"/> is HTTP/1.1, and otherwise the server chooses by ALPN (RFC 7301). The application
/// protocols in the client's own options are not used. HTTP/3 is not supported, nor are proxies and synchronous sends.
/// </para>
/// <para>
/// Failures are <see cref="HttpRequestException"/>s: one to connect has the <see cref="HandshakeException"/> inside; see
/// <see cref="MutualTlsHttpFailures"/>. Safe for use from many threads: make one and keep it. Requests in progress end as usual after disposal.
/// </para>
/// </remarks>
/// <example>
/// <code>
/// using var http = new HttpClient(new MutualTlsHttpHandler(mutualTls));
/// var text = await http.GetStringAsync("https://server.example:8443/stock");
/// </code>
/// </example>
public sealed class MutualTlsHttpHandler : HttpMessageHandler
{
    private readonly PoolSet _pools;
    private readonly MutualTlsHttpOptions _options;

    /// <summary>Prepares a handler; nothing is dialled yet.</summary>
    /// <param name="client">Authenticates both ends of each connection. It is not owned; it may be used for other connections as well.</param>
    /// <param name="options">Pools, lifetimes and redirects; null for the defaults.</param>
    /// <exception cref="ArgumentNullException"><paramref name="client"/> is null.</exception>
    /// <exception cref="ArgumentException">The options contradict themselves; the message lists every problem.</exception>
    /// <example>
    /// <code>
    /// using var channel = GrpcChannel.ForAddress(
    ///     "https://server.example:8443",
    ///     new GrpcChannelOptions { HttpHandler = new MutualTlsHttpHandler(mutualTls), DisposeHttpClient = true });
    /// </code>
    /// </example>
    public MutualTlsHttpHandler(MutualTlsClient client, MutualTlsHttpOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        _options = options ?? new MutualTlsHttpOptions();
        var problems = string.Join(' ', _options.Problems());
        if (problems.Length > 0)
        {
            throw new ArgumentException(problems, nameof(options));
        }

        _pools = new PoolSet(client, _options);
    }

    /// <summary>How many servers there are pools for; each goes when its last connection and request have ended.</summary>
    internal int PoolCount => _pools.Count;

    /// <inheritdoc/>
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.RequestUri is not { IsAbsoluteUri: true } uri)
        {
            throw new InvalidOperationException("The request has no absolute URI.");
        }

        if (uri.Scheme != Uri.UriSchemeHttps)
        {
            throw new NotSupportedException($"Only https is sent over mutual TLS; the request's scheme is '{uri.Scheme}'.");
        }

        return cancellationToken.IsCancellationRequested
            ? Task.FromCanceled<HttpResponseMessage>(cancellationToken)
            : SendAndFollowAsync(request, cancellationToken);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _pools.Dispose();
        }

        base.Dispose(disposing);
    }

    private async Task<HttpResponseMessage> SendAndFollowAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await SendOnceAsync(request, cancellationToken).ConfigureAwait(false);
        for (var left = _options.MaxRedirects; left > 0 && Redirect.TargetOf(request, response) is { } target; left--)
        {
            Redirect.Apply(request, response.StatusCode, target);
            response.Dispose();
            response = await SendOnceAsync(request, cancellationToken).ConfigureAwait(false);
        }

        return response;
    }

    private async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var uri = request.RequestUri!;
        var pool = _pools.Rent(Authority.Of(uri));
        try
        {
            var version = await pool.ChooseVersionAsync(request, cancellationToken).ConfigureAwait(false);
            var wire = WireRequest.Of(request, pool.Prefix, version);
            if (_options.Cookies?.GetCookieHeader(uri) is { Length: > 0 } cookies)
            {
                wire.Headers.TryAddWithoutValidation("Cookie", cookies);
            }

            var response = await pool.SendAsync(wire, cancellationToken).ConfigureAwait(false);
            response.RequestMessage = request;
            Keep(uri, response);
            return response;
        }
        catch (HttpRequestException exception) when (MutualTlsHttpFailures.Typed(exception) is { } typed)
        {
            pool.ForgetVersion();
            throw typed;
        }
        finally
        {
            _pools.Return(pool);
        }
    }

    private void Keep(Uri uri, HttpResponseMessage response)
    {
        if (_options.Cookies is not { } cookies || !response.Headers.TryGetValues("Set-Cookie", out var lines))
        {
            return;
        }

        foreach (var line in lines)
        {
            try
            {
                cookies.SetCookies(uri, line);
            }
            catch (CookieException)
            {
                // Not a cookie of this server's (RFC 6265 §5.3): ignored, as browsers do.
            }
        }
    }
}
