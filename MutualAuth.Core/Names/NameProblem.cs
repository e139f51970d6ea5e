using MutualAuth.Errors;

namespace MutualAuth.Names;

/// <summary>Why a text is not a valid name: what was expected at the place of the error, and what to do about it.</summary>
internal sealed record NameProblem(string Expected, string Advice)
{
    internal FormatException ToException(string kind, string text) =>
        new($"Not {kind}: expected {Expected}, got {SafeText.Quote(text)}. {Advice}");
}
