using System.Net;
using System.Text.Json;
using MutualAuth.Credentials;
using MutualAuth.Names;
using MutualAuth.Reloading;
using MutualAuth.Tokens.Json;
using MutualAuth.Tokens.Keys;

namespace MutualAuth.Tokens;

/// <summary>Accepts JWT-SVIDs (SPIFFE JWT-SVID): tokens of workloads, by the keys of the workload's own trust domain.</summary>
/// <remarks>
/// <para>In this order: the form of the token and its header, the algorithm, the type, the SPIFFE ID, the key of its trust domain, the signature,
/// the rule for workloads, audience and times. The first objection is the reason. Nothing that the token names is fetched. The user of the
/// connection is the SPIFFE ID.</para>
/// <para>A JWT-SVID is a bearer token: its holder is the workload, until it expires. <see cref="SaslServer.BoundTokens"/> therefore refuses it as
/// <see cref="RejectionReason.TokenNotBoundToCertificate"/>, unless it has a <c>cnf</c> that names the client's certificate;
/// <see cref="SaslServer.DangerouslyUnboundTokens"/> accepts it.</para>
/// <para>A connection ends when its token expires, and when the key that signed it is taken out of the bundle, or the bundle is. Safe for concurrent
/// use.</para>
/// </remarks>
/// <example>
/// <code>
/// var workloads = new JwtSvidValidator(new JwtSvidValidatorOptions
/// {
///     Audiences = ["spiffe://example.org/invoices"],
///     Bundles = bundles,
///     Workloads = WorkloadRule.SpiffeId("spiffe://example.org/billing"),
/// });
/// </code>
/// </example>
public sealed class JwtSvidValidator : ITokenValidator, ILoginFactSource, IFactChangeSource
{
    private static readonly string[] s_headers = ["alg", "kid", "typ"];

    private readonly JwtSvidValidatorOptions _options;
    private readonly TokenPolicy _policy;
    private readonly Lock _lock = new();
    private EventHandler<FactsChangedEventArgs>? _factsChanged;

    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="ArgumentException">The options contradict themselves; the message lists every problem.</exception>
    public JwtSvidValidator(JwtSvidValidatorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (string.Join(' ', options.Problems()) is { Length: > 0 } problems)
        {
            throw new ArgumentException(problems, nameof(options));
        }

        _options = options;
        _policy = options.ToPolicy();
    }

