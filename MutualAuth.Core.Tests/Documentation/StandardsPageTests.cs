using System.Text.RegularExpressions;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Documentation;

/// <summary>Holds docs/reference/standards.md to the RFCs that the code cites, both ways round.</summary>
public sealed partial class StandardsPageTests
{
    private static readonly DocumentationPage s_page = DocumentationPage.Open("docs/reference/standards.md");

    private static readonly string[] s_packages =
    [
        "MutualAuth.AspNetCore", "MutualAuth.Core", "MutualAuth.Directories", "MutualAuth.Factors", "MutualAuth.Hosting", "MutualAuth.Http",
        "MutualAuth.Spiffe", "MutualAuth.Spiffe.Testing", "MutualAuth.Testing", "MutualAuth.Tokens", "MutualAuth.Tool",
    ];

    [Test]
    public void Every_RFC_that_the_code_cites_has_a_row()
    {
        CitedInCode().Should().HaveCountGreaterThan(40);
        CitedInCode().Except(OnThePage()).ToArray().Should().BeEmpty();
    }

    [Test]
    public void Every_RFC_of_the_page_is_cited_in_the_code_or_on_another_page()
    {
        var elsewhere = DocumentationPage.Everywhere().Where(page => page.Path != s_page.Path).SelectMany(page => Cited(page.Text));

        OnThePage().Except(CitedInCode().Concat(elsewhere)).ToArray().Should().BeEmpty();
    }

    [TestCase("RFC 5280 §4.2.1", "5280")]
    [TestCase("RFCs 5480, 5758 and 4055", "5480 5758 4055")]
    [TestCase("/// as RFC\n    /// 8446 §6 has it", "8446")]
    [TestCase("the year 2026, an RFC, and RFC 2818 §3.1, 80 of them", "2818")]
    public void Numbers_are_found(string text, string expected) => Cited(text).Should().Equal(expected.Split(' '));

    private static HashSet<string> CitedInCode() => [.. s_packages.SelectMany(SourceTree.TextIn).SelectMany(Cited)];

    /// <summary>The numbers in the first cells of all tables; what follows a paragraph sign is none.</summary>
    private static HashSet<string> OnThePage() =>
    [
        .. s_page.Text.Split('\n').Where(line => line.StartsWith("| RFC ", StringComparison.Ordinal)).Select(line => line.Split('|')[1])
            .SelectMany(cell => Number().Matches(Paragraph().Replace(cell, string.Empty))).Select(match => match.Value),
    ];

    private static IEnumerable<string> Cited(string text) =>
        Citation().Matches(text).SelectMany(match => match.Groups[1].Captures.Concat(match.Groups[2].Captures)).Select(capture => capture.Value);

    // A comment may break between the word and its number.
    [GeneratedRegex(@"\bRFCs?(?:\s|\n\s*///? )+(\d{3,5})\b(?:(?:, | and )(\d{4,5})\b)*")]
    private static partial Regex Citation();

    [GeneratedRegex(@"§[\d.]+")]
    private static partial Regex Paragraph();

    [GeneratedRegex(@"\b\d{3,5}\b")]
    private static partial Regex Number();
}
