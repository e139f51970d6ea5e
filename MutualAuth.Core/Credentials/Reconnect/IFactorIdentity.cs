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
    /// <summary>Says what stays the same of a factor, such as the secret without the last step that was used. Fast, and without exceptions.</summary>
    /// <param name="factor">A factor of the user's, of any kind.</param>
    /// <returns>A text that other factors do not share; null when it is of another kind, or cannot be read.</returns>
    string? IdentityOf(StoredFactor factor);
}
