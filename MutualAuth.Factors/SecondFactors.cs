using Microsoft.Extensions.Logging;
using MutualAuth.Credentials;

namespace MutualAuth.Factors;

/// <summary>Makes the mechanisms with which a server examines second factors, after an earlier exchange has proven the user.</summary>
/// <remarks>
/// The mechanisms are immutable and safe for use from many threads. Whatever is wrong, the client is told <c>credentials_wrong</c>.
/// </remarks>
public static class SecondFactors
{
    /// <summary>
    /// <c>TOTP</c>: one-time codes (RFC 6238). Each is used once, also by two servers at one moment, as the store keeps the step that was used.
    /// </summary>
    /// <param name="store">Where the secrets are.</param>
    /// <param name="options">Window and clock; null means the defaults.</param>
    /// <remarks>A code is not bound to the channel: a server that the client accepts by mistake can use it elsewhere, once, for a minute.</remarks>
    /// <exception cref="ArgumentNullException"><paramref name="store"/> is null.</exception>
    /// <exception cref="ArgumentException">The options contradict themselves; the message lists every problem.</exception>
    public static ISaslServerMechanism OneTimeCodes(ISecondFactorStore store, OneTimeCodeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        var valid = options ?? new OneTimeCodeOptions();
        ThrowIfAny(valid.Problems(), nameof(options));
        return new OneTimeCodeServer(store, valid);
    }

    /// <summary><c>RECOVERY-CODE</c>: codes on paper, for a user that has lost the device. Each is used once.</summary>
    /// <param name="store">Where their hashes are.</param>
    /// <param name="loggerFactory">Where it is said that a code was used, and that few are left; null means nowhere.</param>
    /// <exception cref="ArgumentNullException"><paramref name="store"/> is null.</exception>
    public static ISaslServerMechanism RecoveryCodes(ISecondFactorStore store, ILoggerFactory? loggerFactory = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        return new RecoveryCodeServer(store, FactorLog.Create(loggerFactory));
    }

    /// <summary>
    /// <c>PASSKEY-PLUS</c>: assertions of a registered passkey (WebAuthn Level 2) over a challenge that contains the channel binding, so that one
    /// that was made for another server is worth nothing. Offered only where there is a channel binding.
    /// </summary>
    /// <param name="store">Where the passkeys are.</param>
    /// <param name="options">The relying party, and what an assertion must show.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The options contradict themselves; the message lists every problem.</exception>
    public static ISaslServerMechanism Passkeys(ISecondFactorStore store, PasskeyOptions options)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(options);
        ThrowIfAny(options.Problems(), nameof(options));
        return new PasskeyServer(store, options);
    }

    internal static void ThrowIfAny(IEnumerable<string> problems, string parameter)
    {
        var all = string.Join(' ', problems);
        if (all.Length > 0)
        {
            throw new ArgumentException(all, parameter);
        }
    }
}
