using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Documentation;

/// <summary>Holds docs/architecture.md to the source: its rooms are the folders, and its stages are types, files and tests that exist.</summary>
public sealed class ArchitecturePageTests
{
    private static readonly DocumentationPage s_page = DocumentationPage.Open("docs/architecture.md");

    [Test]
    public void Its_rooms_are_the_folders_of_Core()
    {
        var folders = SourceTree.Files.Where(path => path.EndsWith(".cs", StringComparison.Ordinal)).Select(path => Path.GetDirectoryName(path)!)
            .Where(folder => folder.StartsWith("MutualAuth.Core/", StringComparison.Ordinal))
            .Select(folder => folder["MutualAuth.Core/".Length..])
            .Distinct();

        s_page.RowsUnder("The rooms").SelectMany(cells => DocumentationPage.CodeIn(cells[0])).Order().Should().Equal(folders.Order());
    }

    [Test]
    public void Every_type_of_a_stage_exists()
    {
        var types = typeof(MutualTlsServer).Assembly.GetTypes().Select(type => type.Name.Split('`')[0]).ToHashSet();

        Stages("Type").Should().HaveCountGreaterThan(10);
        Stages("Type").Except(types).ToArray().Should().BeEmpty();
    }

    [Test]
    public void Every_file_of_a_stage_exists()
    {
        Stages("File").Should().HaveCountGreaterThan(10);
        Stages("File").Select(file => $"MutualAuth.Core/{file}").Except(SourceTree.Files).ToArray().Should().BeEmpty();
    }

    [Test]
    public void Every_test_of_a_stage_exists()
    {
        Stages("Tests").Should().HaveCountGreaterThan(10);
        var missing = Stages("Tests").Where(test => !SourceTree.Files.Contains($"MutualAuth.Core.Tests/{test}.cs")
            && !SourceTree.Files.Any(file => file.StartsWith($"MutualAuth.Core.Tests/{test.TrimEnd('/')}/", StringComparison.Ordinal)));

        missing.ToArray().Should().BeEmpty();
    }

    [Test]
    public void Every_stage_names_a_type_a_file_and_a_test() =>
        s_page.Table("The stages").Should().OnlyContain(row => row["Type"].Contains('`') && row["File"].Contains('`') && row["Tests"].Contains('`'));

    private static IEnumerable<string> Stages(string column) => s_page.Table("The stages").SelectMany(row => DocumentationPage.CodeIn(row[column]));
}
