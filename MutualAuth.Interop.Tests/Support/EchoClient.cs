namespace MutualAuth.Tests.Support;

/// <summary>One run of the sample EchoClient.</summary>
internal sealed record EchoClient(int ExitCode, string Output, string LastError, string All)
{
    /// <summary>The stable code that the last line of stderr begins with.</summary>
    internal string Code => LastError.Split(':')[0];

    internal static async Task<EchoClient> RunAsync(string input, params IEnumerable<string> arguments)
    {
        await using var program = RunningProgram.StartSample("EchoClient", arguments);
        try
        {
            await program.WriteAsync(input);
            program.EndInput();
        }
        catch (IOException)
        {
            // It ended before it read.
        }

        var exitCode = await program.ExitCodeAsync();
        return new EchoClient(exitCode, string.Join('\n', program.Output), program.Errors.LastOrDefault(string.Empty), program.ToString());
    }

    /// <summary>Connects to a server that must be called server.test, with <paramref name="certificate"/>, or with none.</summary>
    internal static Task<EchoClient> RunAsync(
        string input, string address, Workshop workshop, TestCertificateFiles? certificate, params string[] arguments) =>
        RunAsync(
            input,
            [
                "--connect", address, "--server-name", Workshop.ServerName, "--trust", workshop.Trust,
                .. certificate is null ? Array.Empty<string>() : ["--certificate", certificate.Chain, "--key", certificate.Key],
                .. arguments,
            ]);
}
