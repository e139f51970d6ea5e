using System.Text.RegularExpressions;

namespace MutualAuth.Tests.Support;

/// <summary>A page of the documentation, read from the source tree, so that tests can hold it to the code.</summary>
internal sealed partial class DocumentationPage
{
    private readonly string[] _lines;

    private DocumentationPage(string path)
    {
        Path = path;
        _lines = File.ReadAllLines(path);
    }

    /// <summary>The directory that holds the solution.</summary>
    internal static string Root { get; } = FindRoot();

    internal string Path { get; }

    internal string Text => string.Join('\n', _lines);

    /// <summary>Opens a page by its path from the root of the source tree.</summary>
    internal static DocumentationPage Open(string path) => new(System.IO.Path.Combine(Root, path));

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

    /// <summary>The targets of links to other files, without what follows a <c>#</c>.</summary>
    internal IEnumerable<string> RelativeLinks() =>
        LinkPattern().Matches(Text).Select(match => match.Groups[1].Value).Where(target => !target.Contains("://", StringComparison.Ordinal) && target.Length > 0);

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

    [GeneratedRegex(@"\]\(([^)#\s]*)(?:#[^)]*)?\)")]
    private static partial Regex LinkPattern();
}
