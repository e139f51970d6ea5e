using System.Reflection;
using System.Text.RegularExpressions;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Documentation;

/// <summary>docs/security/who-can-claim-which-name.md: each of its cells names a test, and the test exists.</summary>
public sealed partial class NamesPageTests
{
    private static readonly DocumentationPage s_page = DocumentationPage.Open("docs/security/who-can-claim-which-name.md");

    [TestCase("Attackers and names", 1, 14)]
    [TestCase("Denied peers", 2, 5)]
    public void Every_cell_names_a_test(string heading, int firstCell, int rows)
    {
        var table = RowsUnder(heading).ToList();

        table.Should().HaveCount(rows);
        foreach (var cell in table.SelectMany(cells => cells.Skip(firstCell)))
        {
            TestPattern().IsMatch(cell).Should().BeTrue($"a test must hold \"{cell}\"");
        }
    }

    [Test]
    public void Every_test_that_it_names_exists()
    {
        var tests = typeof(NamesPageTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static))
            .Where(
                method => method.GetCustomAttributes().Any(attribute => attribute is TestAttribute or TestCaseAttribute or TestCaseSourceAttribute))
            .Select(method => $"{method.DeclaringType!.Name}.{method.Name}");

        TestPattern().Matches(s_page.Text).Select(match => match.Groups[1].Value).Should().HaveCountGreaterThan(40).And.BeSubsetOf(tests);
    }

    private static IEnumerable<string[]> RowsUnder(string heading) => s_page.Text.Split('\n')
        .SkipWhile(line => line.TrimStart('#', ' ') != heading).Skip(1).TakeWhile(line => !line.StartsWith('#'))
        .Where(line => line.StartsWith('|')).Skip(2)
        .Select(line => line.Trim('|').Split('|'));

    [GeneratedRegex("`([A-Za-z]+Tests\\.[A-Za-z_0-9]+)`")]
    private static partial Regex TestPattern();
}
