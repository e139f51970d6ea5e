using System.Text.RegularExpressions;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Documentation;

/// <summary>What the pages name in code font exists: types, members, files and folders.</summary>
public sealed partial class NamesInPagesTests
{
    // Where a page may begin a path: the root, a project of which it speaks, or its own folder.
    private static readonly string[] s_roots =
    [
        "", "MutualAuth.Core", "MutualAuth.Core.Tests", "MutualAuth.Interop.Tests", "MutualAuth.Testing", "MutualAuth.Factors", "MutualAuth.Spiffe",
        "MutualAuth.Spiffe.Testing", "MutualAuth.Tokens", "MutualAuth.Directories", "MutualAuth.Hosting", "MutualAuth.AspNetCore",
        "MutualAuth.Http", "MutualAuth.Tool", "docs",
    ];

    // Beginnings and ends of names.
    private static readonly string[] s_partsOfNames = ["Async", "Dangerous", "Dangerously"];

    private static IEnumerable<TestCaseData> Pages() =>
        DocumentationPage.Everywhere().Select(page => new TestCaseData(page).SetArgDisplayNames(page.ToString()));

    [TestCaseSource(nameof(Pages))]
    public void Every_name_is_that_of_a_type_or_a_member(object page)
    {
        var unknown = UnknownNames((DocumentationPage)page).ToArray();

        unknown.Should().BeEmpty();
    }

    [TestCaseSource(nameof(Pages))]
    public void Every_path_is_that_of_a_file_or_a_folder(object page)
    {
        var missing = MissingPaths((DocumentationPage)page).ToArray();

        missing.Should().BeEmpty();
    }

    [TestCase("`SilentSocketsPool`", "SilentSocketsPool")]
    [TestCase("`HandshakeLimits.MaxHelloBytes`", "HandshakeLimits.MaxHelloBytes")]
    [TestCase("`MutualTlsClient.ConnectAsync(…)`", null)]
    [TestCase("`Task<int>`", null)]
    public void A_name_that_no_code_has_is_found(string text, string? unknown) =>
        UnknownNames(DocumentationPage.Of(text)).Should().Equal(unknown is null ? [] : [unknown]);

    [TestCase("`Connections/PendingHellos.cs`", "Connections/PendingHellos.cs")]
    [TestCase("`Scenarios/NoSuchTests`", "Scenarios/NoSuchTests")]
    [TestCase("`dotnet run --project samples/HalloMutualTls`", "samples/HalloMutualTls")]
    [TestCase("`no-such-page.md`", "no-such-page.md")]
    [TestCase("`dotnet run --project samples/HelloMutualTls`, `samples/NAME`, `Paths/PathBuilder`, `crypto/tls`, `/etc/ssl`", null)]
    public void A_path_that_leads_nowhere_is_found(string text, string? missing) =>
        MissingPaths(DocumentationPage.Of(text)).Should().Equal(missing is null ? [] : [missing]);

    private static IEnumerable<string> UnknownNames(DocumentationPage page) =>
        page.CodeSpans().Select(NameIn).OfType<string>().Distinct().Where(name => !s_partsOfNames.Contains(name) && !Vocabulary.Has(name));

    private static IEnumerable<string> MissingPaths(DocumentationPage page) =>
        page.CodeSpans().SelectMany(PathsIn).Distinct().Where(path => !Exists(page, path));

    private static string? NameIn(string span) => NamePattern().Match(span) is { Success: true } match ? match.Groups[1].Value : null;

    private static IEnumerable<string> PathsIn(string span) =>
        PathPattern().Matches(span).Select(match => match.Value).Where(path => !path.Split('/').Any(IsPlaceholder));

    /// <summary>As NAME in <c>samples/NAME</c>.</summary>
    private static bool IsPlaceholder(string part) => part.Length > 1 && part.All(char.IsAsciiLetterUpper);

    private static bool Exists(DocumentationPage page, string path)
    {
        if (!path.Contains('/', StringComparison.Ordinal))
        {
            return SourceTree.Files.Any(file => Path.GetFileName(file) == path);
        }

        return s_roots.Select(root => Path.Combine(DocumentationPage.Root, root)).Append(Path.GetDirectoryName(page.Path)!).Select(
            root => Path.Combine(root, path))
            .Any(full => File.Exists(full) || Directory.Exists(full) || File.Exists(full + ".cs"));
    }

    // A name begins with a capital and has a small letter; what follows its members does not count.
    [GeneratedRegex(@"^((?=\w*[a-z])[A-Z][A-Za-z0-9]+(?:\.[A-Z][A-Za-z0-9_]*)*)(?:<[^>]*>)?(?:\(.*\))?$")]
    private static partial Regex NamePattern();

    // A room or a folder of the repository and what is beneath it, or a file by its ending.
    [GeneratedRegex(
        @"(?<![\w./:\-{$])(?:(?:[A-Z]\w*|MutualAuth(?:\.\w+)+|samples|docs|fuzz|stress|conformance|benchmarks|\.ci)/[\w.\-/]*"
        + @"|[\w.\-]+\.(?:cs|md|csproj|props|sln))(?![\w{*])")]
    private static partial Regex PathPattern();
}
