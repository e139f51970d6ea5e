using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MutualAuth.Tokens;

/// <summary>Whom to ask about tokens, and which are accepted (RFC 7662).</summary>
/// <remarks>Immutable. The constructor that takes the options reports every problem at once.</remarks>
public sealed record IntrospectionOptions : TokenPolicy
{
    /// <summary>The address of the issuer's introspection endpoint; https.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>How the issuer is reached.</summary>
    public required TokenIssuerConnection Connection { get; init; }

    /// <summary>How we authenticate to it.</summary>
    public required IssuerCredentials Credentials { get; init; }

    /// <summary>The issuer that its answers must name when they name one (<c>iss</c>). Default: none is demanded.</summary>
    public string? Issuer { get; init; }

    /// <summary>How many questions are open at a time; the next wait for a place as long as for an answer. Default: 32; 1 to 1,000.</summary>
    public int MaxConcurrent { get; init; } = 32;

    /// <summary>
    /// How long a good answer is used again for the same token, and so how late a revocation may be noticed at a login. Default: zero, each login
    /// asks; at most a minute. At most 10,000 answers are kept, under a digest of the token.
    /// </summary>
    public TimeSpan CacheTime { get; init; } = TimeSpan.Zero;

    /// <summary>Where event 1335 goes. Default: nowhere.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    internal IEnumerable<string> Problems()
    {
        foreach (var problem in PolicyProblems().Concat(Connection is null ? [$"{nameof(Connection)} must not be null."] : Connection.Problems()))
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

        if (MaxConcurrent is < 1 or > 1000)
        {
            yield return $"{nameof(MaxConcurrent)} must be between 1 and 1000; it is {MaxConcurrent}.";
        }

        if (CacheTime < TimeSpan.Zero || CacheTime > TimeSpan.FromMinutes(1))
        {
            yield return $"{nameof(CacheTime)} must be between zero and a minute; it is {CacheTime}.";
        }

        if (LoggerFactory is null)
        {
            yield return $"{nameof(LoggerFactory)} must not be null.";
        }
    }
}
