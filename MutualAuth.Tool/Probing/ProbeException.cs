namespace MutualAuth.Tool;

/// <summary>A step that ends the probe.</summary>
/// <param name="exitCode">What the process ends with.</param>
/// <param name="reason">The reason.</param>
/// <param name="message">What was found.</param>
/// <param name="cure">What to do.</param>
internal sealed class ProbeException(int exitCode, RejectionReason reason, string message, string? cure = null) : Exception(message)
{
    internal int ExitCode => exitCode;

    internal RejectionReason Reason => reason;

    internal string Code => reason.ToCode();

    internal string Cure => cure ?? Explanations.Of(reason)?.Cure ?? "see docs/reference/rejections.md";
}
