namespace MutualAuth.Tool;

/// <summary>What a code means.</summary>
/// <param name="Code">The code: of a rejection, of a public reason, or event and number.</param>
/// <param name="Number">Its number.</param>
/// <param name="Kind">What it is a code of.</param>
/// <param name="Meaning">What happened.</param>
/// <param name="Cause">What usually causes it; empty where nothing is said.</param>
/// <param name="Cure">What to do; empty where nothing is said.</param>
/// <param name="Told">What a client is told; empty where nothing is said.</param>
internal sealed record Explanation(string Code, int Number, string Kind, string Meaning, string Cause, string Cure, string Told)
{
    internal IReadOnlyList<(string Name, string Label, string Value)> ToFacts() =>
    [
        ("code", string.Empty, Code),
        ("kind", "is", Kind),
        ("meaning", "means", Meaning),
        ("cause", "cause", Cause),
        ("cure", "do", Cure),
        ("told", "told", Told.Length > 0 ? $"the client is told: {Told}" : string.Empty),
    ];
}
