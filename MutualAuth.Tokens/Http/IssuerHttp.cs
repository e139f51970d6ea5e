using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using MutualAuth.Callbacks;
using MutualAuth.Tokens.Json;
using MutualAuth.Validation;

namespace MutualAuth.Tokens.Http;

/// <summary>
/// Asks one issuer, and judges its certificate by our rules. Nothing that an answer names is followed. Safe for concurrent use.
/// </summary>
internal sealed class IssuerHttp : IDisposable
{
    private const int MaxConnections = 16;
    private const int MaxHeaderKilobytes = 16;

    private readonly TokenIssuerConnection _connection;
    private readonly RemoteCertificateValidationCallback _judge;
    private readonly Lock _making = new();
    private (Identity? For, HttpClient Client)? _client;
    private bool _isDisposed;

    internal IssuerHttp(TokenIssuerConnection connection, ILoggerFactory loggers, TimeProvider time)
    {
        _connection = connection;
        var stage = new CertificateStage(new CertificateStageOptions
        {
            Trust = connection.Trust,
            Authorization = Authorize.ServerName,
            Pins = connection.Pins,
            Revocation = connection.Revocation,
            LoggerFactory = loggers,
        });
        _judge = new ValidationCallbacks(stage, new ValidationCallbackOptions { Name = "token issuer", TimeProvider = time }).ForServer();
    }

    /// <summary>An address that may be asked: https, without user and fragment.</summary>
    internal static bool IsAddress(Uri? address) =>
        address is { IsAbsoluteUri: true } && address.Scheme == Uri.UriSchemeHttps && address.UserInfo.Length == 0 && address.Fragment.Length == 0;

    internal Task<JsonDocument> GetAsync(Uri address, CancellationToken cancellationToken) =>
        AskAsync(address, _connection.Identity?.Current, () => new HttpRequestMessage(HttpMethod.Get, address), cancellationToken);

    /// <summary>Posts a form, authenticated, with the certificate in force.</summary>
    internal Task<JsonDocument> PostAsync(
        Uri address, IssuerCredentials credentials, IReadOnlyDictionary<string, string> form, CancellationToken cancellationToken) =>
        PostAsync(address, _connection.Identity?.Current, credentials, form, cancellationToken);

    /// <summary>Posts a form, authenticated, with this certificate.</summary>
    internal Task<JsonDocument> PostAsync(
        Uri address, Identity? identity, IssuerCredentials credentials, IReadOnlyDictionary<string, string> form,
        CancellationToken cancellationToken) =>
        AskAsync(
            address,
            identity,
            () =>
            {
                var request = new HttpRequestMessage(HttpMethod.Post, address);
                var complete = new Dictionary<string, string>(form);
                credentials.Apply(request, complete);
                request.Content = new FormUrlEncodedContent(complete);
                return request;
            },
            cancellationToken);

    public void Dispose()
    {
        lock (_making)
        {
            _isDisposed = true;
            _client?.Client.Dispose();
            _client = null;
        }
    }

    /// <summary>The object that the issuer answers with; the caller disposes of it.</summary>
    /// <exception cref="TokenIssuerException">There is none.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    private async Task<JsonDocument> AskAsync(Uri address, Identity? identity, Func<HttpRequestMessage> make, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(_connection.Timeout);
        try
        {
            using var request = make();
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            using var response = await Client(identity).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token)
                .ConfigureAwait(false);
            var body = await ReadAsync(address, response, deadline.Token).ConfigureAwait(false);
            return Judge(address, response, body);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TokenIssuerException(TokenIssuerProblem.TimedOut, $"{Print(address)} did not answer within {_connection.Timeout}.");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or AuthenticationException or ObjectDisposedException)
        {
            var words = Quoted.Text((exception.InnerException ?? exception).Message);
            throw new TokenIssuerException(TokenIssuerProblem.Unreachable, $"{Print(address)} could not be asked: {words}.", null, exception);
        }
    }

    private async Task<byte[]> ReadAsync(Uri address, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var max = _connection.MaxResponseBytes;
        var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            // One octet more than allowed, so that an answer that is too long shows.
            var buffer = new byte[max + 1];
            var length = response.Content.Headers.ContentLength > max
                ? buffer.Length
                : await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            return length <= max
                ? buffer[..length]
                : throw new TokenIssuerException(TokenIssuerProblem.TooLong, $"{Print(address)} answered with more than {max} bytes.");
        }
    }

    private static JsonDocument Judge(Uri address, HttpResponseMessage response, byte[] body)
    {
        var document = StrictJson.ReadObject(body);
        if (response.StatusCode == System.Net.HttpStatusCode.OK)
        {
            return document
                ?? throw new TokenIssuerException(TokenIssuerProblem.Malformed, $"{Print(address)} answered with something else than a JSON object.");
        }

        using (document)
        {
            var code = document is null ? null : Quoted.Code(document.RootElement.Text("error"));
            throw new TokenIssuerException(
                TokenIssuerProblem.Refused,
                $"{Print(address)} answered with HTTP status {(int)response.StatusCode}{(code is null ? string.Empty : $" and {code}")}.",
                code);
        }
    }

    /// <summary>A client with this identity. One that was replaced ends by itself, when its requests are over.</summary>
    private HttpClient Client(Identity? identity)
    {
        lock (_making)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_client is not { } made || !ReferenceEquals(made.For, identity))
            {
                _client = made = (identity, Make(identity));
            }

            return made.Client;
        }
    }

    private HttpClient Make(Identity? identity) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        MaxConnectionsPerServer = MaxConnections,
        MaxResponseHeadersLength = MaxHeaderKilobytes,
        PooledConnectionLifetime = TimeSpan.FromMinutes(1), // so that trust and pins that were changed are applied
        SslOptions = new SslClientAuthenticationOptions
        {
            AllowTlsResume = false,
            ClientCertificateContext = identity?.TlsContext,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck, // ours is in the certificate stage
            RemoteCertificateValidationCallback = _judge,
        },
    })
    {
        Timeout = System.Threading.Timeout.InfiniteTimeSpan,
    };

    private static string Print(Uri address) => address.GetLeftPart(UriPartial.Path);
}
