namespace MutualAuth.Tests.Support;

/// <summary>A program that has ended, and what it said.</summary>
internal sealed record EndedProgram(int ExitCode, string Output, string LastError, string All)
{
    /// <summary>The stable code that the last line of stderr begins with.</summary>
    internal string Code => LastError.Split(':')[0];

    /// <summary>Gives a program no input, and waits for its end.</summary>
    internal static async Task<EndedProgram> OfAsync(RunningProgram started, TimeSpan? within = null)
    {
        await using var program = started;
        program.EndInput();
        var exitCode = await program.ExitCodeAsync(within);
        return new EndedProgram(exitCode, string.Join('\n', program.Output), program.Errors.LastOrDefault(string.Empty), program.ToString());
    }
}
