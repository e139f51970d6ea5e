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

    /// <summary>The login relied on what another source says: a directory, an introspection endpoint.</summary>
    /// <param name="source">The source, which is asked again while the connection is open.</param>
    /// <param name="key">What it is asked about. It is kept in memory and given to the source only; it may be a secret.</param>
    /// <param name="description">What the login relied on, fit for a log, such as <c>the directory's entry of "alice"</c>.</param>
    /// <exception cref="ArgumentNullException"><paramref name="source"/> or <paramref name="key"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="description"/> is null or empty.</exception>
    public static LoginFact Of(ILoginFactSource source, string key, string description)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentException.ThrowIfNullOrEmpty(description);
        return new SourcedFact(source, key, description);
    }
}

/// <summary>The verifier that a password was checked against.</summary>
internal sealed class VerifierFact(ICredentialStore store, string userName, string digest) : LoginFact
{
    internal override object Source => store;

    internal override string Key => userName;

    /// <summary>SHA-256 of the verifier's text, in hexadecimal.</summary>
    internal string Digest => digest;

    public override string ToString() => $"the password of {SafeText.Quote(userName)}";

    internal override FactReader CreateReader() => new VerifierReader(store);

    internal static string DigestOf(ScramVerifier verifier) => verifier.Digest;
}

/// <summary>A second factor that was shown.</summary>
internal sealed class SecondFactorFact(ISecondFactorStore store, string userName, string factorId) : LoginFact
{
    internal override object Source => store;

    internal override string Key => userName;

    internal string FactorId => factorId;

    public override string ToString() => $"the second factor {SafeText.Quote(factorId)} of {SafeText.Quote(userName)}";

    internal override FactReader CreateReader() => new SecondFactorReader(store);
}

/// <summary>What a source of the application's, or of a package beside this one, says.</summary>
internal sealed class SourcedFact(ILoginFactSource source, string key, string description) : LoginFact
{
    internal override object Source => source;

    internal override string Key => key;

    public override string ToString() => description;

    internal override FactReader CreateReader() => new SourcedReader(source);
}
