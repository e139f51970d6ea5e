using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace MutualAuth.Mutation.Mutants;

/// <summary>
/// Puts all mutants of a file into its code at once, each behind a question whether it is the active one. What a mutant changes has the number as an
/// annotation, so that a fault of the compiler there tells which mutant it is.
/// </summary>
internal sealed class MutantWeaver(ILookup<SyntaxNode, Mutant> mutants) : CSharpSyntaxRewriter
{
    internal const string Annotation = "mutant";

    public override SyntaxNode? Visit(SyntaxNode? node)
    {
        if (node is null)
        {
            return null;
        }

        var woven = base.Visit(node);
        foreach (var mutant in mutants[node])
        {
            woven = Weave(mutant, woven!).WithAdditionalAnnotations(
                new SyntaxAnnotation(Annotation, mutant.Number.ToString(CultureInfo.InvariantCulture)));
        }

        return woven;
    }

    private static SyntaxNode Weave(Mutant mutant, SyntaxNode woven)
    {
        var question = SyntaxFactory.ParseExpression($"global::MutualAuth.MutantSwitch.Is({mutant.Number.ToString(CultureInfo.InvariantCulture)})");
        var not = SyntaxFactory.PrefixUnaryExpression(SyntaxKind.LogicalNotExpression, question);
        if (mutant.Weaving == Weaving.Arm)
        {
            var arm = (SwitchExpressionArmSyntax)woven;
            ExpressionSyntax condition = arm.WhenClause is { } when
                ? SyntaxFactory.BinaryExpression(SyntaxKind.LogicalAndExpression, not, SyntaxFactory.ParenthesizedExpression(when.Condition))
                : not;
            return arm.WithWhenClause(SyntaxFactory.WhenClause(condition));
        }

        if (mutant.Weaving == Weaving.Removed)
        {
            return SyntaxFactory.IfStatement(not, SyntaxFactory.Block((StatementSyntax)woven));
        }

        // The code is put together of nodes, not of text, so that the annotations of mutants inside it are kept.
        var inside = SyntaxFactory.ParenthesizedExpression((ExpressionSyntax)woven);
        ExpressionSyntax whole = mutant.Weaving switch
        {
            Weaving.True => SyntaxFactory.BinaryExpression(SyntaxKind.LogicalOrExpression, question, inside),
            Weaving.False => SyntaxFactory.BinaryExpression(SyntaxKind.LogicalAndExpression, inside, not),
            _ => SyntaxFactory.ConditionalExpression(question, SyntaxFactory.ParseExpression($"({mutant.Mutated})"), inside),
        };
        return SyntaxFactory.ParenthesizedExpression(whole);
    }
}
