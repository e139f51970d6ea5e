using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Documentation;

/// <summary>Holds the checklists of docs/uses to the tests that they name, and to saying of each requirement how it stands.</summary>
[TestFixtureSource(nameof(Pages))]
public sealed class ChecklistPagesTests(string path)
{
    private static readonly string[] s_statuses = ["yes", "partly", "no", "not ours"];

    private readonly List<string[]> _rows =
        [.. DocumentationPage.Open(path).Table(TitleOf(path)).Select(row => row.Values.ToArray())];

    private static IEnumerable<string> Pages =>
        Directory.EnumerateFiles(Path.Combine(DocumentationPage.Root, "docs", "uses"), "*.md")
            .Select(file => Path.GetRelativePath(DocumentationPage.Root, file));

    [Test]
    public void It_has_ten_to_fifteen_rows_with_requirement_source_status_and_evidence()
    {
        _rows.Should().HaveCountGreaterThanOrEqualTo(10).And.HaveCountLessThanOrEqualTo(15);
        _rows.Where(row => row.Length != 4 || row.Any(string.IsNullOrWhiteSpace) || !s_statuses.Contains(StatusOf(row)))
            .Select(row => string.Join(" | ", row)).Should().BeEmpty();
    }

    /// <summary>A class alone says that something about it is tested, and not what.</summary>
    [Test]
    public void What_is_said_to_be_there_names_the_very_test() =>
        _rows.Where(row => StatusOf(row) is "yes" or "partly" && !DocumentationPage.CodeIn(row[3]).Any(name => name.Contains('.')))
            .Select(row => row[0]).Should().BeEmpty();

    [Test]
    public void What_is_not_there_has_a_page_that_says_more() =>
        _rows.Where(row => StatusOf(row) is "no" or "not ours" && !row[3].Contains("](", StringComparison.Ordinal))
            .Select(row => row[0]).Should().BeEmpty();

    [Test]
    public void No_cell_is_cut_by_a_stroke_within_it() =>
        File.ReadLines(Path.Combine(DocumentationPage.Root, path)).Where(line => line.StartsWith('|') && line.Count(c => c == '|') != 5)
            .Should().BeEmpty();

    [Test]
    public void Each_test_that_is_named_is_one() =>
        _rows.SelectMany(row => DocumentationPage.CodeIn(row[3])).Where(name => !NamedTests.AreThere(name)).Should().BeEmpty();

    [Test]
    public void It_says_what_a_library_cannot_give() => _rows.Select(StatusOf).Should().Contain("not ours");

    private static string StatusOf(string[] row) => row[2].Split(':', ',')[0];

    private static string TitleOf(string path) => File.ReadLines(Path.Combine(DocumentationPage.Root, path)).First().TrimStart('#', ' ');
}
