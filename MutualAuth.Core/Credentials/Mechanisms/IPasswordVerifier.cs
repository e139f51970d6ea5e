namespace MutualAuth.Credentials;

/// <summary>Decides whether a password is that of a user, where no verifier can be read: a directory that is asked, for instance.</summary>
/// <remarks>
/// Called from many threads at once, before the client is authenticated, and only for attempts that the limiter has admitted. The client is
/// rejected if it throws or is too late. Names are compared as they are: a verifier whose source takes several spellings for one user must
/// accept one of them only, so that rules and limits meet one user under one name.
/// </remarks>
public interface IPasswordVerifier
{
    /// <summary>Judges one password.</summary>
    /// <param name="userName">The name, as SASLprep (RFC 4013) writes it, of 1 to 255 octets.</param>
    /// <param name="password">The password, which is never empty. It is wiped when the task has ended: keep no reference.</param>
    /// <param name="cancellationToken">Cancelled at the client's deadline.</param>
    ValueTask<PasswordVerdict> VerifyAsync(string userName, Password password, CancellationToken cancellationToken);
}
