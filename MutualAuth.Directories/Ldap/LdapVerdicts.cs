using System.Globalization;
using MutualAuth.Credentials;

namespace MutualAuth.Directories;

/// <summary>What the answer to a bind means. Whatever is not known decides nothing.</summary>
internal static class LdapVerdicts
{
    internal const int SizeLimitExceeded = 4;

    private const int ConstraintViolation = 19;
    private const int NoSuchObject = 32;
    private const int InvalidDnSyntax = 34;
    private const int InappropriateAuthentication = 48;
    private const int InvalidCredentials = 49;
    private const int UnwillingToPerform = 53;

    /// <exception cref="LdapFailure">The answer decides nothing: the server is busy, or wants something else.</exception>
    internal static PasswordVerdict Of(LdapResult result, LdapVerifierOptions options) => result switch
    {
        // The errors of the password policy's control: 0 expired, 1 locked, 2 must be changed first.
        { PolicyError: 1, Code: LdapResult.Success or InvalidCredentials } => Locked(),
        { PolicyError: 0 or 2, Code: LdapResult.Success or InvalidCredentials } => Expired(),
        { PolicyError: null, Code: LdapResult.Success } => PasswordVerdict.Right(
            notAfter: options.LoginLifetime is { } lifetime ? options.TimeProvider.GetUtcNow() + lifetime : null),
        { Code: LdapResult.Success } => throw new LdapFailure($"Its password policy objects, with error {result.PolicyError}."),
        { Code: InvalidCredentials } => OfActiveDirectory(result.Diagnostic) switch
        {
            0x533 or 0x775 or 0x701 => Locked(),
            0x532 or 0x773 => Expired(),
            0x525 => PasswordVerdict.UnknownUser(),
            _ => PasswordVerdict.Wrong(),
        },
        { Code: InappropriateAuthentication } => PasswordVerdict.Wrong(),
        { Code: NoSuchObject or InvalidDnSyntax } => PasswordVerdict.UnknownUser(),
        { Code: ConstraintViolation or UnwillingToPerform } => Locked(),
        _ => throw new LdapFailure($"It answered the bind with result {result.Code}."),
    };

    /// <summary>The number behind "data" in the text of Active Directory: 533 disabled, 775 locked, 701 account expired, and so on.</summary>
    private static int? OfActiveDirectory(string diagnostic)
    {
        const string Mark = ", data ";
        var start = diagnostic.IndexOf(Mark, StringComparison.Ordinal);
        var text = start < 0 ? [] : diagnostic.AsSpan(start + Mark.Length);
        var end = text.IndexOf(',');
        return int.TryParse(end < 0 ? text : text[..end], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    private static PasswordVerdict Locked() => PasswordVerdict.Refused(
        new Rejection(RejectionReason.AccountLocked, "an account that may log in", "one that the directory has locked or disabled")
        { Hint = "Unlock it in the directory." });

    private static PasswordVerdict Expired() => PasswordVerdict.Refused(
        new Rejection(RejectionReason.PasswordExpired, "a password in force", "one that has expired, or must be changed first")
        { Hint = "Change it in the directory." });
}
