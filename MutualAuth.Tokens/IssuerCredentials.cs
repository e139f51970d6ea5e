using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace MutualAuth.Tokens;

/// <summary>How we authenticate to the issuer: by our certificate or by a secret.</summary>
/// <remarks>Immutable; safe for concurrent use. It never prints a secret.</remarks>
public sealed class IssuerCredentials
{
    private const int MaxSecretLength = 4096;

    private readonly Func<string>? _secret;

    private IssuerCredentials(string clientId, Func<string>? secret)
    {
        ArgumentException.ThrowIfNullOrEmpty(clientId);
        ClientId = clientId;
        _secret = secret;
    }

    /// <summary>The name by which the issuer knows us.</summary>
    public string ClientId { get; }

    internal bool NeedsCertificate => _secret is null;

    /// <summary>
    /// By <see cref="TokenIssuerConnection.Identity"/> (RFC 8705 §2). The issuer then also binds the tokens to that certificate, if it is set up so.
    /// </summary>
    /// <exception cref="ArgumentException"><paramref name="clientId"/> is null or empty.</exception>
    public static IssuerCredentials ByCertificate(string clientId) => new(clientId, null);

    /// <summary>By a secret, in the header (RFC 6749 §2.3.1).</summary>
    /// <exception cref="ArgumentException"><paramref name="clientId"/> or <paramref name="secret"/> is null or empty.</exception>
    public static IssuerCredentials BySecret(string clientId, string secret)
    {
        ArgumentException.ThrowIfNullOrEmpty(secret);
        return new IssuerCredentials(clientId, () => secret);
    }

    /// <summary>By a secret that is read from a file for each request, so that a new one needs no restart. One line end is cut off.</summary>
    /// <exception cref="ArgumentException"><paramref name="clientId"/> or <paramref name="path"/> is null or empty.</exception>
    public static IssuerCredentials BySecretFile(string clientId, string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var absolute = Path.GetFullPath(path);
        return new IssuerCredentials(clientId, () => Read(absolute));
    }

    /// <summary>How, and as whom; never the secret.</summary>
    public override string ToString() => $"{ClientId}, by {(NeedsCertificate ? "certificate" : "secret")}";

    /// <summary>Puts the credentials into a request whose form the caller makes of <paramref name="form"/> afterwards.</summary>
    /// <exception cref="TokenIssuerException">The file with the secret cannot be used.</exception>
    internal void Apply(HttpRequestMessage request, IDictionary<string, string> form)
    {
        if (_secret is null)
        {
            form["client_id"] = ClientId;
            return;
        }

        var pair = $"{WebUtility.UrlEncode(ClientId)}:{WebUtility.UrlEncode(_secret())}";
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(pair)));
    }

    private static string Read(string path)
    {
        try
        {
            var text = new FileInfo(path).Length <= MaxSecretLength ? File.ReadAllText(path) : string.Empty;
            text = text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
            return text.Length > 0
                ? text
                : throw new TokenIssuerException(TokenIssuerProblem.Refused, $"The file {path} has no secret of 1 to {MaxSecretLength} bytes.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new TokenIssuerException(
                TokenIssuerProblem.Refused, $"The file {path} with the client's secret cannot be read: {exception.Message}", null, exception);
        }
    }
}
