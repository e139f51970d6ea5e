using System.Collections.Immutable;
using System.Security.Claims;

namespace MutualAuth.Credentials;

/// <summary>What an <see cref="IPasswordVerifier"/> says of a password.</summary>
public sealed class PasswordVerdict
{
    private static readonly PasswordVerdict s_unknown = new() { Objection = _ => ScramMechanisms.Unknown(), IsUnknown = true };

    private PasswordVerdict()
    {
    }

    internal DateTimeOffset? NotAfter { get; private init; }

    internal ImmutableArray<Claim> Claims { get; private init; } = [];

    /// <summary>Null when the password is right; gets the user's name otherwise.</summary>
    internal Func<string, Rejection>? Objection { get; private init; }

    /// <summary>There is no such user: its failures are not written to the log under a name that may be a password.</summary>
    internal bool IsUnknown { get; private init; }

    /// <summary>The password is the user's, and the user may log in.</summary>
    /// <param name="claims">What else is known of the user.</param>
    /// <param name="notAfter">When the login ceases to be good; null when it has no end.</param>
    public static PasswordVerdict Right(ImmutableArray<Claim> claims = default, DateTimeOffset? notAfter = null) =>
        new() { Claims = claims.IsDefault ? [] : claims, NotAfter = notAfter };

    /// <summary>The password is not the user's: <see cref="RejectionReason.CredentialsWrong"/>.</summary>
    public static PasswordVerdict Wrong() => new() { Objection = static name => ScramMechanisms.Wrong(name, "a wrong password") };

    /// <summary>There is no such user: <see cref="RejectionReason.CredentialsWrong"/>, without the name, which may be a mistyped password.</summary>
    public static PasswordVerdict UnknownUser() => s_unknown;

    /// <summary>The user cannot log in for another reason, or could not be checked.</summary>
    /// <param name="rejection">
    /// Why. <see cref="RejectionReason.AccountLocked"/> and <see cref="RejectionReason.PasswordExpired"/> are told to the client as a wrong
    /// password; <see cref="RejectionReason.DirectoryUnavailable"/> and <see cref="RejectionReason.CredentialCheckOverloaded"/> do not count as a
    /// failed attempt.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="rejection"/> is null.</exception>
    public static PasswordVerdict Refused(Rejection rejection)
    {
        ArgumentNullException.ThrowIfNull(rejection);
        return new PasswordVerdict { Objection = _ => rejection };
    }
}
