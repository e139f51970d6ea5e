using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace MutualAuth.Mutation.Mutants;

/// <summary>Finds the mutants of a file, in the order in which they stand there.</summary>
internal static class MutantFinder
{
    internal static IEnumerable<Mutant> Find(Compilation compilation, SyntaxTree tree, string file, string room)
    {
        var model = compilation.GetSemanticModel(tree);
        var exemptions = new Exemptions(model);
        var expressions = new ExpressionMutants(model);
        var statements = new StatementMutants(model);
        foreach (var node in tree.GetRoot().DescendantNodes(inner => !exemptions.Covers(inner)).Where(node => !exemptions.Covers(node)))
        {
            var mutants = node is ExpressionSyntax expression ? expressions.Of(expression) : statements.Of(node);
            foreach (var (place, kind, weaving, mutated) in mutants)
            {
                yield return new Mutant(place, kind, weaving, mutated) { File = file, Room = room, IsStatic = RunsOnce(place) };
            }
        }
    }

    /// <summary>Whether it stands in the initialiser of a static member or in a static constructor, not in a function that is made there.</summary>
    private static bool RunsOnce(SyntaxNode node)
    {
        foreach (var outer in node.Ancestors())
        {
            switch (outer)
            {
                case AnonymousFunctionExpressionSyntax or LocalFunctionStatementSyntax or AccessorDeclarationSyntax or ArrowExpressionClauseSyntax:
                    return false;
                case MemberDeclarationSyntax member:
                    return member is FieldDeclarationSyntax or PropertyDeclarationSyntax or ConstructorDeclarationSyntax
                        && member.Modifiers.Any(SyntaxKind.StaticKeyword);
            }
        }

        return false;
    }
}
