using System.Text.Json;
using Microsoft.Extensions.Logging;
using MutualAuth.Credentials;
using MutualAuth.Tokens.Json;

namespace MutualAuth.Tokens.Http;

/// <summary>Tokens by the client credentials grant. Nothing runs while no one asks.</summary>
internal sealed class GrantedTokens : TokenSource
{
    private const int MaxCertificates = 4;
    private static readonly TimeSpan s_assumedLifetime = TimeSpan.FromMinutes(1); // where the issuer does not say one (RFC 6749 §5.1)
    private static readonly TimeSpan s_longestLifetime = TimeSpan.FromDays(30);

    private readonly ClientCredentialsOptions _options;
    private readonly IssuerHttp _http;
    private readonly ILogger _logger;
    private readonly TokenRenewalOptions _renewal;
    private readonly Lock _state = new();
    private readonly List<Bound> _bound = []; // the one that was used last is the last
    private int _disposed;

    internal GrantedTokens(ClientCredentialsOptions options)
    {
        _options = options;
        _http = new IssuerHttp(options.Connection, options.LoggerFactory, options.TimeProvider);
        _logger = TokenLog.Create(options.LoggerFactory);
        _renewal = new TokenRenewalOptions
        {
            Name = Source,
            RenewAfter = options.RenewAfter,
            RetryDelay = options.RetryDelay,
            MaxRetryDelay = options.MaxRetryDelay,
            TimeProvider = options.TimeProvider,
        };
    }

    private string Source => _options.Endpoint.GetLeftPart(UriPartial.Path);

    public override ValueTask<string> GetAsync(CancellationToken cancellationToken = default) =>
        GetAsync(_options.Connection.Identity?.Current, cancellationToken);

    public override ValueTask<string> GetForAsync(SaslClientContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);

        // Where we show the issuer nothing, it cannot bind the token to anything.
        return GetAsync(_options.Connection.Identity is { } source ? LatestOf(context.OwnIdentity, source.Current) : null, cancellationToken);
    }

    /// <summary>What a connection has shown; with the chain and the key of now where the certificate has come again.</summary>
    private static Identity LatestOf(Identity? shown, Identity current) =>
        shown is null || shown.Certificate.Equals(current.Certificate) ? current : shown;

    public override void Forget()
    {
        lock (_state)
        {
            _bound.ForEach(bound => bound.Token.Forget());
        }
    }

    public override async ValueTask DisposeAsync()
    {
        Bound[] all;
        lock (_state)
        {
            if (_disposed++ != 0)
            {
                return;
            }

            all = [.. _bound];
        }

        await Task.WhenAll(all.Select(bound => bound.Token.DisposeAsync().AsTask())).ConfigureAwait(false);
        _http.Dispose();
    }

    private ValueTask<string> GetAsync(Identity? identity, CancellationToken cancellationToken)
    {
        RenewedToken token;
        lock (_state)
        {
            ObjectDisposedException.ThrowIf(_disposed != 0, this);
            token = BoundTo(identity).Token;
        }

        return token.GetAsync(cancellationToken);
    }

    /// <summary>What there is for this certificate, to be asked for as this identity. The one that was used longest ago makes room.</summary>
    private Bound BoundTo(Identity? identity)
    {
        var bound = _bound.Find(bound => Equals(bound.Identity?.Certificate, identity?.Certificate))
            ?? new Bound(this);
        bound.Identity = identity;
        _bound.Remove(bound);
        if (_bound.Count == MaxCertificates)
        {
            _bound.RemoveAt(_bound.FindIndex(old => old.Token.IsIdle) is var idle and >= 0 ? idle : 0);
        }

        _bound.Add(bound);
        return bound;
    }

    private async ValueTask<IssuedToken> RequestAsync(Identity? identity, CancellationToken stop)
    {
        var form = new Dictionary<string, string> { ["grant_type"] = "client_credentials" };
        if (!_options.Scopes.IsEmpty)
        {
            form["scope"] = string.Join(' ', _options.Scopes);
        }

        if (_options.Resource is { } resource)
        {
            form["resource"] = resource.OriginalString;
        }

        // The lifetime counts from the whole second before the request, as tokens have whole seconds: it never ends later here than at the issuer.
        var asked = DateTimeOffset.FromUnixTimeSeconds(_options.TimeProvider.GetUtcNow().ToUnixTimeSeconds());
        using var answer = await _http.PostAsync(_options.Endpoint, identity, _options.Credentials, form, stop).ConfigureAwait(false);
        var root = answer.RootElement;
        if (root.Text("access_token") is not { } token || !IsToken(token)
            || !string.Equals(root.Text("token_type"), "Bearer", StringComparison.OrdinalIgnoreCase))
        {
            throw new TokenIssuerException(TokenIssuerProblem.Malformed, $"{Source} answered without a bearer token (RFC 6749 §5.1).");
        }

        var lifetime = root.TryGetProperty("expires_in", out var given)
            && given.ValueKind == JsonValueKind.Number
            && given.TryGetDouble(out var seconds)
            && seconds > 0
            ? TimeSpan.FromSeconds(Math.Min(seconds, s_longestLifetime.TotalSeconds))
            : s_assumedLifetime;
        return new IssuedToken(token, asked, asked + lifetime);
    }

    /// <summary>The token that is bound to one certificate. Guarded by the source's lock.</summary>
    private sealed class Bound
    {
        internal Bound(GrantedTokens source) =>
            Token = new RenewedToken(stop => source.RequestAsync(Identity, stop), source._renewal, source._logger);

        /// <summary>With the chain and the key that came last.</summary>
        internal Identity? Identity { get; set; }

        internal RenewedToken Token { get; }
    }
}
