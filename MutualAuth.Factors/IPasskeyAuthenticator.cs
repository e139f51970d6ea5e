namespace MutualAuth.Factors;

/// <summary>What holds a user's passkeys at the client: a platform's authenticator, a security key, or <see cref="SoftwareAuthenticator"/>.</summary>
/// <remarks>Implementations must be safe for use from many threads. A person may take the time until the token is cancelled.</remarks>
public interface IPasskeyAuthenticator
{
    /// <summary>Makes a passkey (WebAuthn Level 2 §6.3.2), without attestation.</summary>
    /// <returns>Null when the person does not want to, or the authenticator has one of those that are excluded.</returns>
    ValueTask<PasskeyCreation?> CreateAsync(PasskeyCreationRequest request, CancellationToken cancellationToken = default);

    /// <summary>Signs a challenge with one of the passkeys that are allowed (WebAuthn Level 2 §6.3.3).</summary>
    /// <returns>Null when it has none of them, or the person does not want to.</returns>
    ValueTask<PasskeyAssertion?> AssertAsync(PasskeyAssertionRequest request, CancellationToken cancellationToken = default);
}
