using System.CommandLine;

namespace MutualAuth.Tool;

/// <summary>A command with what its manual page says beyond the flags.</summary>
internal sealed class ToolCommand(string name, string description) : Command(name, description)
{
    /// <summary>What a reader should know, a paragraph each.</summary>
    internal IReadOnlyList<string> Details { get; init; } = [];

    /// <summary>Whole command lines.</summary>
    internal IReadOnlyList<string> Examples { get; init; } = [];

    internal ToolCommand With(params ReadOnlySpan<Symbol> symbols)
    {
        foreach (var symbol in symbols)
        {
            switch (symbol)
            {
                case Argument argument:
                    Arguments.Add(argument);
                    break;
                case Option option:
                    Options.Add(option);
                    break;
                case Command command:
                    Subcommands.Add(command);
                    break;
            }
        }

        return this;
    }

    internal ToolCommand Does(Func<ParseResult, CancellationToken, Task<int>> action)
    {
        SetAction(action);
        return this;
    }

    internal ToolCommand Does(Func<ParseResult, int> action)
    {
        SetAction(action);
        return this;
    }
}
