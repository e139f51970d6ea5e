using System.Collections.Immutable;
using Grpc.Core;
using MutualAuth.Spiffe.Protocol;
using MutualAuth.Spiffe.Updates;
using MutualAuth.Tokens;

namespace MutualAuth.Spiffe;

/// <summary>Gets JWT-SVIDs of this workload from the SPIFFE Workload API.</summary>
/// <remarks>
/// They are bearer tokens: a thief of one is the workload until it expires. Use an X.509-SVID (<see cref="X509Source"/>) wherever TLS reaches from
/// the workload to its peer.
/// </remarks>
public static class JwtSvids
{
    internal const string Profile = "JWT-SVID";

    // A call is over long before a ping would tell anything.
    private static readonly TimeSpan s_keepAlive = TimeSpan.FromHours(1);

    /// <summary>Asks once.</summary>
    /// <param name="request">Which tokens.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>
    /// The tokens of each identity that was asked for, at least one, in the order of the agent: the first is the default. Each is for exactly these
    /// audiences, and has not expired.
    /// </returns>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    /// <exception cref="ArgumentException">The request contradicts itself; the message lists every problem.</exception>
    /// <exception cref="FormatException">The environment holds something else than an address.</exception>
    /// <exception cref="WorkloadApiException">There is no such token; the message says why and what to do.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended.</exception>
    public static Task<ImmutableArray<JwtSvid>> FetchAsync(JwtSvidRequest request, CancellationToken cancellationToken = default)
    {
        var address = Check(request);
        return FetchAsync(address, request, cancellationToken);
    }

    /// <summary>
    /// A source of tokens for a login: the first token that the request fits. It is kept, the next one is asked for ahead of its end, and while the
    /// agent is away the last good one is used until it expires.
    /// </summary>
    /// <param name="request">Which token, and when again.</param>
    /// <returns>
    /// The source, which the caller disposes of. It asks when it is asked; its exceptions are <see cref="TokenIssuerException"/>s, with the
    /// <see cref="WorkloadApiException"/> inside.
    /// </returns>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    /// <exception cref="ArgumentException">The request contradicts itself; the message lists every problem.</exception>
    /// <exception cref="FormatException">The environment holds something else than an address.</exception>
    /// <exception cref="WorkloadApiException">No address is configured.</exception>
    /// <example>
    /// <code>
    /// await using var tokens = JwtSvids.Renewing(new JwtSvidRequest { Audiences = ["spiffe://example.org/invoices"] });
    /// var client = clientOptions with { Credentials = Login.WithToken(tokens.GetForAsync) };
    /// </code>
    /// </example>
    public static TokenSource Renewing(JwtSvidRequest request)
    {
        var address = Check(request);
        return TokenSource.Renewing(
            cancellationToken => IssueAsync(address, request, cancellationToken),
            new TokenRenewalOptions
            {
                Name = $"The SPIFFE Workload API at {address}",
                RenewAfter = request.RenewAfter,
                RetryDelay = request.RetryDelay,
                MaxRetryDelay = request.MaxRetryDelay,
                TimeProvider = request.TimeProvider,
                LoggerFactory = request.LoggerFactory,
            });
    }

    private static WorkloadApiAddress Check(JwtSvidRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var problems = string.Join(' ', request.Problems());
        return problems.Length > 0
            ? throw new ArgumentException(problems, nameof(request))
            : request.Address ?? WorkloadApiAddress.FromEnvironment() ?? throw WorkloadApiException.NoAddress();
    }

    private static async Task<ImmutableArray<JwtSvid>> FetchAsync(
        WorkloadApiAddress address, JwtSvidRequest request, CancellationToken cancellationToken)
    {
        var asked = new JWTSVIDRequest { SpiffeId = request.SpiffeId?.ToString() ?? string.Empty };
        asked.Audience.AddRange(request.Audiences);
        using var patience = new CancellationTokenSource(request.Timeout, request.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        JWTSVIDResponse message;
        try
        {
            using var channel = new WorkloadApiChannel(address, request.Limits.MaxMessageBytes, s_keepAlive);
            using var call = channel.FetchJwtSvid(asked, either.Token);
            message = await call.ResponseAsync.ConfigureAwait(false);
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (Exception) when (patience.IsCancellationRequested)
        {
            throw WorkloadApiException.Silent(address);
        }
        catch (RpcException exception)
        {
            throw WorkloadApiException.Of(address, Profile, exception);
        }

        return JwtSvidReader.Read(message, request, request.TimeProvider.GetUtcNow(), out var svids) is { } refusal
            ? throw WorkloadApiException.UpdateRefused(address, refusal)
            : svids;
    }

    private static async ValueTask<IssuedToken> IssueAsync(
        WorkloadApiAddress address, JwtSvidRequest request, CancellationToken cancellationToken)
    {
        var asked = request.TimeProvider.GetUtcNow();
        try
        {
            var svid = (await FetchAsync(address, request, cancellationToken).ConfigureAwait(false))[0];
            var begins = svid.IssuedAt is { } issued && issued < svid.ExpiresAt ? issued : asked;
            return new IssuedToken(svid.Token, begins, svid.ExpiresAt);
        }
        catch (WorkloadApiException exception)
        {
            var problem = exception.Failure switch
            {
                WorkloadApiFailure.Denied => TokenIssuerProblem.Refused,
                WorkloadApiFailure.Silent => TokenIssuerProblem.TimedOut,
                WorkloadApiFailure.UpdateRefused or WorkloadApiFailure.NotUnderstood => TokenIssuerProblem.Malformed,
                _ => TokenIssuerProblem.Unreachable,
            };
            throw new TokenIssuerException(problem, exception.Message, errorCode: null, exception);
        }
    }
}
