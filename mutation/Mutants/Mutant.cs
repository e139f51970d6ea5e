using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace MutualAuth.Mutation.Mutants;

/// <summary>How a mutant is put into the code beside the original.</summary>
internal enum Weaving
{
    /// <summary><c>active ? mutated : original</c>.</summary>
    Instead = 1,

    /// <summary><c>active || original</c>.</summary>
    True,

    /// <summary><c>original &amp;&amp; !active</c>.</summary>
    False,

    /// <summary><c>if (!active) statement</c>.</summary>
    Removed,

    /// <summary><c>pattern when !active</c>, for an arm of a switch.</summary>
    Arm,
}

/// <summary>One way in which the code could be wrong.</summary>
/// <param name="Node">The node of the original that it changes.</param>
/// <param name="Operator">The kind of change, for the report.</param>
/// <param name="Weaving">How it is put into the code.</param>
/// <param name="Mutated">What stands there instead, in C#.</param>
internal sealed record Mutant(SyntaxNode Node, string Operator, Weaving Weaving, string Mutated)
{
    /// <summary>Its number within one build; 0 is no mutant.</summary>
    internal int Number { get; set; }

    /// <summary>The path of its file from the root of the repository.</summary>
    internal required string File { get; init; }

    internal required string Room { get; init; }

    /// <summary>Whether it runs once in a process, when a type is initialised: then it can only be judged in a process of its own.</summary>
    internal bool IsStatic { get; init; }

    internal int Line { get; } = Node.GetLocation().GetLineSpan().StartLinePosition.Line + 1;

    internal int LastLine { get; } = Node.GetLocation().GetLineSpan().EndLinePosition.Line + 1;

    internal string Original => OneLine(Node.NormalizeWhitespace(" ", " ").ToString());

    /// <summary>What names it in reports, and stays the same as long as the code does.</summary>
    public override string ToString() => $"{File}:{Line}: {Operator}: {Original} → {OneLine(Mutated)}";

    private static string OneLine(string text)
    {
        text = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return text.Length <= 160 ? text : text[..157] + "...";
    }
}
