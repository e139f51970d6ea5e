using System.Text.Json;
using Microsoft.Extensions.Logging;
using MutualAuth.Tokens.Json;

namespace MutualAuth.Tokens.Http;

/// <summary>Tokens by the client credentials grant. Nothing runs while no one asks.</summary>
internal sealed class GrantedTokens : TokenSource
{
    private const double Jitter = 0.1;
    private static readonly TimeSpan s_assumedLifetime = TimeSpan.FromMinutes(1); // where the issuer does not say one (RFC 6749 §5.1)
    private static readonly TimeSpan s_longestLifetime = TimeSpan.FromDays(30);

    private readonly ClientCredentialsOptions _options;
    private readonly IssuerHttp _http;
    private readonly ILogger _logger;
    private readonly Backoff _backoff;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _state = new();
    private Granted? _good;
    private Task<Granted>? _flight;
    private (TokenIssuerException Trouble, DateTimeOffset Until)? _pause;
    private int _disposed;

    internal GrantedTokens(ClientCredentialsOptions options)
    {
        _options = options;
        _http = new IssuerHttp(options.Connection, options.LoggerFactory, options.TimeProvider);
        _logger = options.LoggerFactory.CreateLogger(TokenLog.Category);
        _backoff = new Backoff(options.RetryDelay, options.MaxRetryDelay);
    }

    private string Source => _options.Endpoint.GetLeftPart(UriPartial.Path);

    public override async ValueTask<string> GetAsync(CancellationToken cancellationToken = default)
    {
        Task<Granted> flight;
        lock (_state)
        {
            ObjectDisposedException.ThrowIf(_disposed != 0, this);
            var now = _options.TimeProvider.GetUtcNow();
            var mayAsk = _pause is not var (_, until) || now >= until;
            if (_good is { } good && now < good.End)
            {
                if (now >= good.RenewAt && mayAsk)
                {
                    _ = Fly();
                }

                return good.Text;
            }

            flight = _flight is not null || mayAsk ? Fly() : throw Repeat(_pause!.Value.Trouble);
        }

        return (await flight.WaitAsync(cancellationToken).ConfigureAwait(false)).Text;
    }

    public override void Forget()
    {
        lock (_state)
        {
            _good = null;
        }
    }

    public override async ValueTask DisposeAsync()
    {
        Task? flight;
        lock (_state)
        {
            if (_disposed++ != 0)
            {
                return;
            }

            flight = _flight;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await (flight ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _http.Dispose();
        _stop.Dispose();
    }

    private Task<Granted> Fly()
    {
        if (_flight is null)
        {
            using (ExecutionContext.SuppressFlow())
            {
                _flight = Task.Run(AskAsync, CancellationToken.None);
                _ = _flight.ContinueWith(
                    static flight => _ = flight.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            }
        }

        return _flight;
    }

    private async Task<Granted> AskAsync()
    {
        try
        {
            var granted = await RequestAsync().ConfigureAwait(false);
            lock (_state)
            {
                (_good, _pause, _flight) = (granted, null, null);
                _backoff.Reset();
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
                delay = _backoff.Next();
                (_pause, _flight) = ((trouble, _options.TimeProvider.GetUtcNow() + delay), null);
            }

            if (!_stop.IsCancellationRequested)
            {
                TokenLog.TokenNotTaken(_logger, Source, trouble.Message, delay);
            }

            throw trouble;
        }
    }

    private async Task<Granted> RequestAsync()
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
        using var answer = await _http.PostAsync(_options.Endpoint, _options.Credentials, form, _stop.Token).ConfigureAwait(false);
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

    private sealed class Granted(string text, DateTimeOffset end, DateTimeOffset renewAt)
    {
        internal string Text => text;

        internal DateTimeOffset End => end;

        internal DateTimeOffset RenewAt => renewAt;
    }
}
