using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace MutualAuth.Mutation.Mutants;

/// <summary>What could be missing: a call, an assignment, a throw, an arm of a switch.</summary>
internal sealed class StatementMutants(SemanticModel model)
{
    internal IEnumerable<(SyntaxNode Node, string Operator, Weaving Weaving, string Mutated)> Of(SyntaxNode node) => node switch
    {
        ExpressionStatementSyntax statement when MayGo(statement) => [(node, "statement", Weaving.Removed, "(nothing)")],
        ThrowStatementSyntax { Parent: BlockSyntax { Parent: IfStatementSyntax { Else: null } } } => [(node, "throw", Weaving.Removed, "(nothing)")],
        SwitchExpressionArmSyntax { Pattern: not (DiscardPatternSyntax or VarPatternSyntax) } => [(node, "arm", Weaving.Arm, "(no arm)")],
        _ => [],
    };

    private bool MayGo(ExpressionStatementSyntax statement)
    {
        var expression = statement.Expression is AwaitExpressionSyntax awaited ? awaited.Expression : statement.Expression;
        return expression is InvocationExpressionSyntax or AssignmentExpressionSyntax or PostfixUnaryExpressionSyntax or PrefixUnaryExpressionSyntax
            or ConditionalAccessExpressionSyntax
            && statement.Parent is BlockSyntax
            && !statement.DescendantNodes().Any(node =>
                node is SingleVariableDesignationSyntax or ArgumentSyntax { RefKindKeyword.RawKind: (int)SyntaxKind.OutKeyword })
            && !(expression is AssignmentExpressionSyntax assignment && AssignsFirst(assignment));
    }

    /// <summary>Whether a local variable or an out parameter has no value without it: that would not compile.</summary>
    private bool AssignsFirst(AssignmentExpressionSyntax assignment) =>
        assignment.IsKind(SyntaxKind.SimpleAssignmentExpression) && model.GetSymbolInfo(assignment.Left).Symbol switch
        {
            ILocalSymbol local => local.DeclaringSyntaxReferences is [var declared, ..]
                && declared.GetSyntax() is not VariableDeclaratorSyntax { Initializer: not null } and VariableDeclaratorSyntax,
            IParameterSymbol parameter => parameter.RefKind == RefKind.Out,
            _ => false,
        };
}
