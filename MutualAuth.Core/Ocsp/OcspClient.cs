using System.Net.Http.Headers;
using MutualAuth.Errors;

namespace MutualAuth.Ocsp;

/// <summary>
/// Carries a request to a responder and its answer back (RFC 6960 appendix A.1): bounded in size and time, and without ever going anywhere else.
/// </summary>
internal sealed class OcspClient : IDisposable
{
    private const string RequestType = "application/ocsp-request";
    private const string ResponseType = "application/ocsp-response";

    private readonly HttpClient _client;
    private readonly bool _isOurs;
    private readonly int _maxBytes;

    internal OcspClient(HttpClient? client, int maxBytes)
    {
        _isOurs = client is null;
        _client = client ?? Make();
        _maxBytes = maxBytes;
    }

    /// <summary>Asks; either the answer or, in words, why there is none.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended.</exception>
    internal async Task<(byte[]? Answer, string? Flaw)> AskAsync(Uri responder, byte[] request, CancellationToken cancellationToken)
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, responder) { Content = new ByteArrayContent(request) };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue(RequestType);
        message.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(ResponseType));
        try
        {
            using var response = await _client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            return FlawOf(response, responder) is { } flaw ? (null, flaw) : await ReadAsync(response, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return (null, $"no answer: {SafeText.Quote(exception.Message)}");
        }
    }

    public void Dispose()
    {
        if (_isOurs)
        {
            _client.Dispose();
        }
    }

    private string? FlawOf(HttpResponseMessage response, Uri asked) =>
        response.RequestMessage?.RequestUri != asked ? "an answer from another address than the one that was asked"
        : response.StatusCode != System.Net.HttpStatusCode.OK ? $"HTTP status {(int)response.StatusCode}"
        : response.Content.Headers.ContentType?.MediaType != ResponseType ? "an answer that is not of type application/ocsp-response"
        : response.Content.Headers.ContentLength > _maxBytes ? TooLong
        : null;

    private string TooLong => $"an answer of more than {_maxBytes} bytes";

    private async Task<(byte[]? Answer, string? Flaw)> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            // One octet more than allowed, so that an answer that is too long shows.
            var buffer = new byte[_maxBytes + 1];
            var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            return length > _maxBytes ? (null, TooLong) : (buffer[..length], null);
        }
    }

    // Connections are renewed now and then, so that a change of the responder's address is noticed.
    private static HttpClient Make() => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        MaxConnectionsPerServer = 16,
        MaxResponseHeadersLength = 16,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };
}
