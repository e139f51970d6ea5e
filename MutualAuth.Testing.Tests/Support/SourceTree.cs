namespace MutualAuth.Testing.Tests.Support;

/// <summary>The source tree that the tests run from: its documentation is held to the code.</summary>
internal static class SourceTree
{
    internal static string Root { get; } = Find();

    internal static string Read(string path) => File.ReadAllText(Path.Combine(Root, path)).ReplaceLineEndings("\n");

    private static string Find()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "MutualAuth.sln")))
            {
                return directory.FullName;
            }
        }

        throw new InvalidOperationException("The tests must run from within the source tree.");
    }
}
