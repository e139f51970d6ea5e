using Microsoft.Extensions.Logging;
using MutualAuth.Credentials;

namespace MutualAuth.Factors;

/// <summary>How a server takes one-time codes.</summary>
public sealed record OneTimeCodeOptions
{
    private const int MaxWindow = 10;

    /// <summary>
    /// How many steps before and after the current one count too, for clocks that differ and for the time that typing takes (RFC 6238 §5.2). Each
    /// further step is one more code that a guess may meet. 0 to 10; default 1.
    /// </summary>
    public int WindowSteps { get; init; } = 1;

    /// <summary>The clock. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>
    /// The keys with which secrets are stored encrypted (AES-256-GCM, bound to user, identifier and kind). A secret that is in plain text is read,
    /// which event 1323 says, and is encrypted with its next use. Default: null; secrets are stored in plain text, and encrypted ones are refused.
    /// </summary>
    public IFactorKeySource? Keys { get; init; }

    /// <summary>
    /// Whether a secret in plain text is refused, with <see cref="RejectionReason.SecondFactorNotEncrypted"/>. Who can write the store could
    /// otherwise put one of its own there. Needs <see cref="Keys"/>. Default: false.
    /// </summary>
    public bool RequireEncryption { get; init; }

    /// <summary>Where secrets in plain text, and those that do not open, are reported. Default: null, nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    internal IEnumerable<string> Problems()
    {
        if (WindowSteps is < 0 or > MaxWindow)
        {
            yield return $"{nameof(WindowSteps)} must be from 0 to {MaxWindow}; it is {WindowSteps}.";
        }

        if (TimeProvider is null)
        {
            yield return $"{nameof(TimeProvider)} must not be null.";
        }

        if (RequireEncryption && Keys is null)
        {
            yield return $"{nameof(RequireEncryption)} is set, and there are no {nameof(Keys)}.";
        }
    }
}
