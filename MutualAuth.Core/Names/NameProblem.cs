using MutualAuth.Errors;

namespace MutualAuth.Names;

/// <summary>Why a text is not the name that it should be: what was expected at the place that failed, and what to do about it.</summary>
internal sealed record NameProblem(string Expected, string Advice)
{
    internal FormatException ToException(string kind, string text) =>
        new($"Not {kind}: expected {Expected}, got {SafeText.Quote(text)}. {Advice}");
}
