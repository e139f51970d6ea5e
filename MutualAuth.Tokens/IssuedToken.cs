namespace MutualAuth.Tokens;

/// <summary>A token that an issuer gave us, and for how long it is good.</summary>
/// <remarks>Immutable. It never prints the token.</remarks>
public sealed class IssuedToken
{
    /// <summary>Makes one.</summary>
    /// <param name="text">The token (RFC 6750 §2.1), of 16,000 characters at most.</param>
    /// <param name="issuedAt">When its lifetime began.</param>
    /// <param name="expiresAt">When it ends. It is not used any more from then on.</param>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="text"/> is no token, or it ends before it begins.</exception>
    public IssuedToken(string text, DateTimeOffset issuedAt, DateTimeOffset expiresAt)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!TokenSource.IsToken(text))
        {
            throw new ArgumentException("Expected a token (RFC 6750 §2.1) of 16,000 characters at most.", nameof(text));
        }

        if (expiresAt <= issuedAt)
        {
            throw new ArgumentException("Expected a token that ends after it begins.", nameof(expiresAt));
        }

        (Text, IssuedAt, ExpiresAt) = (text, issuedAt, expiresAt);
    }

    /// <summary>The token. Do not log it.</summary>
    public string Text { get; }

    /// <summary>When its lifetime began.</summary>
    public DateTimeOffset IssuedAt { get; }

    /// <summary>When it ends.</summary>
    public DateTimeOffset ExpiresAt { get; }

    /// <summary>What it is, and not the token.</summary>
    public override string ToString() => "a token";
}
