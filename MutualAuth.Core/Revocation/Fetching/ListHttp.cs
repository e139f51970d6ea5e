using System.Net;
using System.Net.Http.Headers;
using MutualAuth.Errors;

namespace MutualAuth.Revocation;

/// <summary>Fetches one list: bounded in size and time, and never from any other address than the one that is asked.</summary>
internal sealed class ListHttp : IDisposable
{
    private const int FirstBuffer = 64 * 1024;
    private const int MaxTagLength = 256;

    private readonly HttpClient _client;
    private readonly bool _isOurs;
    private readonly int _maxBytes;

    internal ListHttp(RevocationFetchOptions options)
    {
        _isOurs = options.HttpClient is null;
        _client = options.HttpClient ?? Make(options.MaxConcurrentFetches);
        _maxBytes = options.MaxBytes;
    }

    /// <summary>Asks for the list, or for one that is newer than a version.</summary>
    /// <param name="address">The address.</param>
    /// <param name="known">The version at hand; null to ask for the list whatever it is.</param>
    /// <param name="cancellationToken">Gives up, at the deadline for example.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended.</exception>
    internal async Task<ListAnswer> GetAsync(Uri address, ListVersion? known, CancellationToken cancellationToken)
    {
        try
        {
            using var request = RequestOf(address, known);
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken)
                .ConfigureAwait(false);
            return response.StatusCode == HttpStatusCode.NotModified && known is not null && IsFrom(response, address) ? ListAnswer.Unchanged
                : FlawOf(response, address) is { } flaw ? flaw
                : await ReadAsync(response, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return ListAnswer.Of(RevocationFetchFailure.TimedOut, "no answer within the time limit of the HTTP client");
        }
        catch (HttpIOException cut) when (cut.HttpRequestError == HttpRequestError.ResponseEnded)
        {
            return ListAnswer.Of(RevocationFetchFailure.Malformed, "an answer that ended early");
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // Handlers of the application throw what they like.
            return ListAnswer.Of(RevocationFetchFailure.Unreachable, $"no answer: {SafeText.Quote((exception.InnerException ?? exception).Message)}");
        }
    }

    public void Dispose()
    {
        if (_isOurs)
        {
            _client.Dispose();
        }
    }

    private static HttpRequestMessage RequestOf(Uri address, ListVersion? known)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/pkix-crl"));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("*/*", 0.5));
        if (known?.Tag is { } tag)
        {
            request.Headers.IfNoneMatch.Add(tag);
        }
        else if (known?.ModifiedAt is { } modifiedAt)
        {
            request.Headers.IfModifiedSince = modifiedAt;
        }

        return request;
    }

    private static bool IsCoded(string coding) => !coding.Equals("identity", StringComparison.OrdinalIgnoreCase);

    private static bool IsFrom(HttpResponseMessage response, Uri asked) => response.RequestMessage?.RequestUri == asked;

    private ListAnswer? FlawOf(HttpResponseMessage response, Uri asked) =>
        !IsFrom(response, asked)
            ? ListAnswer.Of(RevocationFetchFailure.Redirected, "an answer from another address than the one that was asked")
        : (int)response.StatusCode is >= 300 and < 400 && response.Headers.Location is { } location
            ? ListAnswer.Of(
                RevocationFetchFailure.Redirected, $"HTTP status {(int)response.StatusCode} that leads to {SafeText.Quote(location.OriginalString)}")
        : response.StatusCode != HttpStatusCode.OK
            ? ListAnswer.Of(RevocationFetchFailure.HttpStatus, $"HTTP status {(int)response.StatusCode}")
        : response.Content.Headers.ContentEncoding.FirstOrDefault(IsCoded) is { } coded
            ? ListAnswer.Of(RevocationFetchFailure.Encoded, $"an answer in the content coding {SafeText.Quote(coded)}")
        : response.Content.Headers.ContentLength > _maxBytes ? TooLarge
        : null;

    private ListAnswer TooLarge => ListAnswer.Of(RevocationFetchFailure.TooLarge, $"an answer of more than {_maxBytes} bytes");

    /// <summary>Memory grows with what has come, and not with what is announced.</summary>
    private async Task<ListAnswer> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            // One octet more than allowed, so that an answer that is too long shows.
            var buffer = new byte[Math.Min(FirstBuffer, _maxBytes + 1)];
            var length = 0;
            while (await body.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false) is > 0 and var count)
            {
                length += count;
                if (length > _maxBytes)
                {
                    return TooLarge;
                }

                if (length == buffer.Length)
                {
                    Array.Resize(ref buffer, (int)Math.Min(2L * length, _maxBytes + 1L));
                }
            }

            return ListAnswer.Of(buffer[..length], VersionOf(response));
        }
    }

    private static ListVersion VersionOf(HttpResponseMessage response) => new(
        response.Headers.ETag is { } tag && tag.Tag.Length <= MaxTagLength ? tag : null,
        response.Content.Headers.LastModified);

    // Connections are renewed now and then, so that a change of the server's address is noticed.
    private static HttpClient Make(int maxConnections) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        UseProxy = false,
        MaxConnectionsPerServer = maxConnections,
        MaxResponseHeadersLength = 16,
        MaxResponseDrainSize = 0,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    {
        Timeout = System.Threading.Timeout.InfiniteTimeSpan,
    };
}
