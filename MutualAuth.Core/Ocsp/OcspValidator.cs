using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using MutualAuth.Certificates;
using MutualAuth.Collections;
using MutualAuth.Names;
using MutualAuth.Paths;
using MutualAuth.Revocation;
using MutualAuth.Telemetry;
using MutualAuth.Validation;

namespace MutualAuth.Ocsp;

/// <summary>
/// Asks the operator's OCSP responders (RFC 6960) about the certificates on a peer's verified path, and rejects what is not answered to be good.
/// </summary>
/// <remarks>
/// Only responders of the configuration are asked; addresses in certificates are never looked at. An answer counts when the issuer, or a
/// responder that the issuer has itself authorized, has signed it, and its dates hold. Safe for use from many threads: make one and keep it, it
/// has the cache. Disposing of it disposes of the HTTP client only when it made that itself. Answers that a peer staples to its handshake are
/// not reachable through the platform, and are not used.
/// </remarks>
public sealed class OcspValidator : IAsyncPeerValidator, IDisposable
{
    private readonly OcspOptions _options;
    private readonly FrozenDictionary<DistinguishedName, OcspEndpoint> _byIssuer;
    private readonly OcspEndpoint? _default;
    private readonly OcspClient _client;
    private readonly OcspJudge _judge;
    private readonly OcspCache _cache;
    private readonly ILogger _logger;

    /// <summary>Prepares a validator; it sends no request yet.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="ArgumentException">The options contradict themselves; the message lists every problem.</exception>
    public OcspValidator(OcspOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var problems = string.Join(' ', options.Problems());
        if (problems.Length > 0)
        {
            throw new ArgumentException(problems, nameof(options));
        }

        _options = options;
        _byIssuer = options.Responders.Where(responder => responder.Issuer is not null).ToFrozenDictionary(responder => responder.Issuer!);
        _default = options.Responders.FirstOrDefault(responder => responder.Issuer is null);
        _client = new OcspClient(options.HttpClient, options.MaxResponseBytes);
        _judge = new OcspJudge(options.Nonce, options.ClockSkew, options.Profile);
        _cache = new OcspCache(options.MaxCachedAnswers, options.MaxCacheTime);
        _logger = MutualAuthTelemetry.CreateLogger(options.LoggerFactory, LogArea.Validation);
    }

    internal int CachedAnswers => _cache.Count;

    /// <inheritdoc/>
    public async ValueTask<Rejection?> ExamineAsync(AuthenticatedPeer peer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(peer);

        // From the anchor's side down: an issuer has to be cleared before what it says about others counts.
        for (var i = peer.Path.Length - 2; i >= 0; i--)
        {
            var position = i == 0 ? PathPosition.Leaf : PathPosition.Intermediate;
            if (IsAskedAbout(peer.Path[i], position)
                && await ExamineAsync(peer.Path[i], peer.Path[i + 1], position, cancellationToken).ConfigureAwait(false) is { } objection)
            {
                return objection;
            }
        }

        return null;
    }

    /// <summary>Closes the connections to the responders, unless the HTTP client is the caller's.</summary>
    public void Dispose() => _client.Dispose();

    private bool IsAskedAbout(Certificate subject, PathPosition position) => _options.Coverage switch
    {
        _ when position == PathPosition.Leaf && StatusExemption.Covers(subject, _options.NoRevAvailLifetime, _options.ShortLivedLifetime) => false,
        RevocationCoverage.LeafOnly => position == PathPosition.Leaf,
        RevocationCoverage.AuthoritiesOnly => position != PathPosition.Leaf,
        _ => true,
    };

    private async Task<Rejection?> ExamineAsync(Certificate subject, Certificate issuer, PathPosition position, CancellationToken cancellationToken)
    {
        var responder = _byIssuer.TryGetValue(issuer.Subject, out var own) ? own : _default;
        var verdict = responder is null
            ? OcspVerdict.None($"no responder that is configured for the issuer {issuer}")
            : await AskAsync(subject, issuer, responder.Address, cancellationToken).ConfigureAwait(false);
        switch (verdict.Status)
        {
            case OcspStatus.Good:
                return null;
            case OcspStatus.Revoked:
                return PathRejection.Make(
                    RejectionReason.CertificateRevoked, subject, position, "RFC 6960 §2.2", "a certificate that is not revoked",
                    $"one that is {verdict.Revocation}, by {responder!.Address}", "Its holder needs a new one.");
            case OcspStatus.Unknown:
                return PathRejection.Make(
                    RejectionReason.RevocationStatusUnknown, subject, position, "RFC 6960 §2.2", "a certificate that its authority's responder knows",
                    $"one that {responder!.Address} does not know");
        }

        var rejection = PathRejection.Make(
            RejectionReason.RevocationStatusUnknown, subject, position, "RFC 6960 §3.2",
            $"an answer about the certificate from {responder?.Address.ToString() ?? "a responder"} that can be relied on", verdict.Flaw!);
        if (_options.Failure == OcspFailure.Deny)
        {
            return rejection;
        }

        ValidationLog.OcspSoftFailed(_logger, rejection, rejection.Reason.ToCode());
        return null;
    }

    private async Task<OcspVerdict> AskAsync(Certificate subject, Certificate issuer, Uri responder, CancellationToken cancellationToken)
    {
        var lists = _options.ResponderLists?.Current;
        if (_cache.TryGet(subject, issuer, responder, lists, _options.TimeProvider.GetUtcNow(), out var known))
        {
            return known;
        }

        var question = new OcspQuestion(subject, issuer, _options.Hash);
        using var deadline = new CancellationTokenSource(_options.Timeout, _options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        using var handed = new HandedToken(either.Token);
        byte[]? answer;
        try
        {
            (answer, var flaw) = await _client.AskAsync(responder, question.Encode(), handed.Token).ConfigureAwait(false);
            if (answer is null)
            {
                return Settle(OcspVerdict.None(flaw!));
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Settle(OcspVerdict.None($"no answer within {_options.Timeout}"));
        }

        var now = _options.TimeProvider.GetUtcNow();
        var verdict = Settle(_judge.Judge(question, answer, now, lists));
        _cache.Add(subject, issuer, responder, lists, now, verdict);
        return verdict;

        OcspVerdict Settle(OcspVerdict came) => _cache.Settle(subject, issuer, responder, came);
    }
}
