using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace MutualAuth.Mutation.Mutants;

/// <summary>
/// Where no mutants are made: in what must be constant, in what is only said (log lines, texts of rejections), and in the guards that a nullable
/// reference type has made already.
/// </summary>
internal sealed class Exemptions(SemanticModel model)
{
    /// <summary>Whether neither the node nor what is in it is changed.</summary>
    internal bool Covers(SyntaxNode node) => node switch
    {
        AttributeListSyntax or ParameterListSyntax or EnumDeclarationSyntax or CaseSwitchLabelSyntax or InterpolationSyntax => true,
        FieldDeclarationSyntax field => field.Modifiers.Any(SyntaxKind.ConstKeyword),
        LocalDeclarationStatementSyntax local => local.IsConst,
        MethodDeclarationSyntax { Identifier.Text: "ToString" or "GetHashCode" } => true,
        ArgumentListSyntax { Parent: BaseObjectCreationExpressionSyntax creation } => IsRejection(creation),
        InvocationExpressionSyntax call => IsOnlySaid(call),
        ExpressionStatementSyntax { Expression: InvocationExpressionSyntax call } => IsOnlySaid(call),
        _ => false,
    };

    private bool IsRejection(BaseObjectCreationExpressionSyntax creation) =>
        model.GetTypeInfo(creation).Type?.Name is "Rejection" or "HandshakeFailure" or "MaterialProblem";

    private bool IsOnlySaid(InvocationExpressionSyntax call) => model.GetSymbolInfo(call).Symbol is IMethodSymbol method
        && (method.ContainingType is { Name: "Debug" }
            || (method.ContainingType.ContainingNamespace.Name == "Telemetry" && method.ContainingType.Name.EndsWith("Log", StringComparison.Ordinal))
            || method.Name is "ThrowIfNull" or "ThrowIfNullOrEmpty" or "SuppressFinalize"
            || method.ContainingNamespace?.ToDisplayString() == "Microsoft.Extensions.Logging");
}
