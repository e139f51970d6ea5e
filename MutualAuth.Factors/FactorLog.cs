using Microsoft.Extensions.Logging;
using MutualAuth.Telemetry;

namespace MutualAuth.Factors;

/// <summary>Events 1320–1329: second factors. They never contain a code, a secret, or a message of an exchange.</summary>
internal static partial class FactorLog
{
    internal const string Category = "MutualAuth.Factors";

    /// <summary>A logger that never throws: a sink that is broken must cost no user a login.</summary>
    internal static ILogger Create(ILoggerFactory? factory) => GuardedLogger.Create(factory, Category);

    [LoggerMessage(1320, LogLevel.Warning,
        "The counter of the {Factor} of {User} did not rise from {Known}: there may be a copy of the authenticator. Locked: {IsLocked}. Ask the "
            + "user, and remove the factor if the user cannot explain it.")]
    internal static partial void PasskeyMayBeCopied(ILogger logger, string factor, string user, uint known, bool isLocked);

    [LoggerMessage(1321, LogLevel.Information, "{User} has used a recovery code; {Count} are left.")]
    internal static partial void RecoveryCodeUsed(ILogger logger, string user, int count);

    [LoggerMessage(1322, LogLevel.Warning, "{User} has {Count} recovery codes left. Let the user make new ones.")]
    internal static partial void FewRecoveryCodesLeft(ILogger logger, string user, int count);

    [LoggerMessage(1323, LogLevel.Warning,
        "The {Factor} of {User} is stored in plain text. Its next use encrypts it; to rewrite all at once: mutualauth users encrypt.")]
    internal static partial void SecretInPlainText(ILogger logger, string factor, string user);

    [LoggerMessage(1324, LogLevel.Error, "The {Factor} of {User} was not used: {Rejection}")]
    internal static partial void SecretNotOpened(ILogger logger, string factor, string user, string rejection);

    [LoggerMessage(1325, LogLevel.Warning,
        "The recovery codes of {User} are stored as one hash each, as a version of before did it. To rewrite all at once: mutualauth users rehash.")]
    internal static partial void RecoveryCodesOfBefore(ILogger logger, string user);
}