    /// <summary>Raised when the bundles were replaced, where their source says so.</summary>
    event EventHandler<FactsChangedEventArgs>? IFactChangeSource.FactsChanged
    {
        add
        {
            lock (_lock)
            {
                if (_factsChanged is null && _options.Bundles is IReloadable reloadable)
                {
                    reloadable.Replaced += OnReplaced;
                }

                _factsChanged += value;
            }
        }

        remove
        {
            lock (_lock)
            {
                _factsChanged -= value;
                if (_factsChanged is null && _options.Bundles is IReloadable reloadable)
                {
                    reloadable.Replaced -= OnReplaced;
                }
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask<TokenVerdict> ValidateAsync(string token, IPAddress? remoteAddress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(token);
        return ValueTask.FromResult(Judge(token));
    }

    /// <inheritdoc/>
    ValueTask<IReadOnlyDictionary<string, LoginFactAnswer>> ILoginFactSource.AskAsync(
        IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
    {
        var bundles = _options.Bundles.Current;
        return ValueTask.FromResult<IReadOnlyDictionary<string, LoginFactAnswer>>(
            keys.ToDictionary(key => key, key => SigningKey.Read(key).HoldsIn(bundles)));
    }

    private TokenVerdict Judge(string token)
    {
        var (read, expected) = SignedToken.Read(token);
        using var signed = read;
        if (signed is null)
        {
            return _policy.No(RejectionReason.TokenInvalid, expected!, "something else");
        }

        if ((signed.JudgeHeader(_policy, _options.Algorithms) ?? JudgeHeader(signed.Header)) is { } objection)
        {
            return objection;
        }

        // The trust domain is the token's own word until the signature is checked by that domain's keys.
        if (!SpiffeId.TryParse(signed.Claims.Text("sub"), out var id))
        {
            return _policy.No(
                RejectionReason.TokenInvalid,
                "a sub that is a workload's SPIFFE ID (SPIFFE JWT-SVID §3.1)",
                Quoted.Text(signed.Claims.Text("sub")));
        }

        if (!_options.Bundles.Current.TryGet(id.TrustDomain, out var bundle))
        {
            return _policy.No(
                RejectionReason.TokenIssuerWrong, "a token of a trust domain that has a bundle", $"one of {id.TrustDomain}, which has none");
        }

        var keys = bundle.Keys.Find(signed.KeyId, signed.Algorithm!);
        if (keys.IsEmpty)
        {
            return _policy.No(
                RejectionReason.TokenKeyUnknown,
                $"a key of {id.TrustDomain} for {signed.Algorithm}, by its kid or the only one",
                Quoted.Text(signed.KeyId));
        }

        return signed.SignedBy(keys) is { } key
            ? JudgeClaims(signed.Claims, id, key)
            : _policy.No(RejectionReason.TokenSignatureWrong, $"a signature by the key of {id.TrustDomain}", "another");
    }

    private TokenVerdict? JudgeHeader(JsonElement header)
    {
        if (header.EnumerateObject().Any(member => !s_headers.Contains(member.Name)))
        {
            return _policy.No(RejectionReason.TokenInvalid, "a header of alg, kid and typ alone (SPIFFE JWT-SVID §2)", "one with more");
        }

        return header.Has("typ") && header.Text("typ") is not ("JWT" or "JOSE")
            ? _policy.No(RejectionReason.TokenTypeWrong, "the type JWT or JOSE, or none (SPIFFE JWT-SVID §2.3)", Quoted.Text(header.Text("typ")))
            : null;
    }

    private TokenVerdict JudgeClaims(JsonElement claims, SpiffeId id, IssuerKey key)
    {
        var saysWhenIssued = claims.Has("iat");
        if (!saysWhenIssued
            && claims.Date("exp") is { } end
            && end - _options.TimeProvider.GetUtcNow() > _options.MaxTokenAge)
        {
            return _policy.No(
                RejectionReason.TokenInvalid,
                $"a token that says when it was issued (iat), or ends within {_options.MaxTokenAge}",
                $"one that ends at {end.Print()}, and does not say when it was issued");
        }

        if (!_options.Workloads.Admits(id))
        {
            return _policy.No(RejectionReason.UserNotAllowed, _options.Workloads.ToString(), id.ToString());
        }

        return _policy.Judge(
            claims,
            saysWhenIssued ? _options.MaxTokenAge : null,
            [LoginFacts.Of(this, new SigningKey(id.TrustDomain, key.Thumbprint).ToString(), $"the key of {id.TrustDomain} that signed the token")]);
    }

    private void OnReplaced(object? sender, EventArgs args) => Volatile.Read(ref _factsChanged)?.Invoke(this, new FactsChangedEventArgs());

    /// <summary>The key that signed a token: as long as the trust domain has it, the connection stands on it.</summary>
    private readonly record struct SigningKey(TrustDomain TrustDomain, string Thumbprint)
    {
        internal static SigningKey Read(string text) =>
            text.Split(' ') is [var domain, var thumbprint] && TrustDomain.TryParse(domain, out var parsed)
            ? new(parsed, thumbprint)
            : throw new ArgumentException("Not a key of ours.", nameof(text));

        public override string ToString() => $"{TrustDomain} {Thumbprint}";

        internal LoginFactAnswer HoldsIn(JwtBundles bundles)
        {
            var thumbprint = Thumbprint;
            return bundles.TryGet(TrustDomain, out var bundle) && bundle.Keys.Keys.Any(key => key.Thumbprint == thumbprint)
                ? LoginFactAnswer.Holds
                : LoginFactAnswer.NoLonger(
                    RejectionReason.TokenKeyUnknown,
                    $"a token that was signed by a key of {TrustDomain}",
                    "one by a key that the trust domain has no longer");
        }
    }
}
