namespace MutualAuth.Mutation.Build;

/// <summary>A copy of what MutualAuth.Core.Tests is built to, with the mutated assembly in the library's place. Each run has its own.</summary>
internal sealed class TestBed : IDisposable
{
    private const string Tests = "MutualAuth.Core.Tests";

    private TestBed()
    {
    }

    internal static string Core => CoreBeside(Folder);

    /// <summary>This program once more, as one that has the dependencies of the tests.</summary>
    internal static string Worker => Path.Combine(Folder, Path.GetFileName(typeof(TestBed).Assembly.Location));

    internal static string Dependencies => Path.ChangeExtension(TestsBeside(Folder), ".deps.json");

    internal static string RuntimeConfiguration => Path.ChangeExtension(TestsBeside(Folder), ".runtimeconfig.json");

    /// <summary>Where the tests keep their temporary files.</summary>
    internal static string Temporary { get; } = Path.Combine(Path.GetTempPath(), $"mutation-{Environment.ProcessId}");

    private static string Folder => Path.Combine(Repository.Scratch, $"{Environment.ProcessId}");

    internal static string CoreBeside(string folder) => Path.Combine(folder, "MutualAuth.Core.dll");

    internal static string TestsBeside(string folder) => Path.Combine(folder, Tests + ".dll");

    internal static TestBed Lay(bool build)
    {
        if (build)
        {
            Repository.Run("dotnet", "build", Path.Combine(Repository.Root, Tests), "-c", "Release", "-v", "q", "--nologo");
        }

        var bed = new TestBed();
        bed.Dispose();
        Directory.CreateDirectory(Temporary);
        var from = Path.Combine(Repository.Root, "artifacts", "bin", Tests, "release");
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(Folder, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        File.Copy(typeof(TestBed).Assembly.Location, Worker);
        File.Delete(Path.ChangeExtension(Core, ".pdb"));
        return bed;
    }

    public void Dispose()
    {
        foreach (var folder in new[] { Folder, Temporary })
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }
}
