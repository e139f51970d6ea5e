using System.Reflection;
using System.Text.RegularExpressions;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Architecture;

/// <summary>The invariants of docs/architecture.md name the tests that hold them: those tests must exist, or the page promises too much.</summary>
public sealed partial class InvariantsTests
{
    private static readonly string[][] s_rows = [.. DocumentationPage.Open("docs/architecture.md").RowsUnder("Invariants")];

    [Test]
    public void They_are_numbered_from_one_to_ten() =>
        s_rows.Select(cells => cells[0]).Should().Equal(Enumerable.Range(1, 10).Select(number => $"{number}"));

    [Test]
    public void Every_test_that_they_name_exists()
    {
        var tests = typeof(InvariantsTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static))
            .Where(
                method => method.GetCustomAttributes().Any(attribute => attribute is TestAttribute or TestCaseAttribute or TestCaseSourceAttribute))
            .Select(method => $"{method.DeclaringType!.Name}.{method.Name}");

        var named = s_rows.SelectMany(cells => TestPattern().Matches(cells[2]).Select(match => match.Groups[1].Value)).ToArray();

        named.Should().HaveCountGreaterThan(10).And.BeSubsetOf(tests);
    }

    [GeneratedRegex("`([A-Za-z]+Tests\\.[A-Za-z_0-9]+)`")]
    private static partial Regex TestPattern();
}
