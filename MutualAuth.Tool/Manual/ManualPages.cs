using System.CommandLine;
using System.Text;
using System.Text.RegularExpressions;

namespace MutualAuth.Tool;

/// <summary>The manual pages, and the page of the documentation, made from the table of commands.</summary>
internal static partial class ManualPages
{
    private const int Width = 100;

    /// <summary>Every manual page by the name of its file.</summary>
    internal static IEnumerable<(string File, string Text)> All(RootCommand root) =>
        CommandTree.All(root).Select(node => ($"{FileName(node)}.1", PageOf(root, node)));

    /// <summary>docs/tool.md.</summary>
    internal static string Markdown(RootCommand root)
    {
        var page = new StringBuilder();
        page.Append("# The tool\n\nEvery command and flag of `mutualauth`. This page is made from the program's own table of commands; a test "
            + "holds it to that.\n\n");
        page.Append("```\ndotnet tool install --global MutualAuth.Tool --prerelease\n```\n\n");
        page.Append("[Diagnose with the tool](how-to/diagnose-with-the-tool.md) shows it at work.\n\n## Of every command\n\n");
        page.Append("| Flag | Says |\n|---|---|\n");
        foreach (var option in root.Options.Where(option => option.Recursive && option.Name is "--json" or "--no-color"))
        {
            page.Append($"| `{CommandTree.Syntax(option)}` | {Cell(Marked(option.Description))} |\n");
        }

        page.Append("\n| Exit code | Means |\n|---|---|\n");
        foreach (var (code, meaning) in ToolCommands.ExitCodes)
        {
            page.Append($"| {code} | {meaning} |\n");
        }

        page.Append("\nThe last line on stderr of a failure is `code: message`. [`mutualauth explain`](#mutualauth-explain) explains the code.\n");
        foreach (var node in CommandTree.All(root).Where(node => node.Words.Count > 0))
        {
            page.Append($"\n{(node.Words.Count == 1 ? "##" : "###")} "
                + $"`{node.FullName}`\n\n{node.Command.Description}\n\n```\n{CommandTree.Usage(node)}\n```\n");
            if (node.Command is ToolCommand command)
            {
                page.Append(string.Concat(command.Details.Select(detail => $"\n{Marked(detail)}\n")));
            }

            if (node.Command.Arguments.Count > 0 || node.Options.Any())
            {
                page.Append("\n| Flag | Says |\n|---|---|\n");
                page.Append(string.Concat(node.Command.Arguments.Select(
                    argument => $"| `{Cell(argument.Name)}` | {Cell(Marked(argument.Description))} |\n")));
                page.Append(string.Concat(node.Options.Select(
                    option => $"| `{Cell(CommandTree.Syntax(option))}` | {Cell(Marked(option.Description))} |\n")));
            }

            if (node.Command is ToolCommand { Examples: [_, ..] examples })
            {
                page.Append($"\n```\n{string.Join('\n', examples)}\n```\n");
            }
        }

        return page.ToString();
    }

    private static string PageOf(RootCommand root, CommandTree.Node node)
    {
        var page = new StringBuilder();
        var name = FileName(node);
        page.Append($".TH {name.ToUpperInvariant().Replace("-", "\\-")} 1\n.SH NAME\n{Escaped(name)} \\- "
            + $"{Escaped(node.Command.Description ?? string.Empty)}\n");
        page.Append($".SH SYNOPSIS\n{Escaped(CommandTree.Usage(node))}\n");
        if (node.Command is ToolCommand { Details: [_, ..] details })
        {
            page.Append($".SH DESCRIPTION\n{string.Join(".PP\n", details.Select(Wrapped))}");
        }

        if (node.Command.Subcommands.Count > 0)
        {
            page.Append(".SH COMMANDS\n");
            foreach (var command in node.Command.Subcommands)
            {
                page.Append($".TP\n.B {Escaped(command.Name)}\n{Wrapped(command.Description)}");
            }
        }

        var options = node.Words.Count == 0 ? node.Options
            : node.Options.Concat(root.Options.Where(option => option.Recursive && option.Name is "--json" or "--no-color"));
        page.Append(".SH OPTIONS\n");
        page.Append(string.Concat(node.Command.Arguments.Select(argument => $".TP\n.I {Escaped(argument.Name)}\n{Wrapped(argument.Description)}")));
        page.Append(string.Concat(options.Select(option => $".TP\n.B {Escaped(CommandTree.Syntax(option))}\n{Wrapped(option.Description)}")));
        page.Append(".SH EXIT STATUS\n");
        page.Append(string.Concat(ToolCommands.ExitCodes.Select(code => $".TP\n.B {code.Code}\n{Wrapped(code.Meaning)}")));
        if (node.Command is ToolCommand { Examples: [_, ..] examples })
        {
            page.Append($".SH EXAMPLES\n.nf\n{string.Join('\n', examples.Select(Escaped))}\n.fi\n");
        }

        string[] others =
        [
            .. node.Words.Count > 0 ? [node.Words.Count == 1 ? CommandTree.Program : $"{CommandTree.Program}-{node.Words[0]}"]
                : Array.Empty<string>(),
            .. node.Command.Subcommands.Select(command => $"{name}-{command.Name}"),
        ];
        page.Append($".SH SEE ALSO\n{string.Join(", ", others.Select(other => $"{Escaped(other)}(1)"))}\n");
        return page.ToString();
    }

    private static string FileName(CommandTree.Node node) => string.Join('-', [CommandTree.Program, .. node.Words]);

    private static string Cell(string? text) => (text ?? string.Empty).Replace("|", "\\|");

    /// <summary>What is quoted, file names and flags in code font, for the page.</summary>
    private static string Marked(string? text) =>
        CodeInText().Replace(text ?? string.Empty, match => $"`{(match.Groups["quoted"] is { Success: true } quoted ? quoted.Value : match.Value)}`");

    private static string Escaped(string text) => text.Replace("\\", "\\e").Replace("-", "\\-").Replace("…", "...");

    /// <summary>Lines of a manual page; one that begins with a dot or a quote would be an instruction.</summary>
    private static string Wrapped(string? text)
    {
        var lines = new StringBuilder();
        var length = 0;
        foreach (var word in Escaped(text ?? string.Empty).Split(' '))
        {
            if (length > 0 && length + word.Length >= Width)
            {
                lines.Append('\n');
                length = 0;
            }

            var piece = length > 0 ? $" {word}" : word is ['.' or '\'', ..] ? $"\\&{word}" : word;
            lines.Append(piece);
            length += piece.Length;
        }

        return lines.Append('\n').ToString();
    }

    [GeneratedRegex(@"(?<![A-Za-z])'(?<quoted>[^']+)'|(?<![\w/.|-])(?:--[a-z]|[A-Za-z0-9.]+[/_])[^\s,:;)]*[^\s,:;.)]")]
    private static partial Regex CodeInText();
}
