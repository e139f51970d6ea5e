using MutualAuth.Pinning;
using MutualAuth.Revocation;

namespace MutualAuth.Tokens;

/// <summary>How the issuer of tokens is reached: over https alone, with trust of your own choosing.</summary>
/// <remarks>
/// Immutable. The issuer's certificate is judged as a server's of ours is: by <see cref="Trust"/>, <see cref="Pins"/> and the host name of the
/// address. Redirects are not followed, cookies are not kept, and no proxy is used.
/// </remarks>
/// <example>
/// <code>
/// var connection = new TokenIssuerConnection { Trust = TrustAnchors.FromPemFiles("issuer-authority.pem") };
/// </code>
/// </example>
public sealed record TokenIssuerConnection
{
    private const int MinBytes = 1024;
    private const int MaxBytes = 1 << 20;

    /// <summary>Where the path of the issuer's certificate must end.</summary>
    public required ITrustSource Trust { get; init; }

    /// <summary>Keys of which one must be on that path. Default: none are demanded.</summary>
    public IPinSource? Pins { get; init; }

    /// <summary>The revocation lists that cover that path. Default: none, and a warning says so.</summary>
    public RevocationPolicy? Revocation { get; init; }

    /// <summary>
    /// Our certificate for the issuer, which <see cref="IssuerCredentials.ByCertificate"/> needs and to which it then binds tokens (RFC 8705): the
    /// same that the client shows to the service. A source that is renewed is asked for each request. Default: none.
    /// </summary>
    public IIdentitySource? Identity { get; init; }

    /// <summary>How long a request may take, with everything that belongs to it. Default: 5 seconds; at most a minute.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest answer that is read. Default: 262,144; 1,024 to 1,048,576.</summary>
    public int MaxResponseBytes { get; init; } = 262_144;

    internal IEnumerable<string> Problems()
    {
        if (Trust is null)
        {
            yield return $"{nameof(Trust)} must not be null.";
        }

        if (Timeout <= TimeSpan.Zero || Timeout > TimeSpan.FromMinutes(1))
        {
            yield return $"{nameof(Timeout)} must be above zero and at most a minute; it is {Timeout}.";
        }

        if (MaxResponseBytes is < MinBytes or > MaxBytes)
        {
            yield return $"{nameof(MaxResponseBytes)} must be between {MinBytes} and {MaxBytes}; it is {MaxResponseBytes}.";
        }
    }
}
