using System.CommandLine;
using MutualAuth.Samples;

namespace MutualAuth.Tool;

/// <summary><c>explain CODE</c>, and <c>explain -</c> for log lines.</summary>
internal static class ExplainCommand
{
    private const int MaxLines = 100_000;

    private static readonly Argument<string> s_code = new("CODE")
    {
        Description = "A code such as unknown_authority or 304, a public code such as unknown_ca, the number of a log event, or - for log lines on "
        + "stdin."
    };

    internal static ToolCommand Create() =>
        new ToolCommand("explain", "Says what a code or a log line means, what usually causes it, and what to do.")
        {
            Details =
        [
            "It needs no network: it has the tables of docs/reference/rejections.md, docs/reference/telemetry.md and docs/protocol.md.",
            "With - every line of stdin is searched for codes and for events of the library; each of them is explained once.",
        ],
            Examples = ["mutualauth explain wrong_usage", "journalctl -u inventory | mutualauth explain -"],
        }.With(s_code).Does(RunAsync);

    private static async Task<int> RunAsync(ParseResult arguments, CancellationToken stop)
    {
        var report = Report.ToOutput(arguments);
        var code = arguments.GetRequiredValue(s_code);
        if (code != "-")
        {
            if (Explanations.Find(code) is not [_, ..] found)
            {
                return CommandLine.Fail(
                    CommandLine.UsageExitCode,
                    "unknown_code",
                    $"'{CommandLine.Token(code)}' is no code of the library. Codes look like unknown_authority; a whole log line goes to 'explain "
                        + $"-'.");
            }

            Print(report, found);
            return 0;
        }

        var explained = new HashSet<string>();
        for (var lines = 0; lines < MaxLines && await Console.In.ReadLineAsync(stop) is { } line; lines++)
        {
            Print(report, [.. Explanations.FindInLine(line).Where(entry => explained.Add(entry.Code))]);
        }

        return explained.Count > 0
            ? 0
            : CommandLine.Fail(
                CommandLine.UsageExitCode, "unknown_code", "No line has a code of the library. Rejections have one, such as unknown_authority.");
    }

    private static void Print(Report report, IReadOnlyList<Explanation> entries)
    {
        foreach (var entry in entries)
        {
            var facts = entry.ToFacts();
            report.Line(
                string.Join('\n', facts.Where(fact => fact.Value.Length > 0)
                    .Select((fact, at) => at == 0 ? fact.Value : $"  {fact.Label,-9} {fact.Value}")),
                [.. facts.Select(fact => (fact.Name, (object?)fact.Value))]);
        }
    }
}
