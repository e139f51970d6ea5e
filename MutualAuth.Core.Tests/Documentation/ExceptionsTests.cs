using System.Text.RegularExpressions;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Documentation;

/// <summary>A public member that throws says so in its documentation. It looks at what stands in the member itself, not at what that calls.</summary>
public sealed partial class ExceptionsTests
{
    [TestCase("MutualAuth.Core")]
    [TestCase("MutualAuth.Factors")]
    [TestCase("MutualAuth.Spiffe")]
    [TestCase("MutualAuth.Spiffe.Testing", 20)]
    [TestCase("MutualAuth.Directories", 5)]
    [TestCase("MutualAuth.Hosting", 20)]
    [TestCase("MutualAuth.Http", 5)]
    [TestCase("MutualAuth.Testing")]
    [TestCase("MutualAuth.Tokens")]
    [TestCase("MutualAuth.AspNetCore", 5)]
    public void Every_public_member_says_what_it_throws(string package, int least = 30)
    {
        var members = SourceTree.TextIn(package).Where(text => PublicType().IsMatch(text)).SelectMany(text => Member().Matches(text)).ToList();

        members.Should().HaveCountGreaterThan(least);
        members.SelectMany(Unsaid).Should().BeEmpty();
    }

    private static IEnumerable<string> Unsaid(Match member)
    {
        var documentation = member.Groups["documentation"].Value;
        return documentation.Length == 0 || documentation.Contains("inheritdoc", StringComparison.Ordinal) ? []
            : Thrown().Matches(member.Groups["body"].Value).Select(thrown => thrown.Groups["type"].Value)
                .Where(type => !documentation.Contains($"cref=\"{type}\"", StringComparison.Ordinal))
                .Select(type => $"{type} by {member.Groups["signature"].Value.Trim()}");
    }

    [GeneratedRegex(@"^public ", RegexOptions.Multiline)]
    private static partial Regex PublicType();

    // A member of a type of the outermost level: its documentation, its first lines, and what is indented more until it closes.
    [GeneratedRegex(
        @"(?<documentation>(?:^    (?:///|\[)[^\n]*\n)*)"
            + @"^    (?<signature>public (?!.*\b(?:override|class|record|enum|interface|struct|event|const)\b)[^\n]*)\n"
            + @"(?<body>(?:(?:        [^\n]*|    [{}][^\n]*)?\n)*?)(?=\n    \S|\n?\})",
        RegexOptions.Multiline)]
    private static partial Regex Member();

    [GeneratedRegex(@"(?:\bthrow new |^ +)(?<type>\w+Exception)(?:\(|\.ThrowIf)", RegexOptions.Multiline)]
    private static partial Regex Thrown();
}
