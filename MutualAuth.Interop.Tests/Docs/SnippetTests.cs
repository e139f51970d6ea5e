using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Docs;

/// <summary>The C# that the pages show is the C# that <c>docs/snippets</c> compiles, or that a test here runs, to the letter.</summary>
public sealed class SnippetTests
{
    private static readonly string[] s_notOurs = ["artifacts", "bin", "obj", ".git"];

    // Code with packages that only these tests use stands in the test that runs it.
    private static readonly string[] s_homes =
    [
        Path.Combine("docs", "snippets"), Path.Combine("MutualAuth.Interop.Tests", "Callbacks"), Path.Combine("MutualAuth.AspNetCore.Tests", "Pages"),
    ];

    [Test]
    public void Every_block_of_every_page_is_compiled()
    {
        var compiled = Snippets().Select(snippet => snippet.Text).ToHashSet();

        var missing = Blocks().Where(block => !compiled.Contains(block.Text)).ToArray();

        missing.Should().BeEmpty(
            "each ```csharp block stands between '// snippet' and '// end' in a file of docs/snippets or of Callbacks; these do not:\n{0}",
            Describe(missing));
    }

    [Test]
    public void Every_snippet_is_shown_somewhere()
    {
        var shown = Blocks().Select(block => block.Text).ToHashSet();

        var unused = Snippets().Where(snippet => !shown.Contains(snippet.Text)).ToArray();

        unused.Should().BeEmpty("a snippet that no page shows, or that differs from what it shows, holds nothing:\n{0}", Describe(unused));
    }

    [Test]
    public void What_the_snippets_do_not_hold_is_run_as_a_project_of_its_own()
    {
        var other = Files("*.md").SelectMany(file => File.ReadLines(Path.Combine(Repository.Root, file))
            .Where(line => line.TrimStart().StartsWith("```cs", StringComparison.OrdinalIgnoreCase) && line != "```csharp")
            .Select(line => $"{file}: {line}"));

        other.Distinct().Should().BeEquivalentTo(((string[])["xunit", "nunit", "mstest"]).Select(
            framework => $"{Path.Combine("docs", "how-to", "test-your-own-mtls.md")}: ```csharp {framework}"));
    }

    [Test]
    public void There_are_pages_with_code() => Blocks().Should().HaveCountGreaterThan(5);

    /// <summary>The blocks of all pages, fences left out.</summary>
    private static IEnumerable<Passage> Blocks() =>
        Files("*.md").SelectMany(file => Passages(file, line => line == "```csharp", line => line == "```"));

    private static IEnumerable<Passage> Snippets() => Files("*.cs")
        .Where(file => Array.Exists(s_homes, home => file.StartsWith(home, StringComparison.Ordinal)))
        .SelectMany(file => Passages(file, line => line.Trim() == "// snippet", line => line.Trim() == "// end"));

    private static IEnumerable<Passage> Passages(string file, Func<string, bool> begins, Func<string, bool> ends)
    {
        List<string>? passage = null;
        var number = 0;
        foreach (var line in File.ReadLines(Path.Combine(Repository.Root, file)))
        {
            number++;
            if (passage is not null && ends(line))
            {
                yield return new Passage($"{file}:{number - passage.Count}", WithoutContext(passage));
                passage = null;
            }
            else if (passage is not null)
            {
                passage.Add(line);
            }
            else if (begins(line))
            {
                passage = [];
            }
        }

        passage.Should().BeNull($"what begins in {file} should end there");
    }

    /// <summary>The lines without common indentation, and without the using directives that they begin with.</summary>
    private static string WithoutContext(List<string> lines)
    {
        lines =
        [
            .. lines.SkipWhile(
                line => line.Length == 0
                    || (line.StartsWith("using ", StringComparison.Ordinal) && line.EndsWith(';') && !line.Contains('=') && !line.Contains('('))),
        ];
        var indent = lines.Where(line => line.Length > 0).Select(line => line.Length - line.TrimStart().Length).DefaultIfEmpty(0).Min();
        return string.Join('\n', lines.Select(line => line.Length > 0 ? line[indent..] : line));
    }

    private static IEnumerable<string> Files(string pattern) => Directory
        .EnumerateFiles(Repository.Root, pattern, SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(Repository.Root, path))
        .Where(path => !path.Split(Path.DirectorySeparatorChar).Any(s_notOurs.Contains));

    private static string Describe(IEnumerable<Passage> passages) =>
        string.Join("\n\n", passages.Select(passage => $"{passage.Place}\n{passage.Text}")).Replace("{", "{{", StringComparison.Ordinal).Replace(
            "}", "}}", StringComparison.Ordinal);

    private sealed record Passage(string Place, string Text);
}
