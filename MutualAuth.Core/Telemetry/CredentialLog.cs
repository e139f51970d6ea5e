using Microsoft.Extensions.Logging;

namespace MutualAuth.Telemetry;

/// <summary>Events 1300–1399: logging in. None of them ever holds a password, a verifier, a token or a message of an exchange.</summary>
internal static partial class CredentialLog
{
    [LoggerMessage(1300, LogLevel.Error, "Checking credentials by {Mechanism} failed, {Fault}; the client was refused.")]
    internal static partial void CheckFaulted(ILogger logger, string mechanism, string fault);

    [LoggerMessage(1301, LogLevel.Error, "The attempt limiter failed, {Fault}; the client was refused.")]
    internal static partial void LimiterFaulted(ILogger logger, string fault);

    [LoggerMessage(1304, LogLevel.Error, "Logging in failed on our side, {Fault}; the server was refused.")]
    internal static partial void LoginFaulted(ILogger logger, string fault);

    /// <summary>What kind of exception it was and where it came from. Not its message: those of parsers often quote what they could not parse.</summary>
    internal static string Describe(Exception exception) => $"{exception.GetType().Name}{exception.StackTrace?.ReplaceLineEndings(";")}";

    [LoggerMessage(1302, LogLevel.Error, "The credential file {Path} cannot be used; the users that were read last stay in force for the time being. {Problem}")]
    internal static partial void FileNotReloaded(ILogger logger, string path, string problem);

    [LoggerMessage(1303, LogLevel.Information, "The credential file {Path} was read again; it holds {Count} users.")]
    internal static partial void FileReloaded(ILogger logger, string path, int count);

    [LoggerMessage(1305, LogLevel.Warning,
        "Others can read the credential file {Path}, and try passwords against what it holds. Take that right away, chmod go-r {Path}, or give "
            + "the file to an administrator and its group to the server.")]
    internal static partial void FileReadableByOthers(ILogger logger, string path);

    [LoggerMessage(1306, LogLevel.Critical, "The credential file {Path} could not be read for longer than {MaxUnreadable}: nobody logs in until it can. {Problem}")]
    internal static partial void FileClosed(ILogger logger, string path, TimeSpan maxUnreadable, string problem);

    [LoggerMessage(1307, LogLevel.Warning,
        "Logging in as {User} has failed {Count} times in a row. The user comes in only from where it has come in before, until it does or an "
            + "operator clears the failures.")]
    internal static partial void FailuresReachedTheirBound(ILogger logger, string user, int count);

    [LoggerMessage(1308, LogLevel.Warning,
        "The store {Store} does not keep failures in a row, {Why}: they are counted in this process, and forgotten with it.")]
    internal static partial void FailuresNotKept(ILogger logger, string store, string why);
}
