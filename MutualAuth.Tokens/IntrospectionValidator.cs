using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using MutualAuth.Credentials;
using MutualAuth.Tokens.Http;
using MutualAuth.Tokens.Json;

namespace MutualAuth.Tokens;

/// <summary>Asks the issuer about each token (RFC 7662), signed or not, so that a revoked one is refused at once.</summary>
/// <remarks>
/// <para>An answer that the token is active must also fit the policy: audience, times, user, scopes and roles. Its <c>cnf</c> is handed on as it
/// stands. When the issuer cannot be asked, the client is refused as <see cref="RejectionReason.TokenIssuerUnavailable"/>, and told to try
/// later.</para>
/// <para>It is asked again about the tokens of open connections, at each <see cref="RevalidationPolicy.RecheckInterval"/>: a connection whose
/// token is no longer active ends. Safe for concurrent use. Dispose of it last.</para>
/// </remarks>
public sealed class IntrospectionValidator : ITokenValidator, ILoginFactSource, IDisposable
{
    private const int MaxLength = 16_384;
    private const int MaxCached = 10_000;

    private readonly IntrospectionOptions _options;
    private readonly IssuerHttp _http;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _places;
    private readonly ConcurrentDictionary<string, (JsonDocument Answer, long At)> _cache = new();

    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="ArgumentException">The options contradict themselves; the message lists every problem.</exception>
    public IntrospectionValidator(IntrospectionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (string.Join(' ', options.Problems()) is { Length: > 0 } problems)
        {
            throw new ArgumentException(problems, nameof(options));
        }

        _options = options;
        _http = new IssuerHttp(options.Connection, options.LoggerFactory, options.TimeProvider);
        _logger = TokenLog.Create(options.LoggerFactory);
        _places = new SemaphoreSlim(options.MaxConcurrent);
    }

    /// <inheritdoc/>
    public async ValueTask<TokenVerdict> ValidateAsync(string token, IPAddress? remoteAddress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(token);
        if (token.Length is 0 or > MaxLength)
        {
            return _options.No(RejectionReason.TokenInvalid, $"a token of at most {MaxLength} characters", "a longer one");
        }

        try
        {
            // Not disposed of: it may be in the cache, and then serve others.
            var answer = await AskAboutAsync(token, mayBeCached: true, cancellationToken).ConfigureAwait(false);
            return Judge(answer.RootElement, token);
        }
        catch (TokenIssuerException exception)
        {
            return TokenVerdict.Unavailable("the issuer's answer about the token", $"none ({exception.Problem})");
        }
    }

    /// <inheritdoc/>
    async ValueTask<IReadOnlyDictionary<string, LoginFactAnswer>> ILoginFactSource.AskAsync(
        IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
    {
        var answers = new ConcurrentDictionary<string, LoginFactAnswer>();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = _options.MaxConcurrent, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(
            keys,
            parallel,
            async (token, cancelled) => answers[token] = await AskAgainAsync(token, cancelled).ConfigureAwait(false)).ConfigureAwait(false);
        return answers;
    }

    /// <summary>Ends asking.</summary>
    public void Dispose()
    {
        // The places are not disposed of: who holds one must be able to give it back.
        _http.Dispose();
    }

    private async ValueTask<LoginFactAnswer> AskAgainAsync(string token, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await AskAboutAsync(token, mayBeCached: false, cancellationToken).ConfigureAwait(false);
            return IsActive(answer.RootElement)
                ? LoginFactAnswer.Holds
                : LoginFactAnswer.NoLonger(RejectionReason.TokenNotActive, "a token that its issuer calls active", "one that is not any more");
        }
        catch (TokenIssuerException)
        {
            return LoginFactAnswer.CannotSay;
        }
    }

    private TokenVerdict Judge(JsonElement answer, string token)
    {
        if (!IsActive(answer))
        {
            return _options.No(RejectionReason.TokenNotActive, "a token that its issuer calls active", "one that is not");
        }

        if (answer.Has("iss") && _options.Issuer is not null && answer.Text("iss") != _options.Issuer)
        {
            return _options.No(RejectionReason.TokenIssuerWrong, $"the issuer {Quoted.Text(_options.Issuer)}", Quoted.Text(answer.Text("iss")));
        }

        if (answer.Has("token_type") && !string.Equals(answer.Text("token_type"), "Bearer", StringComparison.OrdinalIgnoreCase))
        {
            return _options.No(RejectionReason.TokenTypeWrong, "a bearer token", Quoted.Text(answer.Text("token_type")));
        }

        return _options.Judge(answer, mostAge: null, [LoginFacts.Of(this, token, "the issuer's word that the token is active")]);
    }

    private static bool IsActive(JsonElement answer) =>
        answer.TryGetProperty("active", out var active) && active.ValueKind == JsonValueKind.True;

    /// <exception cref="TokenIssuerException">There is no answer.</exception>
    private async ValueTask<JsonDocument> AskAboutAsync(string token, bool mayBeCached, CancellationToken cancellationToken)
    {
        var digest = mayBeCached && _options.CacheTime > TimeSpan.Zero
            ? Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)))
            : null;
        if (digest is not null && _cache.TryGetValue(digest, out var known)
            && _options.TimeProvider.GetElapsedTime(known.At) < _options.CacheTime)
        {
            return known.Answer;
        }

        var answer = await AskIssuerAsync(token, cancellationToken).ConfigureAwait(false);
        if (digest is not null && IsActive(answer.RootElement))
        {
            MakeRoom();
            _cache[digest] = (answer, _options.TimeProvider.GetTimestamp());
        }

        return answer;
    }

    private async ValueTask<JsonDocument> AskIssuerAsync(string token, CancellationToken cancellationToken)
    {
        try
        {
            if (!await _places.WaitAsync(_options.Connection.Timeout, cancellationToken).ConfigureAwait(false))
            {
                throw new TokenIssuerException(TokenIssuerProblem.TimedOut, $"{_options.MaxConcurrent} questions are open, and none was answered.");
            }

            try
            {
                var form = new Dictionary<string, string> { ["token"] = token, ["token_type_hint"] = "access_token" };
                return await _http.PostAsync(_options.Endpoint, _options.Credentials, form, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                _places.Release();
            }
        }
        catch (TokenIssuerException exception)
        {
            TokenLog.IntrospectionFailed(_logger, _options.Endpoint, exception.Message);
            throw;
        }
    }

    private void MakeRoom()
    {
        if (_cache.Count < MaxCached)
        {
            return;
        }

        foreach (var (digest, known) in _cache)
        {
            if (_options.TimeProvider.GetElapsedTime(known.At) >= _options.CacheTime)
            {
                _cache.TryRemove(digest, out _);
            }
        }

        if (_cache.Count >= MaxCached)
        {
            _cache.Clear();
        }
    }
}
