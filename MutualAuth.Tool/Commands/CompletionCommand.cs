using System.CommandLine;

namespace MutualAuth.Tool;

/// <summary><c>completion SHELL</c>.</summary>
internal static class CompletionCommand
{
    internal static ToolCommand Create()
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh, fish or pwsh." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish", "pwsh");
        return new ToolCommand("completion", "Prints a script that completes commands and flags in a shell.")
        {
            Details = ["The script stands alone: it does not start the tool."],
            Examples =
            [
                "mutualauth completion bash > ~/.local/share/bash-completion/completions/mutualauth",
                "mutualauth completion fish > ~/.config/fish/completions/mutualauth.fish",
            ],
        }.With(shell).Does(arguments =>
        {
            var name = arguments.GetRequiredValue(shell);
            var script = Completions.Of(ToolCommands.Create(), name);
            Report.ToOutput(arguments).Line(script.TrimEnd(), ("shell", name), ("script", script));
            return 0;
        });
    }
}
