using System.Collections.Immutable;

namespace MutualAuth.Credentials;

/// <summary>A user as a store knows it.</summary>
/// <param name="UserName">The name, as SASLprep (RFC 4013) writes it.</param>
/// <param name="Verifiers">At most one for each hash.</param>
/// <param name="IsDisabled">A disabled user cannot log in, and cannot be told from one that does not exist.</param>
public sealed record StoredCredential(string UserName, ImmutableArray<ScramVerifier> Verifiers, bool IsDisabled = false)
{
    internal ScramVerifier? For(ScramHash hash) => Verifiers.FirstOrDefault(verifier => verifier.Hash == hash);

    /// <exception cref="ArgumentException">There is no verifier, or there are two for one hash.</exception>
    internal static StoredCredential Of(string name, ImmutableArray<ScramVerifier> verifiers) => !verifiers.IsDefaultOrEmpty && verifiers.DistinctBy(verifier => verifier.Hash).Count() == verifiers.Length
        ? new StoredCredential(name, verifiers)
        : throw new ArgumentException("Expected one verifier for each hash, and one at least; got none, or two for one hash.", nameof(verifiers));

    internal StoredCredential With(ScramVerifier verifier) => this with { Verifiers = [.. Verifiers.Where(other => other.Hash != verifier.Hash), verifier] };
}
