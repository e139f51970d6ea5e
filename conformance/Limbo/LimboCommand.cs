using System.Text.Json;

namespace MutualAuth.Conformance.Limbo;

/// <summary>The command that runs a whole file and prints the score.</summary>
internal static class LimboCommand
{
    internal static int Run(string file, string[] options)
    {
        var results = LimboFile.Read(file).Testcases.Select(LimboRunner.Run).ToList();
        foreach (var group in results.GroupBy(result => result.Case.Namespace).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            Console.WriteLine($"{group.Key} {Score(group)}");
        }

        var mismatches = results.Where(result => result is { Accepted: not null, IsRight: false }).ToList();
        foreach (var mismatch in mismatches)
        {
            Console.WriteLine(
                $"{mismatch.Case.Id} {mismatch.Case.ExpectedResult} {(mismatch.Accepted == true ? "SUCCESS" : "FAILURE")} "
                    + $"{mismatch.Reason ?? "accepted"}");
        }

        if (options.Contains("--verbose"))
        {
            results.ForEach(result => Console.WriteLine($"  {result.Case.Id}: {result.Detail ?? "accepted"}"));
        }

        Console.WriteLine($"total {Score(results)}");
        if (Array.IndexOf(options, "--out") is >= 0 and var at && at + 1 < options.Length)
        {
            Write(options[at + 1], results);
        }

        return mismatches.Count == 0 ? 0 : 1;
    }

    private static string Score(IEnumerable<LimboResult> results)
    {
        var all = results.ToList();
        var skipped = all.Count(result => result.Accepted is null);
        var right = all.Count(result => result.IsRight);
        return $"pass {right} fail {all.Count - right - skipped} skip {skipped}";
    }

    private static void Write(string path, IEnumerable<LimboResult> results)
    {
        using var file = File.Create(path);
        using var writer = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true });
        writer.WriteStartArray();
        foreach (var result in results)
        {
            writer.WriteStartObject();
            writer.WriteString("id", result.Case.Id);
            writer.WriteString("expected_result", result.Case.ExpectedResult);
            writer.WriteString("actual_result", result.Accepted switch { true => "SUCCESS", false => "FAILURE", null => "SKIPPED" });
            writer.WriteString("reason", result.Reason);
            writer.WriteString("context", result.Detail);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
