using Microsoft.Extensions.Logging;

namespace MutualAuth.Telemetry;

/// <summary>Events 1300–1399: logging in. They never contain a password, a verifier, a token or a message of an exchange.</summary>
internal static partial class CredentialLog
{
    [LoggerMessage(1300, LogLevel.Error, "Checking credentials with {Mechanism} failed ({Fault}); the client was refused.")]
    internal static partial void CheckFaulted(ILogger logger, string mechanism, string fault);

    [LoggerMessage(1301, LogLevel.Error, "The attempt limiter failed ({Fault}); the client was refused.")]
    internal static partial void LimiterFaulted(ILogger logger, string fault);

    [LoggerMessage(1304, LogLevel.Error, "Logging in failed on the client side ({Fault}); the server was refused.")]
    internal static partial void LoginFaulted(ILogger logger, string fault);

    /// <summary>The type and stack trace of an exception. The message is left out: parsers often quote their input in it.</summary>
    internal static string Describe(Exception exception) => $"{exception.GetType().Name}{exception.StackTrace?.ReplaceLineEndings(";")}";

    [LoggerMessage(
        1302,
        LogLevel.Error,
        "Cannot load the credential file {Path}; keeping the users that were loaded before, until MaxUnreadable has passed. {Problem}")]
    internal static partial void FileNotReloaded(ILogger logger, string path, string problem);

    [LoggerMessage(1303, LogLevel.Information, "Reloaded the credential file {Path}: {Count} users.")]
    internal static partial void FileReloaded(ILogger logger, string path, int count);

    [LoggerMessage(1305, LogLevel.Warning,
        "Other users of this machine can read the credential file {Path} and test passwords against it. Run chmod go-r {Path}, or make "
            + "an administrator the owner of the file and the server a member of its group.")]
    internal static partial void FileReadableByOthers(ILogger logger, string path);

    [LoggerMessage(
        1306,
        LogLevel.Critical,
        "The credential file {Path} has been unreadable for longer than {MaxUnreadable}; every login fails until it is readable again. {Problem}")]
    internal static partial void FileClosed(ILogger logger, string path, TimeSpan maxUnreadable, string problem);

    [LoggerMessage(1307, LogLevel.Warning,
        "Logins as {User} failed {Count} times in a row. The user can log in only from addresses of earlier logins, until a login succeeds or an "
            + "operator clears the failures.")]
    internal static partial void FailuresReachedTheirBound(ILogger logger, string user, int count);

    [LoggerMessage(1308, LogLevel.Warning,
        "The store {Store} does not keep the count of consecutive failures ({Why}); this process counts them, and the count is lost when it ends.")]
    internal static partial void FailuresNotKept(ILogger logger, string store, string why);

    [LoggerMessage(1309, LogLevel.Warning,
        "Logins as {User} failed {Count} times in a row; the user is locked out for {Duration}.")]
    internal static partial void LockedOut(ILogger logger, string user, int count, TimeSpan duration);

    [LoggerMessage(1311, LogLevel.Error, "A callback of the LockOutPolicy failed to tell of the lock-out of {User} ({Fault}).")]
    internal static partial void NoticeFaulted(ILogger logger, string user, string fault);

    [LoggerMessage(1312, LogLevel.Error,
        "A callback of the LockOutPolicy is too slow: the lock-out of {User} was not told, since {Waiting} others wait.")]
    internal static partial void NoticeDropped(ILogger logger, string user, int waiting);

    [LoggerMessage(1310, LogLevel.Warning, "A {What} of {User} at {RemoteEndPoint} failed. {Rejection}")]
    internal static partial void StepUpFailed(
        ILogger logger, string what, string user, string remoteEndPoint, Rejection rejection, string ConnectionId);
}
