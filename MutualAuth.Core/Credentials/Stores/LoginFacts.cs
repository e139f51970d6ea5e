using System.Security.Cryptography;
using System.Text;
using MutualAuth.Authorization;
using MutualAuth.Errors;

namespace MutualAuth.Credentials;

/// <summary>Makes the facts that a login relied on, for mechanisms of the application's own; the built-in ones make theirs themselves.</summary>
public static class LoginFacts
{
    /// <summary>The login relied on this verifier of the user: it holds while the store has the user, enabled, with the same verifier.</summary>
    /// <param name="store">The store that was asked.</param>
    /// <param name="userName">The user, as the store writes it.</param>
    /// <param name="verifier">The verifier that was met; a digest of it is kept, and not the verifier.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static LoginFact Verifier(ICredentialStore store, string userName, ScramVerifier verifier)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(userName);
        ArgumentNullException.ThrowIfNull(verifier);
        return new VerifierFact(store, userName, VerifierFact.DigestOf(verifier));
    }

    /// <summary>The login relied on this second factor: it holds while the store has a factor with this identifier for the user.</summary>
    /// <param name="store">The store that was asked.</param>
    /// <param name="userName">The user, as SASLprep writes it.</param>
    /// <param name="factorId"><see cref="StoredFactor.Id"/> of the factor.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static LoginFact SecondFactor(ISecondFactorStore store, string userName, string factorId)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(userName);
        ArgumentNullException.ThrowIfNull(factorId);
        return new SecondFactorFact(store, userName, factorId);
    }
}

/// <summary>The verifier that a password was checked against.</summary>
internal sealed class VerifierFact(ICredentialStore store, string userName, string digest) : LoginFact
{
    internal ICredentialStore Store => store;

    internal string UserName => userName;

    /// <summary>SHA-256 of the verifier's text, in hexadecimal.</summary>
    internal string Digest => digest;

    public override string ToString() => $"the password of {SafeText.Quote(userName)}";

    internal static string DigestOf(ScramVerifier verifier) =>
        Convert.ToHexString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier.ToString())));
}

/// <summary>A second factor that was shown.</summary>
internal sealed class SecondFactorFact(ISecondFactorStore store, string userName, string factorId) : LoginFact
{
    internal ISecondFactorStore Store => store;

    internal string UserName => userName;

    internal string FactorId => factorId;

    public override string ToString() => $"the second factor {SafeText.Quote(factorId)} of {SafeText.Quote(userName)}";
}
