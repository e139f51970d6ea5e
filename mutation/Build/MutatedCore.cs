using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using MutualAuth.Mutation.Mutants;

namespace MutualAuth.Mutation.Build;

/// <summary>One assembly that holds every mutant but those that do not compile. What is put into a file cannot harm another.</summary>
internal sealed class MutatedCore
{
    private readonly CoreSources _sources;
    private readonly CSharpParseOptions _parseOptions;
    private readonly Dictionary<SyntaxTree, List<Mutant>> _mutants;

    internal MutatedCore(CoreSources sources, IReadOnlyList<Mutant> mutants)
    {
        _sources = sources;
        _parseOptions = (CSharpParseOptions)sources.Compilation.SyntaxTrees.First().Options;
        _mutants = mutants.GroupBy(mutant => mutant.Node.SyntaxTree).ToDictionary(ofTree => ofTree.Key, ofTree => ofTree.ToList());
        for (var index = 0; index < mutants.Count; index++)
        {
            mutants[index].Number = index + 1;
        }
    }

    /// <summary>Compiles into a file, and returns the mutants that are in it.</summary>
    internal IReadOnlyList<Mutant> Emit(string path)
    {
        var compilation = _sources.Compilation.AddSyntaxTrees(CSharpSyntaxTree.ParseText(MutantSwitchSource.Text, _parseOptions, "MutantSwitch.cs"));
        Dictionary<SyntaxTree, SyntaxTree> woven = [];
        for (var doubtful = _mutants.Keys.ToList(); doubtful.Count > 0; doubtful = doubtful.FindAll(tree => !IsSound(compilation, tree, woven[tree])))
        {
            foreach (var tree in doubtful)
            {
                var next = Woven(tree, _mutants[tree]);
                compilation = compilation.ReplaceSyntaxTree(woven.GetValueOrDefault(tree, tree), next);
                woven[tree] = next;
            }
        }

        using var file = File.Create(path);
        var result = compilation.Emit(file, manifestResources: _sources.Resources);
        return result.Success
            ? [.. _mutants.Values.SelectMany(mutants => mutants)]
            : throw new InvalidOperationException("Core does not compile: " + result.Diagnostics.First(IsFault));
    }

    /// <summary>Whether a file compiles. Where it does not, the mutants to blame are taken out of it.</summary>
    private bool IsSound(CSharpCompilation compilation, SyntaxTree tree, SyntaxTree woven)
    {
        var faults = compilation.GetSemanticModel(woven).GetDiagnostics().Where(IsFault).ToList();
        var blamed = faults.SelectMany(Blamed).ToHashSet();
        return _mutants[tree].RemoveAll(mutant => blamed.Contains(mutant.Number)) == 0 && faults.Count > 0
            ? throw new InvalidOperationException($"Core does not compile: {faults[0]}")
            : faults.Count == 0;
    }

    private SyntaxTree Woven(SyntaxTree tree, List<Mutant> mutants) =>
        tree.WithRootAndOptions(new MutantWeaver(mutants.ToLookup(mutant => mutant.Node)).Visit(tree.GetRoot())!, _parseOptions);

    private static bool IsFault(Diagnostic diagnostic) => diagnostic.Severity == DiagnosticSeverity.Error;

    /// <summary>
    /// The innermost mutant around the fault. Where there is none, a mutant has taken away what the place needs, as the value of a variable:
    /// those of the same statement, or else those of the member whose statement has the same word, or else all of the member.
    /// </summary>
    private static IEnumerable<int> Blamed(Diagnostic fault)
    {
        if (fault.Location.SourceTree?.GetRoot() is not { } root)
        {
            return [];
        }

        var place = root.FindNode(fault.Location.SourceSpan, getInnermostNodeForTie: true);
        if (place.AncestorsAndSelf().Select(NumberOf).FirstOrDefault(number => number is not null) is { } around)
        {
            return [around];
        }

        var member = place.AncestorsAndSelf().FirstOrDefault(node => node is MemberDeclarationSyntax and not BaseTypeDeclarationSyntax) ?? root;
        var word = root.FindToken(fault.Location.SourceSpan.Start).Text;
        var mutants = member.GetAnnotatedNodes(MutantWeaver.Annotation).ToList();
        var near = mutants.Where(node => StatementOf(node).Span.Contains(place.Span)).ToList();
        var related = mutants.Where(node => StatementOf(node).DescendantTokens().Any(token => token.Text == word)).ToList();
        return (near.Count > 0 ? near : related.Count > 0 ? related : mutants).Select(node => NumberOf(node)!.Value);
    }

    private static SyntaxNode StatementOf(SyntaxNode node) =>
        node.AncestorsAndSelf().FirstOrDefault(outer => outer is StatementSyntax and not BlockSyntax) ?? node;

    private static int? NumberOf(SyntaxNode node) =>
        node.GetAnnotations(MutantWeaver.Annotation).LastOrDefault()?.Data is { } number ? int.Parse(number, CultureInfo.InvariantCulture) : null;
}
