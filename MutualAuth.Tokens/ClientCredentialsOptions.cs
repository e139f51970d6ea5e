using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MutualAuth.Tokens;

/// <summary>How a program gets tokens of its own (RFC 6749 §4.4).</summary>
/// <remarks>Immutable. The call that takes them reports every problem at once.</remarks>
public sealed record ClientCredentialsOptions
{
    /// <summary>The address of the issuer's token endpoint; https.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>
    /// How the issuer is reached. With <see cref="TokenIssuerConnection.Identity"/> the token may be bound to that certificate: give the client the
    /// same one.
    /// </summary>
    public required TokenIssuerConnection Connection { get; init; }

    /// <summary>How we authenticate to it.</summary>
    public required IssuerCredentials Credentials { get; init; }

    /// <summary>The scopes to ask for. Default: none, the issuer decides.</summary>
    public ImmutableArray<string> Scopes { get; init; } = [];

    /// <summary>The service for which the token is (<c>resource</c>, RFC 8707). Default: none is named.</summary>
    public Uri? Resource { get; init; }

    /// <summary>
    /// The part of a token's lifetime after which the next one is asked for, less up to a tenth of it at random; the old one is used meanwhile.
    /// Default: 0.75; 0.1 to 0.95.
    /// </summary>
    public double RenewAfter { get; init; } = 0.75;

    /// <summary>The pause after a failed attempt, which doubles with each more, less up to half at random. Default: one second.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest such pause. Default: one minute; from <see cref="RetryDelay"/> to an hour.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The clock. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where events 1333 and 1334 go. Default: nowhere.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    internal IEnumerable<string> Problems()
    {
        foreach (var problem in Connection is null ? [$"{nameof(Connection)} must not be null."] : Connection.Problems())
        {
            yield return problem;
        }

        if (!Http.IssuerHttp.IsAddress(Endpoint))
        {
            yield return $"{nameof(Endpoint)} must be an https address without user and fragment.";
        }

        if (Credentials is null || (Credentials.NeedsCertificate && Connection is { Identity: null }))
        {
            yield return $"{nameof(Credentials)} must not be null, and {nameof(IssuerCredentials.ByCertificate)} needs an "
                + $"{nameof(TokenIssuerConnection.Identity)} in {nameof(Connection)}.";
        }

        if (Scopes.IsDefault || Scopes.Any(string.IsNullOrWhiteSpace))
        {
            yield return $"{nameof(Scopes)} must hold scopes, and nothing that is empty.";
        }

        if (Resource is { IsAbsoluteUri: false })
        {
            yield return $"{nameof(Resource)} must be an absolute address (RFC 8707 §2).";
        }

        if (RenewAfter is not (>= 0.1 and <= 0.95))
        {
            yield return $"{nameof(RenewAfter)} must be between 0.1 and 0.95; it is {RenewAfter}.";
        }

        if (RetryDelay <= TimeSpan.Zero || MaxRetryDelay < RetryDelay || MaxRetryDelay > TimeSpan.FromHours(1))
        {
            yield return $"{nameof(RetryDelay)} must be above zero, and {nameof(MaxRetryDelay)} between it and an hour.";
        }

        if (TimeProvider is null || LoggerFactory is null)
        {
            yield return $"{nameof(TimeProvider)} and {nameof(LoggerFactory)} must not be null.";
        }
    }
}
