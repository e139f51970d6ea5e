using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Documentation;

/// <summary>Holds docs/reference/connection-and-listener.md to the members and to what their documentation says that they throw.</summary>
public sealed partial class MembersPageTests
{
    private static readonly XDocument s_documentation = XDocument.Load(Path.ChangeExtension(typeof(MutualTlsListener).Assembly.Location, ".xml"));

    [TestCase(typeof(MutualTlsConnection))]
    [TestCase(typeof(MutualTlsListener))]
    public void Every_member_has_a_row_that_names_what_it_throws(Type type)
    {
        var members = type.GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
            .Where(member => member is PropertyInfo or MethodInfo { IsSpecialName: false })
            .Select(member => member.Name)
            .Distinct();

        DocumentationPage.Open("docs/reference/connection-and-listener.md").RowsUnder(type.Name)
            .Select(
                cells => (
                    Name: cells[0].Trim('`'),
                    Throws: string.Join(' ', ExceptionName().Matches(cells[1]).Select(match => match.Groups[1].Value).Order())))
            .Should().BeEquivalentTo(members.Select(name => (Name: name, Throws: string.Join(' ', ThrownBy(type, name)))));
    }

    private static IEnumerable<string> ThrownBy(Type type, string member) => s_documentation.Descendants("member")
        .Where(element => Regex.IsMatch(element.Attribute("name")!.Value, $@"^[MP]:{Regex.Escape(type.FullName!)}\.{member}(\(|$)"))
        .Descendants("exception")
        .Select(element => element.Attribute("cref")!.Value.Split('.')[^1])
        .Where(name => name != nameof(ArgumentNullException)) // the signatures say it
        .Distinct()
        .Order();

    [GeneratedRegex("`([A-Za-z]+Exception)`:")]
    private static partial Regex ExceptionName();
}
