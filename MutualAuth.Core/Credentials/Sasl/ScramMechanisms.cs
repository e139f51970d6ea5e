using System.Globalization;
using System.Text;
using MutualAuth.Errors;

namespace MutualAuth.Credentials;

/// <summary>What both sides of SCRAM share.</summary>
internal static class ScramMechanisms
{
    internal const string Plus = "-PLUS";

    internal const string Prefix = "SCRAM-";

    /// <summary>cbind-input (RFC 5802 §7): the header, and with <c>p</c> the binding's data.</summary>
    internal static byte[] BindingInput(Gs2Header header, ChannelBinding? binding) =>
        [.. Encoding.UTF8.GetBytes(header.Text), .. header.Flag == 'p' ? binding!.Data.AsSpan() : []];

    internal static Rejection BindingMismatch() => new(
        RejectionReason.ChannelBindingMismatch, "credentials bound to this channel", "ones bound to another")
    {
        Rule = "RFC 5802 §6",
        Hint = "A man in the middle with another certificate is present, or the client and the server disagree on the server's certificate.",
    };

    internal static Rejection IterationsOutOfRange(long iterations, int minIterations = ScramVerifier.MinIterations) => new(
        RejectionReason.IterationCountOutOfRange,
        string.Create(CultureInfo.InvariantCulture, $"{minIterations} to {ScramVerifier.MaxIterations} iterations"),
        string.Create(CultureInfo.InvariantCulture, $"{iterations}"))
    {
        Rule = "RFC 7677 §4",
    };

    internal static Rejection IterationsLowered(ScramHash hash, long iterations, int floor) => new(
        RejectionReason.IterationCountLowered,
        string.Create(CultureInfo.InvariantCulture, $"{floor} iterations of {hash} or more, by what this server has shown before"),
        string.Create(CultureInfo.InvariantCulture, $"{iterations}"))
    {
        Rule = "RFC 5802 §9",
        Hint = "An impostor could try passwords against our proof more cheaply. If the server was given new verifiers with fewer iterations, "
            + "create a new login object.",
    };

    /// <summary>Without the name: an unknown name may be a password that was typed into the wrong field.</summary>
    internal static Rejection Unknown() => new(RejectionReason.CredentialsWrong, "the credentials of a user", "an unknown user");

    internal static Rejection Wrong(string userName, string what) =>
        new(RejectionReason.CredentialsWrong, $"the credentials of {SafeText.Quote(userName)}", what);
}
