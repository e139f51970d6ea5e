using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Documentation;

/// <summary>A reader who pastes the code of a page must know which namespaces it needs.</summary>
public sealed class UsingsInPagesTests
{
    [Test]
    public void Every_page_with_code_says_which_namespaces_it_uses() => DocumentationPage.Everywhere()
        .Where(page => page.Text.Contains("\n```csharp\n", StringComparison.Ordinal) && !SaysItsNamespaces(page.Text))
        .Select(page => page.ToString()).Should().BeEmpty();

    [TestCase("The code uses `MutualAuth`.\n\n```csharp\n```", true)]
    [TestCase("```csharp\nusing MutualAuth;\n```", true)]
    [TestCase("`MutualAuth` is a library.\n\n```csharp\n```", false)]
    public void A_page_without_them_is_found(string text, bool says) => SaysItsNamespaces(text).Should().Be(says);

    private static bool SaysItsNamespaces(string text) =>
        text.Contains("using MutualAuth", StringComparison.Ordinal) || text.Split('\n').Any(
            line => line.Contains("code uses `", StringComparison.Ordinal) && line.Contains("`MutualAuth", StringComparison.Ordinal));
}
