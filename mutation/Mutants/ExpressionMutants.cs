using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace MutualAuth.Mutation.Mutants;

/// <summary>What could be wrong in an expression: conditions, comparisons, bounds, sums, what stands for null, and what is returned.</summary>
internal sealed class ExpressionMutants(SemanticModel model)
{
    private static readonly Dictionary<SyntaxKind, string[]> s_otherOperators = new()
    {
        [SyntaxKind.LessThanExpression] = ["<="],
        [SyntaxKind.LessThanOrEqualExpression] = ["<"],
        [SyntaxKind.GreaterThanExpression] = [">="],
        [SyntaxKind.GreaterThanOrEqualExpression] = [">"],
        [SyntaxKind.EqualsExpression] = ["!="],
        [SyntaxKind.NotEqualsExpression] = ["=="],
        [SyntaxKind.AddExpression] = ["-"],
        [SyntaxKind.SubtractExpression] = ["+"],
        [SyntaxKind.MultiplyExpression] = ["/"],
        [SyntaxKind.DivideExpression] = ["*"],
    };

    internal IEnumerable<(SyntaxNode Node, string Operator, Weaving Weaving, string Mutated)> Of(ExpressionSyntax node)
    {
        var found = node switch
        {
            BinaryExpressionSyntax binary when binary.IsKind(SyntaxKind.CoalesceExpression) => Coalescing(binary),
            BinaryExpressionSyntax binary => Operators(binary),
            PrefixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.LogicalNotExpression } not when !IsCondition(not) =>
                [(not, "not", Weaving.Instead, Text(not.Operand))],
            IsPatternExpressionSyntax pattern => PatternMutants.Of(pattern),
            _ => [],
        };
        foreach (var mutant in found.Concat(Leaf(node)).Concat(Condition(node)).Concat(Returned(node)))
        {
            // What declares a variable may stand in the code only once.
            if (mutant.Weaving != Weaving.Instead || !Declares(node))
            {
                yield return mutant;
            }
        }
    }

    private IEnumerable<(SyntaxNode Node, string Operator, Weaving Weaving, string Mutated)> Operators(BinaryExpressionSyntax node)
    {
        if (!s_otherOperators.TryGetValue(node.Kind(), out var others) || model.GetTypeInfo(node).Type is { SpecialType: SpecialType.System_String })
        {
            yield break;
        }

        foreach (var other in others)
        {
            yield return (node, Kind(node), Weaving.Instead, $"{Text(node.Left)} {other} {Text(node.Right)}");
        }

        // The other boundary has moved the bound one way; this moves it the other way.
        var step = node.Kind() switch
        {
            SyntaxKind.LessThanExpression or SyntaxKind.GreaterThanOrEqualExpression => "-",
            SyntaxKind.LessThanOrEqualExpression or SyntaxKind.GreaterThanExpression => "+",
            _ => null,
        };
        if (step is not null && IsBound(node.Right, step))
        {
            yield return (node, "bound", Weaving.Instead, $"{Text(node.Left)} {node.OperatorToken.Text} {Text(node.Right)} {step} 1");
        }
        else if (step is not null && IsBound(node.Left, step == "-" ? "+" : "-"))
        {
            var back = step == "-" ? "+" : "-";
            yield return (node, "bound", Weaving.Instead, $"{Text(node.Left)} {back} 1 {node.OperatorToken.Text} {Text(node.Right)}");
        }
    }

    private bool IsBound(ExpressionSyntax node, string step) =>
        model.GetConstantValue(node) is { HasValue: true, Value: int or long or uint or byte or ushort } constant
        && (step == "+" || Convert.ToInt64(constant.Value, null) > 0);

    private static string Kind(BinaryExpressionSyntax node) => node.Kind() switch
    {
        SyntaxKind.EqualsExpression or SyntaxKind.NotEqualsExpression => "equality",
        SyntaxKind.AddExpression or SyntaxKind.SubtractExpression or SyntaxKind.MultiplyExpression or SyntaxKind.DivideExpression => "arithmetic",
        _ => "boundary",
    };

    private static IEnumerable<(SyntaxNode Node, string Operator, Weaving Weaving, string Mutated)> Coalescing(BinaryExpressionSyntax node)
    {
        if (node.Right is not ThrowExpressionSyntax)
        {
            yield return (node, "null-coalescing", Weaving.Instead, Text(node.Right));
        }

        if (!node.Right.IsKind(SyntaxKind.NullLiteralExpression))
        {
            yield return (node, "null-coalescing", Weaving.Instead, $"{Text(node.Left)}!");
        }
    }

    /// <summary>One part of a conjunction or disjunction that no longer counts.</summary>
    private static IEnumerable<(SyntaxNode Node, string Operator, Weaving Weaving, string Mutated)> Leaf(ExpressionSyntax node)
    {
        if (Bare(node.Parent) is BinaryExpressionSyntax parent && !node.IsKind(parent.Kind()) && node is not ParenthesizedExpressionSyntax)
        {
            if (parent.IsKind(SyntaxKind.LogicalAndExpression))
            {
                yield return (node, "conjunct", Weaving.True, "true");
            }
            else if (parent.IsKind(SyntaxKind.LogicalOrExpression))
            {
                yield return (node, "disjunct", Weaving.False, "false");
            }
        }
    }

    /// <summary>A whole condition that is turned round; one that declares a variable is held to be the one that leaves it assigned.</summary>
    private static IEnumerable<(SyntaxNode Node, string Operator, Weaving Weaving, string Mutated)> Condition(ExpressionSyntax node)
    {
        if (!IsCondition(node) || node is LiteralExpressionSyntax || HasOwnNegation(node))
        {
            yield break;
        }

        if (!Declares(node))
        {
            yield return (node, "condition", Weaving.Instead, $"!({Text(node)})");
        }
        else
        {
            yield return node is IsPatternExpressionSyntax { Pattern: UnaryPatternSyntax }
                ? (node, "condition", Weaving.True, "true")
                : (node, "condition", Weaving.False, "false");
        }
    }

    /// <summary>A yes that becomes a no, and a rejection that becomes none.</summary>
    private IEnumerable<(SyntaxNode Node, string Operator, Weaving Weaving, string Mutated)> Returned(ExpressionSyntax node)
    {
        if (node.Parent is not (ReturnStatementSyntax or ArrowExpressionClauseSyntax))
        {
            yield break;
        }

        var type = model.GetTypeInfo(node);
        if (type.Type?.SpecialType == SpecialType.System_Boolean)
        {
            if (!HasOwnNegation(node) && !node.IsKind(SyntaxKind.LogicalNotExpression))
            {
                yield return Declares(node) ? (node, "return", Weaving.False, "false") : (node, "return", Weaving.Instead, $"!({Text(node)})");
            }
        }
        else if (type.ConvertedType is { NullableAnnotation: NullableAnnotation.Annotated }
            && node is not (LiteralExpressionSyntax or ThrowExpressionSyntax))
        {
            yield return (node, "return", Weaving.Instead, "null");
        }
    }

    private static bool IsCondition(ExpressionSyntax node) => node.Parent switch
    {
        IfStatementSyntax parent => parent.Condition == node,
        WhileStatementSyntax parent => parent.Condition == node,
        DoStatementSyntax parent => parent.Condition == node,
        ForStatementSyntax parent => parent.Condition == node && node is not BinaryExpressionSyntax,
        ConditionalExpressionSyntax parent => parent.Condition == node,
        CatchFilterClauseSyntax => true,
        WhenClauseSyntax => true,
        _ => false,
    };

    /// <summary>Whether an operator of this module turns it round already.</summary>
    private static bool HasOwnNegation(ExpressionSyntax node) =>
        node.Kind() is SyntaxKind.EqualsExpression or SyntaxKind.NotEqualsExpression;

    private static bool Declares(SyntaxNode node) =>
        node.DescendantNodesAndSelf(inner => inner is not AnonymousFunctionExpressionSyntax).Any(inner => inner is SingleVariableDesignationSyntax);

    private static SyntaxNode? Bare(SyntaxNode? node)
    {
        while (node is ParenthesizedExpressionSyntax)
        {
            node = node.Parent;
        }

        return node;
    }

    private static string Text(SyntaxNode node) => node.WithoutTrivia().ToFullString();
}
