using System.CommandLine;
using System.CommandLine.Help;

namespace MutualAuth.Tool;

/// <summary>The commands and their flags, as help, completion and pages show them.</summary>
internal static class CommandTree
{
    internal const string Program = "mutualauth";

    /// <summary>A command, and the words that lead to it; none for the program itself.</summary>
    internal sealed record Node(IReadOnlyList<string> Words, Command Command)
    {
        internal string FullName => string.Join(' ', [Program, .. Words]);

        internal IEnumerable<Option> Options => Command.Options.Where(option => !option.Hidden && option is not HelpOption and not VersionOption);
    }

    /// <summary>All commands, each before those beneath it.</summary>
    internal static IEnumerable<Node> All(RootCommand root) => Walk(new Node([], root));

    /// <summary>How an option is written: --trust FILE.</summary>
    internal static string Syntax(Option option) => ValueOf(option) is { } value ? $"{option.Name} {value}" : option.Name;

    /// <summary>The placeholder or the values of an option; null for one without a value.</summary>
    internal static string? ValueOf(Option option) => option.Arity.MaximumNumberOfValues == 0 ? null
        : option.HelpName ?? (Words(option) is [_, ..] words ? string.Join('|', words) : option.Name.TrimStart('-').ToUpperInvariant());

    /// <summary>The values that an option accepts, where they are few.</summary>
    internal static IReadOnlyList<string> Words(Option option) =>
        option.ValueType == typeof(bool) || option.HelpName is not null ? []
            : [.. option.GetCompletions(System.CommandLine.Completions.CompletionContext.Empty).Select(item => item.Label)];

    internal static IReadOnlyList<string> Words(Argument argument) =>
        [.. argument.GetCompletions(System.CommandLine.Completions.CompletionContext.Empty).Select(item => item.Label)];

    /// <summary>A usage line.</summary>
    internal static string Usage(Node node)
    {
        var parts = new List<string> { node.FullName };
        if (node.Command.Subcommands.Count > 0)
        {
            parts.Add("COMMAND");
        }

        parts.AddRange(node.Command.Arguments.Select(argument => argument.Arity.MaximumNumberOfValues > 1 ? $"{argument.Name}..." : argument.Name));
        parts.AddRange(node.Options.Where(option => option.Required).Select(Syntax));
        if (node.Options.Any(option => !option.Required))
        {
            parts.Add("[OPTION]...");
        }

        return string.Join(' ', parts);
    }

    private static IEnumerable<Node> Walk(Node node) =>
        node.Command.Subcommands.SelectMany(command => Walk(new Node([.. node.Words, command.Name], command))).Prepend(node);
}
