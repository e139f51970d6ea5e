using System.CommandLine;
using MutualAuth.Samples;
using MutualAuth.Tests.Support;
using MutualAuth.Tool;

namespace MutualAuth.Tests;

/// <summary>Help, completion, manual pages and docs/tool.md are of one source. MUTUALAUTH_WRITE_MANUAL=1 writes the pages anew.</summary>
public sealed class ManualTests
{
    private static readonly string s_manual = Path.Combine(Repository.Root, "MutualAuth.Tool", "man");

    [Test]
    public void The_page_is_the_one_that_the_table_of_commands_makes() =>
        Hold(Path.Combine(Repository.Root, "docs", "tool.md"), ManualPages.Markdown(ToolCommands.Create()));

    [Test]
    public void The_manual_pages_are_those_that_the_table_of_commands_makes()
    {
        var pages = ManualPages.All(ToolCommands.Create()).ToList();
        foreach (var (file, text) in pages)
        {
            Hold(Path.Combine(s_manual, file), text);
        }

        Directory.GetFiles(s_manual).Select(Path.GetFileName).Should().BeEquivalentTo(pages.Select(page => page.File));
    }

    [Test]
    public async Task Every_manual_page_is_read_by_man_without_a_warning()
    {
        var man = Support.Tool.FindFile("groff", "/usr/bin/groff");
        foreach (var (file, _) in ManualPages.All(ToolCommands.Create()))
        {
            var read = await EndedProgram.OfAsync(RunningProgram.Start(man, "-man", "-ww", "-Tascii", Path.Combine(s_manual, file)));
            (read.ExitCode, read.LastError).Should().Be((0, string.Empty), read.All);
        }
    }

    [TestCase("bash")]
    [TestCase("zsh")]
    [TestCase("fish")]
    [TestCase("pwsh")]
    public async Task Every_command_and_flag_is_completed(string shell)
    {
        var script = (await ToolRun.Of("completion", shell)).Output;

        foreach (var node in CommandTree.All(ToolCommands.Create()))
        {
            script.Should().Contain(node.Words.LastOrDefault("probe"));
            foreach (var option in node.Options)
            {
                script.Should().Contain(shell == "fish" ? $"-l {option.Name[2..]}" : option.Name);
            }
        }
    }

    [TestCase("", "pro", "probe")]
    [TestCase("probe", "--tru", "--trust")]
    [TestCase("probe 127.0.0.1:1", "--js", "--json")]
    [TestCase("users", "pass", "password")]
    [TestCase("users add alice", "--sto", "--store")]
    [TestCase("verify file.pem --role", "cl", "client")]
    [TestCase("ca revoke --reason", "key", "key_compromise")]
    [TestCase("completion", "pw", "pwsh")]
    public async Task Bash_completes(string before, string word, string completed)
    {
        var script = Completions.Of(ToolCommands.Create(), "bash");
        string[] words = ["mutualauth", .. before.Split(' ', StringSplitOptions.RemoveEmptyEntries), word];
        var ask = $"COMP_WORDS=({string.Join(' ', words)}); COMP_CWORD={words.Length - 1}; _mutualauth; echo \"${{COMPREPLY[*]}}\"";

        var shell = await EndedProgram.OfAsync(RunningProgram.Start(Support.Tool.Find("bash"), "--norc", "-c", $"{script}\n{ask}"));

        shell.Output.Should().Be(completed, shell.All);
    }

    [Test]
    public async Task A_shell_that_is_not_known_is_a_failure()
    {
        var run = await ToolRun.Of("completion", "cmd");

        (run.ExitCode, run.ErrorCode).Should().Be((2, "usage"), run.ToString());
    }

    [Test]
    public void Connect_has_the_flags_of_EchoClient_and_serve_those_of_EchoServer()
    {
        var root = ToolCommands.Create();

        Flags(root.Subcommands.Single(command => command.Name == "connect")).Should().Equal(Flags(new ClientFlags(new Command("client")).Command));
        Flags(root.Subcommands.Single(command => command.Name == "serve")).Should().Equal(Flags(new ServerFlags(new Command("server")).Command));
    }

    [Test]
    public void Every_command_that_does_something_has_an_example_and_every_flag_a_description()
    {
        foreach (var node in CommandTree.All(ToolCommands.Create()).Where(node => node.Command.Subcommands.Count == 0))
        {
            ((ToolCommand)node.Command).Examples.Should().NotBeEmpty(node.FullName).And.OnlyContain(line => line.Contains(node.FullName));
            node.Options.Select(option => option.Description).Should().NotContainNulls(node.FullName);
        }
    }

    [Test]
    public void Every_example_is_a_command_line_that_is_understood()
    {
        var root = ToolCommands.Create();
        var examples = CommandTree.All(root).Select(node => node.Command).OfType<ToolCommand>().SelectMany(command => command.Examples);

        foreach (var example in examples)
        {
            var line = example.Split(" | ")[^1].Split(" > ")[0].Split(" < ")[0];
            root.Parse(line["mutualauth ".Length..]).Errors.Should().BeEmpty(example);
        }
    }

    [Test]
    public async Task Where_the_output_is_no_terminal_there_are_no_colours() =>
        (await ToolRun.Of("explain", "unknown_ca")).Output.Should().NotContain("\e[");

    private static IEnumerable<string> Flags(Command command) => command.Options.Select(option => option.Name);

    private static void Hold(string path, string text)
    {
        if (Environment.GetEnvironmentVariable("MUTUALAUTH_WRITE_MANUAL") == "1")
        {
            File.WriteAllText(path, text);
        }

        File.ReadAllText(path).Should().Be(text, $"{path} is made; MUTUALAUTH_WRITE_MANUAL=1 makes it anew");
    }
}
