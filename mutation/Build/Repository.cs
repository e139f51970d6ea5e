using System.Diagnostics;

namespace MutualAuth.Mutation.Build;

/// <summary>The source tree, and the programs that are run in it.</summary>
internal static class Repository
{
    /// <summary>The directory that holds the solution.</summary>
    internal static string Root { get; } = FindRoot();

    /// <summary>Where a run keeps its assembly and its copy of the tests; swept away when it ends.</summary>
    internal static string Scratch => Path.Combine(Root, "artifacts", "mutation");

    internal static string PathOf(string file) => Path.GetRelativePath(Root, file).Replace('\\', '/');

    /// <summary>Runs a program to its end and returns what it wrote.</summary>
    /// <exception cref="InvalidOperationException">It ended with another code than 0.</exception>
    internal static string Run(string program, params string[] arguments)
    {
        var (code, output) = TryRun(program, arguments);
        return code == 0 ? output : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {code}:\n{output}");
    }

    internal static (int Code, string Output) TryRun(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = Root, RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output);
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "MutualAuth.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("This program must lie inside the source tree.");
    }
}
