using MutualAuth.Credentials;

namespace MutualAuth.Factors;

/// <summary>Makes the mechanisms with which a client shows second factors, for <c>Then</c> of its credentials.</summary>
/// <remarks>They are asked only when the server wants one, after it has proven itself as far as the first exchange lets it.</remarks>
public static class SecondFactor
{
    /// <summary>A one-time code (<c>TOTP</c>) that the user reads from a device.</summary>
    /// <param name="code">
    /// Returns the code; spaces in it do not count. A person may take the time that is left of the handshake; the token is cancelled then.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="code"/> is null.</exception>
    public static ISaslClientMechanism OneTimeCode(Func<CancellationToken, ValueTask<string>> code)
    {
        ArgumentNullException.ThrowIfNull(code);
        return new CodeClient(OneTimeCodeServer.Name, code);
    }

    /// <summary>One-time codes (<c>TOTP</c>) that this program makes itself. Its factor is then no other device, but this one.</summary>
    /// <param name="secret">The secret.</param>
    /// <param name="timeProvider">The clock; null means the system's.</param>
    /// <exception cref="ArgumentNullException"><paramref name="secret"/> is null.</exception>
    public static ISaslClientMechanism OneTimeCodeFrom(OneTimeCodeSecret secret, TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(secret);
        var time = timeProvider ?? TimeProvider.System;
        return new CodeClient(OneTimeCodeServer.Name, _ => ValueTask.FromResult(secret.CodeAt(time.GetUtcNow())));
    }

    /// <summary>One of the user's recovery codes (<c>RECOVERY-CODE</c>).</summary>
    /// <param name="code">Returns the code, as it is typed.</param>
    /// <exception cref="ArgumentNullException"><paramref name="code"/> is null.</exception>
    public static ISaslClientMechanism RecoveryCode(Func<CancellationToken, ValueTask<string>> code)
    {
        ArgumentNullException.ThrowIfNull(code);
        return new CodeClient(RecoveryCodeServer.Name, code);
    }

    /// <summary>A passkey (<c>PASSKEY-PLUS</c>).</summary>
    /// <param name="authenticator">What holds the passkey: the platform's, a security key's, or <see cref="SoftwareAuthenticator"/>.</param>
    /// <param name="relyingParty">
    /// The relying party identifier with which the passkey was registered: the server's DNS name or a parent of it. A server that names another is
    /// refused.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="authenticator"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="relyingParty"/> is no DNS name in lower case.</exception>
    public static ISaslClientMechanism Passkey(IPasskeyAuthenticator authenticator, string relyingParty)
    {
        ArgumentNullException.ThrowIfNull(authenticator);
        return PasskeyOptions.IsRelyingParty(relyingParty)
            ? new PasskeyClient(authenticator, relyingParty)
            : throw new ArgumentException("Expected a DNS name in lower case.", nameof(relyingParty));
    }
}
