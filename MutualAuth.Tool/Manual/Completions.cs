using System.CommandLine;
using System.Text;

namespace MutualAuth.Tool;

/// <summary>Scripts for shells, made from the table of commands.</summary>
internal static class Completions
{
    internal static string Of(RootCommand root, string shell) => shell switch
    {
        "bash" => Bash(root),
        "zsh" => $"#compdef {CommandTree.Program}\nautoload -U +X bashcompinit && bashcompinit\n{Bash(root)}",
        "fish" => Fish(root),
        "pwsh" => PowerShell(root),
        _ => throw new ArgumentOutOfRangeException(nameof(shell), shell, "bash, zsh, fish or pwsh."),
    };

    private static string[] WordsOf(RootCommand root, CommandTree.Node node) =>
    [
        .. node.Command.Subcommands.Select(command => command.Name),
        .. node.Command.Arguments.SelectMany(CommandTree.Words),
        .. node.Options.Select(option => option.Name),
        .. node.Words.Count > 0 ? root.Options.Where(option => option.Recursive).Select(option => option.Name)
            .Except(node.Options.Select(option => option.Name)) : [],
        "--help",
    ];

    private static string Bash(RootCommand root)
    {
        var script = new StringBuilder();
        script.Append("_mutualauth() {\n  local word path='' words='' previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n");
        script.Append("  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n    case \"$path $word\" in\n");
        foreach (var node in CommandTree.All(root).Where(node => node.Words.Count > 0))
        {
            script.Append($"      '{string.Concat(node.Words.SkipLast(1).Select(word => " " + word))} {node.Words[^1]}') "
                + $"path='{string.Concat(node.Words.Select(word => " " + word))}' ;;\n");
        }

        script.Append("    esac\n  done\n  case \"$path:$previous\" in\n");
        foreach (var (node, option) in CommandTree.All(root).SelectMany(node => node.Options.Select(option => (node, option))))
        {
            if (CommandTree.Words(option) is [_, ..] values)
            {
                script.Append($"    '{Path(node)}:{option.Name}') words='{string.Join(' ', values)}' ;;\n");
            }
            else if (CommandTree.ValueOf(option) is { } value)
            {
                script.Append(value.Contains("FILE", StringComparison.Ordinal)
                    ? $"    '{Path(node)}:{option.Name}') COMPREPLY=($(compgen -f -- \"${{COMP_WORDS[COMP_CWORD]}}\")); return ;;\n"
                    : $"    '{Path(node)}:{option.Name}') return ;;\n");
            }
        }

        script.Append("    *) case \"$path\" in\n");
        foreach (var node in CommandTree.All(root))
        {
            script.Append($"      '{Path(node)}') words='{string.Join(' ', WordsOf(root, node))}' ;;\n");
        }

        script.Append("    esac ;;\n  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n");
        script.Append("  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n");
        script.Append($"complete -F _mutualauth {CommandTree.Program}\n");
        return script.ToString();
    }

    private static string Path(CommandTree.Node node) => string.Concat(node.Words.Select(word => " " + word));

    private static string Fish(RootCommand root)
    {
        var script = new StringBuilder();
        script.Append("# The commands that were typed, without flags.\n");
        script.Append("function __mutualauth_at\n  set -l typed (string match -v -- '-*' (commandline -opc)[2..])\n  test (count $argv) -eq 0; and "
            + "test (count $typed) -eq 0; and return 0\n");
        script.Append("  test (count $argv) -gt 0; and test \"$typed[1..\"(count $argv)\"]\" = \"$argv\"\nend\n");
        foreach (var node in CommandTree.All(root))
        {
            var at = $"complete -c {CommandTree.Program} -n '__mutualauth_at{Path(node)}'";
            foreach (var command in node.Command.Subcommands)
            {
                script.Append($"{at} -f -a {command.Name} -d {Quoted(command.Description)}\n");
            }

            foreach (var word in node.Command.Arguments.SelectMany(CommandTree.Words))
            {
                script.Append($"{at} -f -a {word}\n");
            }

            foreach (var option in node.Options)
            {
                var values = CommandTree.Words(option) is [_, ..] words ? $" -x -a {Quoted(string.Join(' ', words))}"
                    : CommandTree.ValueOf(option) is not null ? " -r" : string.Empty;
                script.Append($"{at} -l {option.Name.TrimStart('-')}{values} -d {Quoted(option.Description)}\n");
            }
        }

        foreach (var option in root.Options.Where(option => option.Recursive))
        {
            script.Append($"complete -c {CommandTree.Program} -l {option.Name.TrimStart('-')} -d {Quoted(option.Description)}\n");
        }

        return script.ToString();
    }

    private static string Quoted(string? text) => $"'{text?.Replace("\\", "\\\\").Replace("'", "\\'")}'";

    private static string PowerShell(RootCommand root)
    {
        var script = new StringBuilder();
        script.Append($"Register-ArgumentCompleter -Native -CommandName {CommandTree.Program} -ScriptBlock {{\n  param($wordToComplete, "
            + $"$commandAst, $cursorPosition)\n");
        script.Append("  $table = @{\n");
        foreach (var node in CommandTree.All(root))
        {
            script.Append($"    '{string.Join(' ', node.Words)}' = '{string.Join(' ', WordsOf(root, node))}'\n");
        }

        script.Append("  }\n  $path = ''\n  foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {\n");
        script.Append("    $next = \"$path $element\".Trim()\n    if ($table.ContainsKey($next)) { $path = $next }\n  }\n");
        script.Append("  $table[$path].Split(' ') | Where-Object { $_ -like \"$wordToComplete*\" } |\n");
        script.Append("    ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }\n}\n");
        return script.ToString();
    }
}
