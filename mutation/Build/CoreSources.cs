using System.Reflection;
using System.Runtime.Loader;
using System.Text.Json;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace MutualAuth.Mutation.Build;

/// <summary>MutualAuth.Core as its project compiles it: MSBuild tells the arguments of the compiler, and the source generators are run.</summary>
internal sealed record CoreSources(CSharpCompilation Compilation, IEnumerable<ResourceDescription> Resources)
{
    internal static CoreSources Load()
    {
        var folder = Path.Combine(Repository.Root, "MutualAuth.Core");
        var arguments = CSharpCommandLineParser.Default.Parse(CompilerArguments(folder), folder, sdkDirectory: null);
        var trees = arguments.SourceFiles.Select(file => Parse(file.Path, arguments.ParseOptions));
        var references = arguments.MetadataReferences
            .Select(reference => MetadataReference.CreateFromFile(reference.Reference, reference.Properties));
        var options = arguments.CompilationOptions.WithGeneralDiagnosticOption(ReportDiagnostic.Suppress).WithSpecificDiagnosticOptions([]);
        var compilation = CSharpCompilation.Create(arguments.CompilationName, trees, references, options);

        var loader = new GeneratorLoader();
        var generators = arguments.AnalyzerReferences
            .Select(reference => new AnalyzerFileReference(Path.GetFullPath(reference.FilePath, folder), loader))
            .SelectMany(reference => reference.GetGenerators(LanguageNames.CSharp));
        CSharpGeneratorDriver.Create(generators, parseOptions: arguments.ParseOptions)
            .RunGeneratorsAndUpdateCompilation(compilation, out var whole, out _);
        return new((CSharpCompilation)whole, arguments.ManifestResources);
    }

    private static string[] CompilerArguments(string folder)
    {
        // A file that never exists keeps MSBuild from finding the assembly up to date; the compiler itself is not run.
        var answer = Repository.Run(
            "dotnet", "msbuild", Path.Combine(folder, "MutualAuth.Core.csproj"), "-nologo", "-t:PrepareResources;Compile",
            "-p:Configuration=Release", "-p:ProvideCommandLineArgs=true", "-p:SkipCompilerExecution=true", "-p:NonExistentFile=__never__",
            "-getItem:CscCommandLineArgs");
        using var json = JsonDocument.Parse(answer);
        var items = json.RootElement.GetProperty("Items").GetProperty("CscCommandLineArgs");
        return [.. items.EnumerateArray().Select(item => item.GetProperty("Identity").GetString()!)];
    }

    private static SyntaxTree Parse(string path, CSharpParseOptions options)
    {
        using var file = File.OpenRead(path);
        return CSharpSyntaxTree.ParseText(SourceText.From(file), options, path);
    }

    /// <summary>Loads the generators of the SDK; whatever of the compiler they use is this program's own.</summary>
    private sealed class GeneratorLoader : IAnalyzerAssemblyLoader
    {
        private readonly AssemblyLoadContext _context = new("generators");
        private readonly List<string> _folders = [];

        internal GeneratorLoader() => _context.Resolving += (context, name) => _folders
            .Select(folder => Path.Combine(folder, name.Name + ".dll")).Where(File.Exists).Select(context.LoadFromAssemblyPath).FirstOrDefault();

        public void AddDependencyLocation(string fullPath) => _folders.Add(Path.GetDirectoryName(fullPath)!);

        public Assembly LoadFromPath(string fullPath)
        {
            AddDependencyLocation(fullPath);
            return _context.LoadFromAssemblyPath(fullPath);
        }
    }
}
