using System.Text.RegularExpressions;

namespace MutualAuth.Tests.Support;

/// <summary>A page of the documentation, read from the source tree, so that tests can hold it to the code.</summary>
internal sealed partial class DocumentationPage
{
    private readonly string[] _lines;

    private DocumentationPage(string path)
        : this(path, File.ReadAllLines(path))
    {
    }

    private DocumentationPage(string path, string[] lines) => (Path, _lines) = (path, lines);

    /// <summary>The directory that holds the solution.</summary>
    internal static string Root { get; } = FindRoot();

    internal string Path { get; }

    internal string Text => string.Join('\n', _lines);

    /// <summary>Opens a page by its path from the root of the source tree.</summary>
    internal static DocumentationPage Open(string path) => new(System.IO.Path.Combine(Root, path));

    /// <summary>A page that is written in a test, as if it stood at the root.</summary>
    internal static DocumentationPage Of(string text) => new(System.IO.Path.Combine(Root, "PAGE.md"), text.Split('\n'));

    /// <summary>Every page of the repository that speaks of the present: not the changelog, and no notice of others.</summary>
    internal static IEnumerable<DocumentationPage> Everywhere() =>
        SourceTree.Files.Where(
            path => path.EndsWith(".md", StringComparison.Ordinal) && System.IO.Path.GetFileName(path) is not ("CHANGELOG.md" or "NOTICE.md"))
            .Order(StringComparer.Ordinal).Select(Open);

    /// <summary>README and every page beneath docs.</summary>
    internal static IEnumerable<DocumentationPage> All() =>
        Directory.EnumerateFiles(System.IO.Path.Combine(Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(Root, "*.md"))
            .Select(path => new DocumentationPage(path));

    /// <summary>The cells of every table row whose first cell is <c>`code`</c>, or <c>`code` (number)</c>; header rows fall out by that.</summary>
    internal IEnumerable<string[]> Rows() => Rows(_lines);

    /// <summary>The same, of the tables beneath one heading.</summary>
    internal IEnumerable<string[]> RowsUnder(string heading) =>
        Rows(_lines.SkipWhile(line => line.TrimStart('#', ' ') != heading).Skip(1).TakeWhile(line => !line.StartsWith('#')));

    /// <summary>The rows of the first table beneath one heading, each cell by the heading of its column.</summary>
    internal IEnumerable<Dictionary<string, string>> Table(string heading)
    {
        var lines = _lines.SkipWhile(line => line.TrimStart('#', ' ') != heading).Skip(1).TakeWhile(line => !line.StartsWith('#'))
            .SkipWhile(line => !line.StartsWith('|')).TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Trim().Trim('|').Split('|', StringSplitOptions.TrimEntries))
            .ToArray();
        return lines.Skip(2).Select(cells => lines[0].Zip(cells).ToDictionary(pair => pair.First, pair => pair.Second));
    }

    /// <summary>What stands in code font in a cell.</summary>
    internal static IEnumerable<string> CodeIn(string text) => CodePattern().Matches(text).Select(match => match.Groups[1].Value);

    /// <summary>The lines of the fenced blocks in one language, without blank ones and comments.</summary>
    internal IEnumerable<string> Block(string language)
    {
        var inside = false;
        foreach (var line in _lines)
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
            {
                inside = !inside && line == "```" + language;
            }
            else if (inside && line.Length > 0 && !line.StartsWith('#'))
            {
                yield return line;
            }
        }
    }

    /// <summary>What stands in code font within the text, and each line of a block that has no language.</summary>
    internal IEnumerable<string> CodeSpans()
    {
        string? fence = null;
        foreach (var line in _lines)
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
            {
                fence = fence is null ? line : null;
            }
            else if (fence is "```" && line.StartsWith("dotnet ", StringComparison.Ordinal))
            {
                yield return line;
            }
            else if (fence is null)
            {
                foreach (var span in CodeIn(line))
                {
                    yield return span;
                }
            }
        }
    }

    /// <summary>The targets of links to other files, without what follows a <c>#</c>.</summary>
    internal IEnumerable<string> RelativeLinks() =>
        LinkPattern().Matches(Text).Select(match => match.Groups[1].Value).Where(
            target => !target.Contains("://", StringComparison.Ordinal) && target.Length > 0);

    public override string ToString() => System.IO.Path.GetRelativePath(Root, Path);

    private static IEnumerable<string[]> Rows(IEnumerable<string> lines) =>
        lines.Where(line => line.StartsWith("| ", StringComparison.Ordinal))
            .Select(line => line.Trim().Trim('|').Split('|', StringSplitOptions.TrimEntries))
            .Where(cells => cells[0].StartsWith('`') || (cells[0].Length > 0 && char.IsAsciiDigit(cells[0][0])));

    private static string FindRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(directory.FullName, "MutualAuth.sln")))
            {
                return directory.FullName;
            }
        }

        throw new InvalidOperationException("The tests must run from within the source tree: they hold its documentation to the code.");
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex CodePattern();

    [GeneratedRegex(@"\]\(([^)#\s]*)(?:#[^)]*)?\)")]
    private static partial Regex LinkPattern();
}
