using System.Diagnostics;

namespace MutualAuth.Testing.Tests.Support;

/// <summary>
/// Runs a program that a test checks against. Where the machine has none, the test is ignored and says what is missing;
/// with MUTUALAUTH_CI=1 it fails.
/// </summary>
internal static class Tool
{
    internal static (int ExitCode, string Output) Run(string program, params string[] arguments) => Run(program, input: null, arguments);

    internal static (int ExitCode, string Output) Run(string program, byte[]? input, string[] arguments)
    {
        if (!IsPresent(program))
        {
            var missing = $"The program '{program}' is not on this machine.";
            if (Environment.GetEnvironmentVariable("MUTUALAUTH_CI") == "1")
            {
                Assert.Fail(missing);
            }

            Assert.Ignore(missing);
        }

        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        if (input is not null)
        {
            process.StandardInput.BaseStream.Write(input);
        }

        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit(20_000).Should().BeTrue($"{program} should end");
        return (process.ExitCode, output + error.GetAwaiter().GetResult());
    }

    private static bool IsPresent(string program) => (Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
        .Split(Path.PathSeparator)
        .Any(directory => File.Exists(Path.Combine(directory, program)) || File.Exists(Path.Combine(directory, program + ".exe")));
}
