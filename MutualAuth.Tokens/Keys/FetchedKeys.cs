using Microsoft.Extensions.Logging;
using MutualAuth.Collections;
using MutualAuth.Tokens.Http;
using MutualAuth.Tokens.Json;

namespace MutualAuth.Tokens.Keys;

/// <summary>A key set from an address of the operator's, renewed ahead, with the last good one kept for a time.</summary>
internal sealed class FetchedKeys : IKeySource
{
    private const string Discovery = "/.well-known/openid-configuration";
    private const double Jitter = 0.2;

    private readonly Uri? _address;
    private readonly string? _issuer;
    private readonly IssuerKeysOptions _options;
    private readonly IssuerHttp _http;
    private readonly ILogger _logger;
    private readonly Backoff _backoff;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _state = new();
    private Task _following = Task.CompletedTask;
    private Task<bool>? _flight;
    private long? _begunAt;
    private long _endedAt;
    private (KeySet Keys, long At)? _good;
    private bool _isSaidTooOld;
    private int _disposed;

    /// <param name="address">The address of the set; null to learn it from the issuer's configuration.</param>
    /// <param name="issuer">The issuer; null where the address is known.</param>
    /// <param name="options">How.</param>
    internal FetchedKeys(Uri? address, string? issuer, IssuerKeysOptions options)
    {
        _address = address;
        _issuer = issuer;
        _options = options;
        _http = new IssuerHttp(options.Connection, options.LoggerFactory, options.TimeProvider);
        _logger = TokenLog.Create(options.LoggerFactory);
        _backoff = new Backoff(TimeSpan.FromSeconds(1), options.UnknownKeyInterval);
    }

    /// <summary>Why the last attempt failed; null when it did not.</summary>
    internal TokenIssuerException? Trouble { get; private set; }

    public KeySet? Current
    {
        get
        {
            bool mustSay;
            lock (_state)
            {
                if (_good is not var (keys, at))
                {
                    return null;
                }

                if (_options.TimeProvider.GetElapsedTime(at) <= _options.MaxAge)
                {
                    return keys;
                }

                mustSay = !_isSaidTooOld;
                _isSaidTooOld = true;
            }

            if (mustSay)
            {
                TokenLog.KeysTooOld(_logger, Source, _options.MaxAge);
            }

            return null;
        }
    }

    private string Source => _issuer ?? _address!.GetLeftPart(UriPartial.Path);

    /// <summary>Fetches for the first time and goes on by itself.</summary>
    /// <exception cref="TokenIssuerException">The first set could not be had, and must be.</exception>
    internal async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!await Fly().WaitAsync(cancellationToken).ConfigureAwait(false) && !_options.MayStartWithoutKeys)
        {
            throw Trouble!;
        }

        using (ExecutionContext.SuppressFlow())
        {
            _following = Task.Run(FollowAsync, CancellationToken.None);
        }
    }

    /// <summary>One fetch for all who ask, and none within the interval after it began: a flood of unknown keys costs the issuer nothing.</summary>
    public async ValueTask<bool> RenewAsync(CancellationToken cancellationToken)
    {
        Task<bool> flight;
        lock (_state)
        {
            if (_flight is null && _begunAt is { } begun && _options.TimeProvider.GetElapsedTime(begun) < _options.UnknownKeyInterval)
            {
                return false;
            }

            flight = Fly();
        }

        return await flight.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            await _stop.CancelAsync().ConfigureAwait(false);
            await _following.ConfigureAwait(false);
            _http.Dispose();
            _stop.Dispose();
        }
    }

    private async Task FollowAsync()
    {
        try
        {
            while (true)
            {
                var spread = _options.Interval * (1 - (Jitter * Backoff.Random()));
                await _options.TimeProvider.DelayAsync(Trouble is null ? spread : _backoff.Next(), Volatile.Read(ref _endedAt), _stop.Token)
                    .ConfigureAwait(false);
                await Fly().ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed of.
        }
    }

    private Task<bool> Fly()
    {
        lock (_state)
        {
            if (_flight is null)
            {
                _begunAt = _options.TimeProvider.GetTimestamp();
                using (ExecutionContext.SuppressFlow())
                {
                    _flight = Task.Run(FetchAsync, CancellationToken.None);
                }
            }

            return _flight;
        }
    }

    /// <summary>Never throws but when it is stopped.</summary>
    private async Task<bool> FetchAsync()
    {
        TokenIssuerException? trouble = null;
        KeySet? keys = null;
        try
        {
            keys = await AskAsync().ConfigureAwait(false);
        }
        catch (TokenIssuerException exception)
        {
            trouble = exception;
        }
        catch (MaterialException exception)
        {
            trouble = new TokenIssuerException(TokenIssuerProblem.NoUsableKey, $"{Source}: {exception.Message}", null, exception);
        }
        catch (Exception exception) when (!_stop.IsCancellationRequested)
        {
            trouble = new TokenIssuerException(
                TokenIssuerProblem.Unreachable, $"{Source} could not be asked: {exception.GetType().Name}.", null, exception);
        }
        finally
        {
            lock (_state)
            {
                _flight = null; // first: a clock of the application's that throws must not leave it to all who ask later
                Trouble = trouble;
                _endedAt = _options.TimeProvider.GetTimestamp();
                _good = keys is null ? _good : (keys, _endedAt);
                _isSaidTooOld = keys is null && _isSaidTooOld;
            }
        }

        Tell(keys, trouble);
        return keys is not null;
    }

    private void Tell(KeySet? keys, TokenIssuerException? trouble)
    {
        if (keys is not null)
        {
            _backoff.Reset();
            TokenLog.KeysTaken(_logger, Source, keys.ToString());
            return;
        }

        TimeSpan left;
        lock (_state)
        {
            left = _good is var (_, at) ? _options.MaxAge - _options.TimeProvider.GetElapsedTime(at) : TimeSpan.Zero;
        }

        TokenLog.KeysNotTaken(_logger, Source, trouble!.Message, left > TimeSpan.Zero ? left : TimeSpan.Zero);
    }

    private async Task<KeySet> AskAsync()
    {
        var address = _address ?? await DiscoverAsync().ConfigureAwait(false);
        using var answer = await _http.GetAsync(address, _stop.Token).ConfigureAwait(false);
        return KeySet.Read(answer.RootElement, _options.AcceptedThumbprints);
    }

    /// <summary>The address that the issuer's configuration names, on a host that the operator named (OpenID Connect Discovery 1.0 §4).</summary>
    private async Task<Uri> DiscoverAsync()
    {
        var configuration = new Uri(_issuer!.TrimEnd('/') + Discovery);
        using var answer = await _http.GetAsync(configuration, _stop.Token).ConfigureAwait(false);
        if (answer.RootElement.Text("issuer") != _issuer)
        {
            throw new TokenIssuerException(
                TokenIssuerProblem.AnotherIssuer, $"{configuration} is of the issuer {Quoted.Text(answer.RootElement.Text("issuer"))}.");
        }

        var named = answer.RootElement.Text("jwks_uri");
        return Uri.TryCreate(named, UriKind.Absolute, out var address)
            && IssuerHttp.IsAddress(address)
            && (address.Authority == configuration.Authority
                || _options.FurtherKeyHosts.Contains(address.Authority, StringComparer.OrdinalIgnoreCase))
            ? address
            : throw new TokenIssuerException(
                TokenIssuerProblem.AnotherIssuer,
                $"{configuration} names the key set {Quoted.Text(named)}, on a host that is neither the issuer's nor in "
                    + $"{nameof(IssuerKeysOptions.FurtherKeyHosts)}.");
    }
}
