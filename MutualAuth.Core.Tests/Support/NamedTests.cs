using System.Text.RegularExpressions;

namespace MutualAuth.Tests.Support;

/// <summary>The tests of the source tree by name, for pages that cite them: <c>Class</c> or <c>Class.Method</c>.</summary>
/// <remarks>Those of an abstract class are left out: they run under the names of the classes that derive from it, and a filter finds none.</remarks>
internal static partial class NamedTests
{
    private static readonly Lazy<HashSet<string>> s_all = new(() =>
    [
        .. from folder in Directory.EnumerateDirectories(DocumentationPage.Root, "MutualAuth.*Tests")
           from file in Directory.EnumerateFiles(folder, "*Tests.cs", SearchOption.AllDirectories)
           let type = Path.GetFileNameWithoutExtension(file)
           let source = File.ReadAllText(file)
           where !Regex.IsMatch(source, $@"\babstract (partial )?class {type}\b")
           from name in TestsIn(source)
           from cited in new[] { type, $"{type}.{name}" }
           select cited,
    ]);

    internal static bool AreThere(string name) => s_all.Value.Contains(name);

    /// <summary>The methods that carry an attribute of a test.</summary>
    private static IEnumerable<string> TestsIn(string source) => TestMethod().Matches(source).Select(match => match.Groups[1].Value);

    [GeneratedRegex(@"\[(?:Test|TestCase|TestCaseSource)\b[^{;]*?public (?:async )?(?:Task|void) (\w+)\(", RegexOptions.Singleline)]
    private static partial Regex TestMethod();
}
