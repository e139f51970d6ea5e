using System.Text.RegularExpressions;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Documentation;

/// <summary>Holds docs/security/niap-tls.md to the tests that it names: a security target cites that page.</summary>
public sealed partial class NiapPageTests
{
    private static readonly string[] s_sections = ["Auditable events", "TLS as a client", "TLS as a server", "X.509 validation"];

    private static readonly DocumentationPage s_page = DocumentationPage.Open("docs/security/niap-tls.md");

    private static IEnumerable<string[]> Rows => s_sections.SelectMany(section => s_page.Table(section)).Select(row => row.Values.ToArray());

    [Test]
    public void Each_row_has_a_requirement_an_answer_and_a_test_or_a_no()
    {
        Rows.Should().HaveCountGreaterThan(50);
        Rows.Where(row => row.Length != 4 || !Requirement().IsMatch(row[0]) || row[2].Length == 0 || (row[3] != "no" && !row[3].StartsWith('`')))
            .Select(row => string.Join(" | ", row)).Should().BeEmpty();
    }

    [Test]
    public void A_no_has_its_reason() =>
        Rows.Where(row => row[3] == "no" && !row[2].StartsWith("no: ", StringComparison.Ordinal)
            && !row[2].StartsWith("not claimed: ", StringComparison.Ordinal)).Select(row => row[2]).Should().BeEmpty();

    [Test]
    public void Each_test_that_is_named_is_one() =>
        Rows.Select(row => row[3]).Where(cell => cell != "no").Select(cell => cell.Trim('`'))
            .Where(name => !NamedTests.AreThere(name))
            .Should().BeEmpty();

    [TestCase("NiapPageTests.What_is_no_test_is_not_found", true)]
    [TestCase("NiapPageTests", true)]
    [TestCase("NiapPageTests.Requirement", false)]
    [TestCase("NiapPage", false)]
    [TestCase("LiveUsersTableTests", false)]
    [TestCase("LiveUsersTableTests.A_change_ends_the_connection_of_that_user_and_no_other", false)]
    public void What_is_no_test_is_not_found(string name, bool isThere) => NamedTests.AreThere(name).Should().Be(isThere);

    [GeneratedRegex(@"^(FAU|FCS|FIA)_[A-Z0-9_]+\.[0-9.]+$")]
    private static partial Regex Requirement();
}
