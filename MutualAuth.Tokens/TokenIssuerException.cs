namespace MutualAuth.Tokens;

/// <summary>What went wrong with an issuer of tokens.</summary>
public enum TokenIssuerProblem
{
    /// <summary>It could not be reached, or it was rejected in TLS.</summary>
    Unreachable = 1,

    /// <summary>It did not answer in time.</summary>
    TimedOut = 2,

    /// <summary>It answered with an error.</summary>
    Refused = 3,

    /// <summary>Its answer is longer than allowed.</summary>
    TooLong = 4,

    /// <summary>Its answer is not what was asked for.</summary>
    Malformed = 5,

    /// <summary>Its configuration is that of another issuer, or names a key set elsewhere (OpenID Connect Discovery 1.0 §4.3).</summary>
    AnotherIssuer = 6,

    /// <summary>Its key set has no key that may be used.</summary>
    NoUsableKey = 7,
}

/// <summary>An issuer of tokens gave no key set, no token or no answer that can be used.</summary>
public sealed class TokenIssuerException : Exception
{
    /// <summary>Says what went wrong with an issuer of another kind (<see cref="TokenSource.Renewing"/>).</summary>
    /// <param name="problem">What went wrong.</param>
    /// <param name="message">What it was and what to do, fit for a log.</param>
    /// <param name="errorCode">The issuer's <c>error</c>; null when it sent none.</param>
    /// <param name="innerException">What caused it.</param>
    public TokenIssuerException(TokenIssuerProblem problem, string message, string? errorCode = null, Exception? innerException = null)
        : base(message, innerException)
    {
        Problem = problem;
        ErrorCode = errorCode;
    }

    /// <summary>What went wrong.</summary>
    public TokenIssuerProblem Problem { get; }

    /// <summary>The issuer's <c>error</c> (RFC 6749 §5.2), such as <c>invalid_client</c>; null when it sent none of that form.</summary>
    public string? ErrorCode { get; }
}
