using System.Collections.Immutable;
using MutualAuth.Collections;

namespace MutualAuth.Credentials;

/// <summary>A user as a store knows it.</summary>
public sealed record StoredCredential
{
    private EquatableArray<ScramVerifier> _verifiers;

    /// <summary>Makes a stored user.</summary>
    /// <param name="userName">The name, as SASLprep (RFC 4013) writes it.</param>
    /// <param name="verifiers">At most one for each hash.</param>
    /// <param name="isDisabled">A disabled user cannot log in, and cannot be told from one that does not exist.</param>
    public StoredCredential(string userName, ImmutableArray<ScramVerifier> verifiers, bool isDisabled = false)
    {
        UserName = userName;
        Verifiers = verifiers;
        IsDisabled = isDisabled;
    }

    /// <summary>The name, as SASLprep (RFC 4013) writes it.</summary>
    public string UserName { get; init; }

    /// <summary>At most one for each hash.</summary>
    public ImmutableArray<ScramVerifier> Verifiers
    {
        get => _verifiers.Items;
        init => _verifiers = new(value);
    }

    /// <summary>A disabled user cannot log in, and cannot be told from one that does not exist.</summary>
    public bool IsDisabled { get; init; }

    internal ScramVerifier? For(ScramHash hash) => Verifiers.FirstOrDefault(verifier => verifier.Hash == hash);

    /// <summary>Whether the other is in the same state and has the same verifiers, in whatever order.</summary>
    internal bool IsLike(StoredCredential? other) =>
        other is not null
        && other.IsDisabled == IsDisabled
        && other.Verifiers.Length == Verifiers.Length
        && Verifiers.All(verifier => other.For(verifier.Hash) is { } its && its.IsLike(verifier));

    /// <exception cref="ArgumentException">There is no verifier, or there are two for one hash.</exception>
    internal static StoredCredential Of(string name, ImmutableArray<ScramVerifier> verifiers) => !verifiers.IsDefaultOrEmpty
        && verifiers.DistinctBy(verifier => verifier.Hash).Count() == verifiers.Length
        ? new StoredCredential(name, verifiers)
        : throw new ArgumentException("Expected one verifier for each hash, and one at least; got none, or two for one hash.", nameof(verifiers));

    internal StoredCredential With(ScramVerifier verifier) =>
        this with { Verifiers = [.. Verifiers.Where(other => other.Hash != verifier.Hash), verifier] };
}
