using System.Reflection;
using System.Text.RegularExpressions;

namespace MutualAuth.Tests.Support;

/// <summary>
/// Every name that a page may use: types and members of our assemblies, of the framework, and of the projects whose source alone is at hand.
/// </summary>
internal static partial class Vocabulary
{
    private const BindingFlags Any =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly string[] s_ours = ["MutualAuth.Core", "MutualAuth.Testing", "MutualAuth.Core.Tests"];

    // Read as text: the tests of Core refer to none of them.
    private static readonly string[] s_readAsText =
    [
        "MutualAuth.Factors", "MutualAuth.Factors.Tests", "MutualAuth.Spiffe", "MutualAuth.Spiffe.Testing", "MutualAuth.Spiffe.Tests",
        "MutualAuth.Tokens", "MutualAuth.Tokens.Tests", "MutualAuth.Directories", "MutualAuth.Directories.Tests", "MutualAuth.Hosting",
        "MutualAuth.Hosting.Tests",
        "MutualAuth.AspNetCore", "MutualAuth.AspNetCore.Tests", "MutualAuth.Http", "MutualAuth.Http.Tests", "MutualAuth.Tool",
        "MutualAuth.Tool.Tests", "MutualAuth.Testing.Tests", "MutualAuth.Interop.Tests", "samples", "stress", "fuzz", "benchmarks", "conformance",
        "mutation",
    ];

    // Whose members pages may name without their type, as in "AuthenticateAsClientAsync".
    private static readonly string?[] s_namespacesOfMembers =
    [
        "System", "System.IO", "System.Net", "System.Net.Security", "System.Net.Sockets", "System.Security.Cryptography.X509Certificates",
        "System.Threading",
    ];

    private static readonly ILookup<string, Type> s_types = s_ours.Select(Assembly.Load).SelectMany(assembly => assembly.GetTypes())
        .Concat(Framework().SelectMany(assembly => assembly.GetExportedTypes()))
        .ToLookup(type => type.Name.Split('`')[0]);

    private static readonly HashSet<string?> s_namespaces = [.. s_types.SelectMany(types => types).Select(type => type.Namespace)];

    private static readonly HashSet<string> s_members =
    [
        .. s_types.SelectMany(types => types)
            .Where(type => s_ours.Contains(type.Assembly.GetName().Name) || s_namespacesOfMembers.Contains(type.Namespace))
            .SelectMany(type => type.GetMembers(Any)).Select(member => member.Name),
    ];

    private static readonly HashSet<string> s_identifiers =
        [.. s_readAsText.SelectMany(SourceTree.CodeIn).SelectMany(code => Identifier().Matches(code)).Select(match => match.Value)];

    private static readonly string[] s_packages =
        [
            .. PackageName().Matches(File.ReadAllText(Path.Combine(DocumentationPage.Root, "Directory.Packages.props"))).Select(
                match => match.Groups[1].Value),
        ];

    // Properties that projects and Directory.Build.props set.
    private static readonly string[] s_properties =
    [
        .. SourceTree.Files.Where(path => Path.GetExtension(path) is ".props" or ".csproj")
            .SelectMany(path => PropertyName().Matches(File.ReadAllText(Path.Combine(DocumentationPage.Root, path))))
            .Select(match => match.Groups[1].Value),
    ];

    private static readonly HashSet<string> s_folders =
        [.. SourceTree.Files.SelectMany(path => path.Split(Path.DirectorySeparatorChar).SkipLast(1))];

    /// <summary>Whether there is such a type, in one of our projects or in the framework.</summary>
    internal static bool HasType(string name) => s_types.Contains(name) || s_identifiers.Contains(name);

    /// <summary>
    /// Whether this is a type, a member, a member of a type or of a property, a namespace, a folder, a package or a property of a project.
    /// </summary>
    internal static bool Has(string name)
    {
        if (s_packages.Contains(name) || s_properties.Contains(name) || s_folders.Contains(name) || s_namespaces.Contains(name))
        {
            return true;
        }

        var parts = name.Split('.');
        return parts.Length == 1
            ? HasType(name) || s_members.Contains(name)
            : Enumerable.Range(0, parts.Length - 1).Any(at => IsMember(parts[at], parts[at + 1]));
    }

    private static bool IsMember(string type, string member) =>
        s_types[type].Concat(TypesOfProperty(type)).Any(
            candidate => Hierarchy(candidate).Any(each => each.GetMembers(Any).Any(found => found.Name == member)))
        || (!s_types.Contains(type) && s_identifiers.Contains(type) && s_identifiers.Contains(member));

    /// <summary>Pages write <c>Session.TlsVersion</c> where <c>connection.Session.TlsVersion</c> is meant.</summary>
    private static IEnumerable<Type> TypesOfProperty(string name) => typeof(MutualTlsServer).Assembly.GetExportedTypes()
        .SelectMany(type => type.GetProperties()).Where(property => property.Name == name).Select(property => property.PropertyType);

    private static IEnumerable<Type> Hierarchy(Type type)
    {
        for (var each = type; each is not null; each = each.BaseType)
        {
            yield return each;
        }
    }

    private static IEnumerable<Assembly> Framework() =>
        Directory.EnumerateFiles(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "System*.dll")
            .Select(path => Assembly.Load(Path.GetFileNameWithoutExtension(path)));

    [GeneratedRegex(@"\b[A-Z]\w*")]
    private static partial Regex Identifier();

    [GeneratedRegex(@"<(\w+)[ >]")]
    private static partial Regex PropertyName();

    [GeneratedRegex("<PackageVersion Include=\"([^\"]+)\"")]
    private static partial Regex PackageName();
}
