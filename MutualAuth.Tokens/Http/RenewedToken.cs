using Microsoft.Extensions.Logging;

namespace MutualAuth.Tokens.Http;

/// <summary>
/// One token that is kept, asked for again ahead of its end, and used until then while it cannot be had. One request is under way at a time, and
/// attempts that fail are spaced out. Nothing runs while no one asks. Safe for concurrent use.
/// </summary>
/// <param name="ask">Asks for a token; cancelled when the source is disposed of.</param>
/// <param name="options">When it is asked for again.</param>
/// <param name="logger">Where events 1333 and 1334 go.</param>
internal sealed class RenewedToken(Func<CancellationToken, ValueTask<IssuedToken>> ask, TokenRenewalOptions options, ILogger logger)
    : IAsyncDisposable
{
    private const double Jitter = 0.1;

    private readonly Lock _state = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Backoff _backoff = new(options.RetryDelay, options.MaxRetryDelay);
    private IssuedToken? _good;
    private DateTimeOffset _renewAt;
    private Task<IssuedToken>? _flight;
    private (TokenIssuerException Trouble, DateTimeOffset Until)? _pause;
    private bool _isStopped;

    /// <summary>Whether no request is under way.</summary>
    internal bool IsIdle
    {
        get
        {
            lock (_state)
            {
                return _flight is null;
            }
        }
    }

    /// <exception cref="TokenIssuerException">There is no token that has not expired, and none can be had.</exception>
    internal async ValueTask<string> GetAsync(CancellationToken cancellationToken)
    {
        Task<IssuedToken> flight;
        lock (_state)
        {
            ObjectDisposedException.ThrowIf(_isStopped, typeof(TokenSource));
            var now = options.TimeProvider.GetUtcNow();
            var mayAsk = _pause is not var (_, until) || now >= until;
            if (_good is { } good && now < good.ExpiresAt)
            {
                if (now >= _renewAt && mayAsk)
                {
                    _ = Fly();
                }

                return good.Text;
            }

            flight = _flight is not null || mayAsk ? Fly() : throw Repeat(_pause!.Value.Trouble);
        }

        return (await flight.WaitAsync(cancellationToken).ConfigureAwait(false)).Text;
    }

    internal void Forget()
    {
        lock (_state)
        {
            _good = null;
        }
    }

    /// <summary>Ends asking.</summary>
    public async ValueTask DisposeAsync()
    {
        Task? flight;
        lock (_state)
        {
            if (_isStopped)
            {
                return;
            }

            (_isStopped, flight) = (true, _flight);
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await (flight ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private Task<IssuedToken> Fly()
    {
        if (_flight is null)
        {
            using (ExecutionContext.SuppressFlow())
            {
                _flight = Task.Run(FetchAsync, CancellationToken.None);
                _ = _flight.ContinueWith(
                    static flight => _ = flight.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            }
        }

        return _flight;
    }

    private async Task<IssuedToken> FetchAsync()
    {
        try
        {
            var issued = await ask(_stop.Token).ConfigureAwait(false)
                ?? throw new TokenIssuerException(TokenIssuerProblem.Malformed, $"{options.Name} answered without a token.");
            if (issued.ExpiresAt <= options.TimeProvider.GetUtcNow())
            {
                throw new TokenIssuerException(TokenIssuerProblem.Malformed, $"{options.Name} gave a token that has expired.");
            }

            lock (_state)
            {
                (_good, _pause, _flight) = (issued, null, null);
                _renewAt = RenewalOf(issued, options.TimeProvider.GetUtcNow());
                _backoff.Reset();
            }

            TokenLog.TokenTaken(logger, options.Name, issued.ExpiresAt);
            return issued;
        }
        catch (Exception exception)
        {
            var trouble = exception as TokenIssuerException
                ?? new TokenIssuerException(
                    TokenIssuerProblem.Unreachable, $"{options.Name} could not be asked: {exception.GetType().Name}.", null, exception);
            TimeSpan delay;
            lock (_state)
            {
                delay = _backoff.Next();
                (_pause, _flight) = ((trouble, options.TimeProvider.GetUtcNow() + delay), null);
            }

            if (!_stop.IsCancellationRequested)
            {
                TokenLog.TokenNotTaken(logger, options.Name, trouble.Message, delay);
            }

            throw trouble;
        }
    }

    /// <summary>Who gives the same token again when it is due is not asked at each call, but after half of what is left.</summary>
    private DateTimeOffset RenewalOf(IssuedToken issued, DateTimeOffset now)
    {
        var due = issued.IssuedAt + ((issued.ExpiresAt - issued.IssuedAt) * options.RenewAfter * (1 - (Jitter * Backoff.Random())));
        var half = (issued.ExpiresAt - now) / 2;
        return due > now ? due : now + (half > options.RetryDelay ? half : options.RetryDelay);
    }

    private static TokenIssuerException Repeat(TokenIssuerException trouble) => new(trouble.Problem, trouble.Message, trouble.ErrorCode, trouble);
}
