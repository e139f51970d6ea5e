using System.Text.RegularExpressions;

namespace MutualAuth.Tests.Support;

/// <summary>The tests of the source tree by name, for pages that cite them: <c>Class</c> or <c>Class.Method</c>.</summary>
internal static partial class NamedTests
{
    private static readonly Lazy<HashSet<string>> s_all = new(() =>
    [
        .. from folder in Directory.EnumerateDirectories(DocumentationPage.Root, "MutualAuth.*Tests")
           from file in Directory.EnumerateFiles(folder, "*Tests.cs", SearchOption.AllDirectories)
           from name in TestsIn(File.ReadAllText(file))
           let type = Path.GetFileNameWithoutExtension(file)
           from cited in new[] { type, $"{type}.{name}" }
           select cited,
    ]);

    internal static bool AreThere(string name) => s_all.Value.Contains(name);

    /// <summary>The methods that carry an attribute of a test.</summary>
    private static IEnumerable<string> TestsIn(string source) => TestMethod().Matches(source).Select(match => match.Groups[1].Value);

    [GeneratedRegex(@"\[(?:Test|TestCase|TestCaseSource)\b[^{;]*?public (?:async )?(?:Task|void) (\w+)\(", RegexOptions.Singleline)]
    private static partial Regex TestMethod();
}
