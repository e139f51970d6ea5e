using System.Text.Json;
using Microsoft.Extensions.Logging;
using MutualAuth.Credentials;
using MutualAuth.Tokens.Json;

namespace MutualAuth.Tokens.Http;

/// <summary>Tokens by the client credentials grant. Nothing runs while no one asks.</summary>
internal sealed class GrantedTokens : TokenSource
{
    private const int MaxCertificates = 4;
    private const double Jitter = 0.1;
    private static readonly TimeSpan s_assumedLifetime = TimeSpan.FromMinutes(1); // where the issuer does not say one (RFC 6749 §5.1)
    private static readonly TimeSpan s_longestLifetime = TimeSpan.FromDays(30);

    private readonly ClientCredentialsOptions _options;
    private readonly IssuerHttp _http;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _state = new();
    private readonly List<Bound> _bound = []; // the one that was used last is the last
    private int _disposed;

    internal GrantedTokens(ClientCredentialsOptions options)
    {
        _options = options;
        _http = new IssuerHttp(options.Connection, options.LoggerFactory, options.TimeProvider);
        _logger = options.LoggerFactory.CreateLogger(TokenLog.Category);
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
            _bound.ForEach(bound => bound.Good = null);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        Task[] flights;
        lock (_state)
        {
            if (_disposed++ != 0)
            {
                return;
            }

            flights = [.. _bound.Select(bound => bound.Flight).OfType<Task>()];
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(flights).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _http.Dispose();
        _stop.Dispose();
    }

    private async ValueTask<string> GetAsync(Identity? identity, CancellationToken cancellationToken)
    {
        Task<Granted> flight;
        lock (_state)
        {
            ObjectDisposedException.ThrowIf(_disposed != 0, this);
            var bound = BoundTo(identity);
            var now = _options.TimeProvider.GetUtcNow();
            var mayAsk = bound.Pause is not var (_, until) || now >= until;
            if (bound.Good is { } good && now < good.End)
            {
                if (now >= good.RenewAt && mayAsk)
                {
                    _ = Fly(bound);
                }

                return good.Text;
            }

            flight = bound.Flight is not null || mayAsk ? Fly(bound) : throw Repeat(bound.Pause!.Value.Trouble);
        }

        return (await flight.WaitAsync(cancellationToken).ConfigureAwait(false)).Text;
    }

    /// <summary>What there is for this certificate, to be asked for as this identity. The one that was used longest ago makes room.</summary>
    private Bound BoundTo(Identity? identity)
    {
        var bound = _bound.Find(bound => Equals(bound.Identity?.Certificate, identity?.Certificate))
            ?? new Bound(new Backoff(_options.RetryDelay, _options.MaxRetryDelay));
        bound.Identity = identity;
        _bound.Remove(bound);
        if (_bound.Count == MaxCertificates)
        {
            _bound.RemoveAt(_bound.FindIndex(old => old.Flight is null) is var idle and >= 0 ? idle : 0);
        }

        _bound.Add(bound);
        return bound;
    }

    private Task<Granted> Fly(Bound bound)
    {
        if (bound.Flight is null)
        {
            using (ExecutionContext.SuppressFlow())
            {
                var identity = bound.Identity;
                bound.Flight = Task.Run(() => AskAsync(bound, identity), CancellationToken.None);
                _ = bound.Flight.ContinueWith(
                    static flight => _ = flight.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            }
        }

        return bound.Flight;
    }

    private async Task<Granted> AskAsync(Bound bound, Identity? identity)
    {
        try
        {
            var granted = await RequestAsync(identity).ConfigureAwait(false);
            lock (_state)
            {
                (bound.Good, bound.Pause, bound.Flight) = (granted, null, null);
                bound.Backoff.Reset();
            }

            TokenLog.TokenTaken(_logger, Source, granted.End);
            return granted;
        }
        catch (Exception exception)
        {
            var trouble = exception as TokenIssuerException
                ?? new TokenIssuerException(
                    TokenIssuerProblem.Unreachable, $"{Source} could not be asked: {exception.GetType().Name}.", null, exception);
            TimeSpan delay;
            lock (_state)
            {
                delay = bound.Backoff.Next();
                (bound.Pause, bound.Flight) = ((trouble, _options.TimeProvider.GetUtcNow() + delay), null);
            }

            if (!_stop.IsCancellationRequested)
            {
                TokenLog.TokenNotTaken(_logger, Source, trouble.Message, delay);
            }

            throw trouble;
        }
    }

    private async Task<Granted> RequestAsync(Identity? identity)
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
        using var answer = await _http.PostAsync(_options.Endpoint, identity, _options.Credentials, form, _stop.Token).ConfigureAwait(false);
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
        return new Granted(token, asked + lifetime, asked + (lifetime * _options.RenewAfter * (1 - (Jitter * Backoff.Random()))));
    }

    private static TokenIssuerException Repeat(TokenIssuerException trouble) => new(trouble.Problem, trouble.Message, trouble.ErrorCode, trouble);

    /// <summary>The token that is bound to one certificate, and what is done to have it. Guarded by the source's lock.</summary>
    private sealed class Bound(Backoff backoff)
    {
        /// <summary>With the chain and the key that came last.</summary>
        internal Identity? Identity { get; set; }

        internal Backoff Backoff => backoff;

        internal Granted? Good { get; set; }

        internal Task<Granted>? Flight { get; set; }

        internal (TokenIssuerException Trouble, DateTimeOffset Until)? Pause { get; set; }
    }

    private sealed class Granted(string text, DateTimeOffset end, DateTimeOffset renewAt)
    {
        internal string Text => text;

        internal DateTimeOffset End => end;

        internal DateTimeOffset RenewAt => renewAt;
    }
}
