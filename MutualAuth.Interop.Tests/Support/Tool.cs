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
        if (path is null)
        {
            var missing = $"The program '{program}' is not on this machine.";
            if (Environment.GetEnvironmentVariable("MUTUALAUTH_CI") == "1")
            {
                Assert.Fail(missing);
            }

            Assert.Ignore(missing);
        }

        return path!;
    }
}
