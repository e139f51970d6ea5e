namespace MutualAuth.Credentials;

/// <summary>
/// A mechanism of second factors that says what of a stored factor stays the same while it is used, so that the use of a factor is told from another
/// factor in its place.
/// </summary>
/// <remarks>
/// A <see cref="StoredFactor"/> of which no mechanism of the policy says it is another one as soon as anything of it has changed: a reconnect
/// credential then ends at the next use of that factor.
/// </remarks>
public interface IFactorIdentity
{
    /// <summary>
    /// Says what stays the same of a factor, such as the secret without the last step that was used: in plain text, whether the store has it
    /// encrypted or not, and with whatever key.
    /// </summary>
    /// <remarks>
    /// Where that cannot be said now, as without the key, it throws: the login is then refused, and a connection is asked about again, as when the
    /// store does not answer. Called from many threads at once.
    /// </remarks>
    /// <param name="userName">The user, as the store writes the name.</param>
    /// <param name="factor">A factor of the user's, of any kind, as the store has it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>A text that other factors do not share; null when it is of another kind, or has no form that can be read.</returns>
    ValueTask<string?> IdentityOfAsync(string userName, StoredFactor factor, CancellationToken cancellationToken);
}
