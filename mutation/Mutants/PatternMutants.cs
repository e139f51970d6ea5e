using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace MutualAuth.Mutation.Mutants;

/// <summary>What could be wrong in a pattern: a bound, one of several alternatives, one of several demands.</summary>
internal static class PatternMutants
{
    internal static IEnumerable<(SyntaxNode Node, string Operator, Weaving Weaving, string Mutated)> Of(IsPatternExpressionSyntax node)
    {
        var text = node.ToString();
        foreach (var (place, mutated) in node.Pattern.DescendantNodesAndSelf().SelectMany(Changes))
        {
            var (start, end) = (place.SpanStart - node.SpanStart, place.Span.End - node.SpanStart);
            yield return (node, "pattern", Weaving.Instead, text[..start] + mutated + text[end..]);
        }
    }

    private static IEnumerable<(SyntaxNode Place, string Mutated)> Changes(SyntaxNode node)
    {
        switch (node)
        {
            case RelationalPatternSyntax relational:
                var other = relational.OperatorToken.Kind() switch
                {
                    SyntaxKind.LessThanToken => "<=",
                    SyntaxKind.LessThanEqualsToken => "<",
                    SyntaxKind.GreaterThanToken => ">=",
                    _ => ">",
                };
                yield return (node, $"{other} {relational.Expression}");
                var step = relational.OperatorToken.Kind() is SyntaxKind.LessThanToken or SyntaxKind.GreaterThanEqualsToken ? "-" : "+";
                yield return (node, $"{relational.OperatorToken.Text} {relational.Expression} {step} 1");
                break;
            case BinaryPatternSyntax binary:
                yield return (node, $"({binary.Left})");
                yield return (node, $"({binary.Right})");
                break;
            case SubpatternSyntax { Pattern: var demand } when node.Parent is PropertyPatternClauseSyntax { Subpatterns.Count: > 1 }:
                yield return (demand, "_");
                break;
        }
    }
}
