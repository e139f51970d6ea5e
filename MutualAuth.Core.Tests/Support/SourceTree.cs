using System.Text.RegularExpressions;

namespace MutualAuth.Tests.Support;

/// <summary>The files of the repository, without what a build makes.</summary>
internal static partial class SourceTree
{
    private static readonly string[] s_made = ["artifacts", "bin", "obj", ".git"];

    private static readonly Lazy<string[]> s_files = new(() =>
    [
        .. Directory.EnumerateDirectories(DocumentationPage.Root).Where(folder => !s_made.Contains(Path.GetFileName(folder)))
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(DocumentationPage.Root))
            .Select(path => Path.GetRelativePath(DocumentationPage.Root, path))
            .Where(path => !path.Split(Path.DirectorySeparatorChar).Any(s_made.Contains)),
    ]);

    /// <summary>Every file, by its path from the root.</summary>
    internal static IReadOnlyList<string> Files => s_files.Value;

    /// <summary>The C# beneath a folder, file by file, with its comments.</summary>
    internal static IEnumerable<string> TextIn(string folder) =>
        Files.Where(
            path => path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal) && path.EndsWith(".cs", StringComparison.Ordinal))
            .Select(path => File.ReadAllText(Path.Combine(DocumentationPage.Root, path)));

    /// <summary>The same without comments and strings.</summary>
    internal static IEnumerable<string> CodeIn(string folder) => TextIn(folder).Select(text => CommentOrString().Replace(text, " "));

    [GeneratedRegex("//[^\n]*|\"(?:[^\"\\\\\n]|\\\\.)*\"")]
    private static partial Regex CommentOrString();
}
