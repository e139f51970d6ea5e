using System.Collections.Immutable;

namespace MutualAuth.Factors;

/// <summary>What an authenticator is asked for when a passkey is made.</summary>
public sealed class PasskeyCreationRequest
{
    /// <summary>The relying party identifier, a DNS name.</summary>
    public required string RelyingParty { get; init; }

    /// <summary>The server's challenge.</summary>
    public required ReadOnlyMemory<byte> Challenge { get; init; }

    /// <summary>The user's handle, which does not tell who it is (WebAuthn Level 2 §14.6.1).</summary>
    public required ReadOnlyMemory<byte> UserHandle { get; init; }

    /// <summary>The user, as the authenticator shows it.</summary>
    public required string UserName { get; init; }

    /// <summary>The algorithms that are accepted, the favourite first, by their numbers in the COSE registry.</summary>
    public required ImmutableArray<int> Algorithms { get; init; }

    /// <summary>The passkeys that the user has already.</summary>
    public ImmutableArray<ReadOnlyMemory<byte>> ExcludedCredentials { get; init; } = [];

    /// <summary>Whether the authenticator must verify the person.</summary>
    public bool RequiresUserVerification { get; init; }
}

/// <summary>A new passkey, as the authenticator returns it.</summary>
public sealed class PasskeyCreation
{
    /// <summary>The identifier of the passkey.</summary>
    public required ReadOnlyMemory<byte> CredentialId { get; init; }

    /// <summary>The client data, as JSON in UTF-8; <see cref="PasskeyClientData"/> writes them where the platform does not.</summary>
    public required ReadOnlyMemory<byte> ClientDataJson { get; init; }

    /// <summary>The attestation object, in CBOR.</summary>
    public required ReadOnlyMemory<byte> AttestationObject { get; init; }
}

/// <summary>What an authenticator is asked to sign.</summary>
public sealed class PasskeyAssertionRequest
{
    /// <summary>The relying party identifier, a DNS name.</summary>
    public required string RelyingParty { get; init; }

    /// <summary>The challenge. It contains the channel binding.</summary>
    public required ReadOnlyMemory<byte> Challenge { get; init; }

    /// <summary>The passkeys of which one is to sign.</summary>
    public required ImmutableArray<ReadOnlyMemory<byte>> AllowedCredentials { get; init; }

    /// <summary>Whether the authenticator must verify the person.</summary>
    public bool RequiresUserVerification { get; init; }
}

/// <summary>What an authenticator has signed.</summary>
public sealed class PasskeyAssertion
{
    /// <summary>The passkey that signed.</summary>
    public required ReadOnlyMemory<byte> CredentialId { get; init; }

    /// <summary>The authenticator data (WebAuthn Level 2 §6.1).</summary>
    public required ReadOnlyMemory<byte> AuthenticatorData { get; init; }

    /// <summary>The client data, as JSON in UTF-8; <see cref="PasskeyClientData"/> writes them where the platform does not.</summary>
    public required ReadOnlyMemory<byte> ClientDataJson { get; init; }

    /// <summary>The signature over the authenticator data and SHA-256 of the client data.</summary>
    public required ReadOnlyMemory<byte> Signature { get; init; }

    /// <summary>The user's handle, if the authenticator returns it; otherwise empty.</summary>
    public ReadOnlyMemory<byte> UserHandle { get; init; }
}
