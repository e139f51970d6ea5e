using System.Reflection;

namespace MutualAuth.Tests.Support;

/// <summary>Where the sources lie, and the programs that were built from them.</summary>
internal static class Repository
{
    internal static string Root { get; } = Path.GetFullPath(Metadata("Repository"));

    internal static string Program(string name) => Path.GetFullPath(Metadata("Programs").Replace("{0}", name, StringComparison.Ordinal));

    private static string Metadata(string key) =>
        typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;
}
