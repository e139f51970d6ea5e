using MutualAuth.Certificates;

namespace MutualAuth.Paths;

/// <summary>The position of a certificate in a path; it decides which rules apply.</summary>
internal enum PathPosition
{
    Leaf,
    Intermediate,
    Anchor,
}

/// <summary>Makes the rejections of path validation, which all name their certificate in the same way.</summary>
internal static class PathRejection
{
    internal static Rejection Make(
        RejectionReason reason, Certificate certificate, PathPosition position, string rule, string expected, string presented,
        string? hint = null) =>
        new(reason, expected, presented) { Element = Describe(certificate, position), Rule = rule, Hint = hint };

    internal static string Describe(Certificate certificate, PathPosition position) => position switch
    {
        PathPosition.Leaf => $"leaf certificate {certificate}",
        PathPosition.Intermediate => $"intermediate {certificate}",
        _ => $"trust anchor {certificate}",
    };
}
