using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Documentation;

/// <summary>Links between the pages lead somewhere, and every page can be reached.</summary>
public sealed class LinksTests
{
    [Test]
    public void Every_relative_link_leads_to_a_file_or_a_folder()
    {
        var broken =
            from page in DocumentationPage.Everywhere()
            from target in page.RelativeLinks()
            let path = Path.Combine(Path.GetDirectoryName(page.Path)!, target)
            where !File.Exists(path) && !Directory.Exists(path)
            select $"{page}: {target}";

        broken.Should().BeEmpty();
    }

    [Test]
    public void Every_page_can_be_reached_from_the_index()
    {
        var reached = new HashSet<string>();
        Follow(Path.Combine(DocumentationPage.Root, "docs", "index.md"), reached);

        DocumentationPage.All().Select(page => page.Path).Should().BeSubsetOf(reached);
    }

    private static void Follow(string path, HashSet<string> reached)
    {
        if (!path.EndsWith(".md", StringComparison.Ordinal) || !File.Exists(path) || !reached.Add(path))
        {
            return;
        }

        foreach (var target in DocumentationPage.Open(path).RelativeLinks())
        {
            Follow(Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, target)), reached);
        }
    }
}
