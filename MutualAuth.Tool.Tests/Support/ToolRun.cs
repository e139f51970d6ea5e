using System.Text.Json;
using MutualAuth.Samples;
using MutualAuth.Tool;

namespace MutualAuth.Tests.Support;

/// <summary>One call of the tool: in this process through its entry point, or as a process of its own.</summary>
internal sealed record ToolRun(int ExitCode, string Output, string Errors)
{
    private static readonly SemaphoreSlim s_console = new(1, 1);

    /// <summary>The program, as it was built.</summary>
    internal static string Program { get; } = Path.Combine(Path.GetDirectoryName(Repository.Program("MutualAuth.Tool"))!, "mutualauth.dll");

    internal IReadOnlyList<string> Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The last line of stderr.</summary>
    internal string LastError => Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? string.Empty;

    internal string ErrorCode => LastError.Split(':')[0];

    /// <summary>Each line of the output as an object.</summary>
    internal IReadOnlyList<JsonElement> Json => [.. Lines.Select(line => JsonDocument.Parse(line).RootElement)];

    /// <summary>What a step of probe says.</summary>
    internal JsonElement Step(string step) => Json.First(line => line.GetProperty("step").GetString() == step);

    internal static Task<ToolRun> Of(params string[] arguments) => WithInput(string.Empty, arguments);

    internal static async Task<ToolRun> WithInput(string input, params string[] arguments)
    {
        await s_console.WaitAsync();
        var (oldInput, oldOutput, oldErrors) = (Console.In, Console.Out, Console.Error);
        using var output = new StringWriter();
        using var errors = new StringWriter();
        try
        {
            Console.SetIn(new StringReader(input));
            Console.SetOut(output);
            Console.SetError(errors);
            var exitCode = await CommandLine.RunAsync(ToolCommands.Create(), arguments).WaitAsync(RunningProgram.Deadline);
            return new ToolRun(exitCode, output.ToString(), errors.ToString());
        }
        finally
        {
            Console.SetIn(oldInput);
            Console.SetOut(oldOutput);
            Console.SetError(oldErrors);
            s_console.Release();
        }
    }

    /// <summary>A process that is still running.</summary>
    internal static RunningProgram Start(params IEnumerable<string> arguments) =>
        RunningProgram.Start(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [Program, .. arguments]);

    /// <summary>A process with an input, to its end.</summary>
    internal static async Task<ToolRun> AsProcess(string input, params IEnumerable<string> arguments)
    {
        await using var program = Start(arguments);
        await program.WriteAsync(input);
        program.EndInput();
        var exitCode = await program.ExitCodeAsync();
        return new ToolRun(exitCode, string.Join('\n', program.Output), string.Join('\n', program.Errors));
    }

    public override string ToString() => $"exit code {ExitCode}\n{Output}\n{Errors}";
}
