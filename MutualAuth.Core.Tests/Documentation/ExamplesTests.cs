using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Documentation;

/// <summary>Every public member of the front door has an example in its documentation, and docs/snippets/Examples.cs compiles each of them.</summary>
public sealed partial class ExamplesTests
{
    private static readonly Type[] s_types =
    [
        typeof(MutualTlsClient), typeof(MutualTlsClientOptions), typeof(MutualTlsServer), typeof(MutualTlsServerOptions), typeof(MutualTlsListener),
        typeof(MutualTlsListenerOptions), typeof(MutualTlsConnection), typeof(Identity), typeof(TrustAnchors), typeof(Authorize),
    ];

    private static readonly Dictionary<string, string?> s_examples =
        XDocument.Load(Path.ChangeExtension(typeof(MutualTlsClient).Assembly.Location, ".xml")).Descendants("member")
            .ToDictionary(member => member.Attribute("name")!.Value, member => (string?)member.Element("example")?.Element("code"));

    private static readonly string s_compiled = Fold(DocumentationPage.Open("docs/snippets/Examples.cs").Text);

    [TestCaseSource(nameof(s_types))]
    public void Every_public_member_has_an_example(Type type)
    {
        var members = MembersOf(type).ToArray();

        members.Should().NotBeEmpty();
        members.Where(member => string.IsNullOrWhiteSpace(s_examples.GetValueOrDefault(member))).Should().BeEmpty();
    }

    [TestCaseSource(nameof(s_types))]
    public void Every_example_is_compiled(Type type) =>
        MembersOf(type).Select(member => s_examples.GetValueOrDefault(member)).OfType<string>().Select(Fold)
            .Where(example => !s_compiled.Contains($"{{ {example} }}", StringComparison.Ordinal)).Should().BeEmpty();

    /// <summary>
    /// The names, in the compiler's file, of what the type itself declares for its users; what a record makes by itself is left out.
    /// </summary>
    private static IEnumerable<string> MembersOf(Type type)
    {
        const BindingFlags declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var name = type.FullName!;
        var isRecord = type.GetMethod("<Clone>$", BindingFlags.Public | BindingFlags.Instance) is not null;
        var properties = type.GetProperties(declared).Select(property => $"P:{name}.{property.Name}");
        var events = type.GetEvents(declared).Select(added => $"E:{name}.{added.Name}");
        var methods = type.GetMethods(declared)
            .Where(method => !method.IsSpecialName && !method.IsDefined(typeof(CompilerGeneratedAttribute)) && !isRecord)
            .Select(method => $"M:{name}.{method.Name}{ParametersOf(method)}");
        var constructors = type.GetConstructors(declared).Where(_ => !isRecord).Select(constructor => $"M:{name}.#ctor{ParametersOf(constructor)}");
        return properties.Concat(events).Concat(methods).Concat(constructors);
    }

    private static string ParametersOf(MethodBase method) =>
        method.GetParameters() is { Length: > 0 } parameters
            ? $"({string.Join(',', parameters.Select(parameter => IdOf(parameter.ParameterType)))})"
            : "";

    private static string IdOf(Type type)
    {
        if (type.IsByRef)
        {
            return IdOf(type.GetElementType()!) + "@";
        }

        if (type.IsArray)
        {
            return IdOf(type.GetElementType()!) + "[]";
        }

        return type.IsGenericType
            ? $"{type.Namespace}.{type.Name.Split('`')[0]}{{{string.Join(',', type.GetGenericArguments().Select(IdOf))}}}"
            : type.FullName!.Replace('+', '.');
    }

    private static string Fold(string text) => WhiteSpace().Replace(text, " ").Trim();

    [GeneratedRegex(@"\s+")]
    private static partial Regex WhiteSpace();
}
