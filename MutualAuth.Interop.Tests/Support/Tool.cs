namespace MutualAuth.Tests.Support;

/// <summary>Programs that a test talks to. Without one the test is skipped and says so; with MUTUALAUTH_CI=1 it fails.</summary>
internal static class Tool
{
    internal static string Find(string program)
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
            .Split(Path.PathSeparator)
            .SelectMany(directory => new[] { Path.Combine(directory, program), Path.Combine(directory, program + ".exe") })
            .FirstOrDefault(File.Exists);
        return path ?? throw Missing($"The program '{program}' is not on this machine.");
    }

    /// <summary>The first of these files that there is.</summary>
    internal static string FindFile(string what, params string[] paths) =>
        Array.Find(paths, File.Exists) ?? throw Missing($"{what} is not on this machine.");

    /// <summary>Skips the test, or fails it where everything must be there.</summary>
    internal static Exception Missing(string what)
    {
        if (Environment.GetEnvironmentVariable("MUTUALAUTH_CI") == "1")
        {
            Assert.Fail(what);
        }

        Assert.Ignore(what);
        return new InvalidOperationException(what);
    }
}
