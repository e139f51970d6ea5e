using System.Globalization;

namespace MutualAuth.Conformance.Differential;

/// <summary>Asks all implementations about many generated cases, and counts the classes of disagreement.</summary>
internal static class DifferentialCommand
{
    internal static int Run(string[] options)
    {
        var count = Option(options, "--count", 1000);
        var seed = Option(options, "--seed", 1);
        var withOpenSsl = !options.Contains("--no-openssl");
        var classes = new SortedDictionary<string, (int Count, int Seed, string Story)>(StringComparer.Ordinal);
        var accepted = 0;
        for (var i = seed; i < seed + count; i++)
        {
            var generated = CaseGenerator.Make(i);
            var ours = Validators.Ours(generated);
            accepted += ours.IsAccepted ? 1 : 0;
            foreach (var (name, ask) in Validators.Others)
            {
                if ((withOpenSsl || name != "openssl") && ask(generated) is { } theirs && theirs.IsAccepted != ours.IsAccepted)
                {
                    Add(classes, generated, Disagreements.Classify(generated, ours, name, ask, theirs));
                }
            }
        }

        Console.WriteLine($"{count} cases, of which we accept {accepted}");
        foreach (var (name, (times, _, story)) in classes)
        {
            Console.WriteLine($"{times,6}  {name}\n        {story}");
        }

        return classes.Values.Any(each => each.Story.StartsWith('!')) ? 1 : 0;
    }

    private static void Add(SortedDictionary<string, (int Count, int Seed, string Story)> classes, GeneratedCase generated, Disagreement found)
    {
        var story = $"{(found.Explanation is null ? "! not explained" : found.Explanation)}; first: seed {generated.Seed}: {generated.Story}";
        classes[found.Class] = classes.TryGetValue(found.Class, out var known) ? known with { Count = known.Count + 1 } : (1, generated.Seed, story);
    }

    private static int Option(string[] options, string name, int otherwise) =>
        Array.IndexOf(options, name) is >= 0 and var at && at + 1 < options.Length ? int.Parse(options[at + 1], CultureInfo.InvariantCulture) : otherwise;
}
