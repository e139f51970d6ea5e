using System.Diagnostics;
using System.Globalization;

namespace MutualAuth.Conformance.Differential;

/// <summary>Asks all implementations about many generated cases, and counts the classes of disagreement.</summary>
internal static class DifferentialCommand
{
    // So many at a time: enough that starting a program for them counts for nothing, few enough to keep.
    private const int Batch = 2000;

    internal static int Run(string[] options)
    {
        var count = Option(options, "--count", 1000);
        var seed = Option(options, "--seed", 1);
        var wanted = Array.IndexOf(options, "--with") is >= 0 and var at && at + 1 < options.Length ? options[at + 1].Split(',')
            : [.. Validators.Others.Select(other => other.Name)];
        var others = Validators.Others.Where(other => wanted.Contains(other.Name, StringComparer.OrdinalIgnoreCase)).ToList();
        var classes = new SortedDictionary<string, Kind>(StringComparer.Ordinal);
        var asked = others.ToDictionary(other => other.Name, _ => (Asked: 0, Accepted: 0));
        var accepted = 0;
        var began = Stopwatch.GetTimestamp();
        for (var first = seed; first < seed + count; first += Batch)
        {
            var cases = Enumerable.Range(first, Math.Min(Batch, seed + count - first)).AsParallel().AsOrdered().Select(CaseGenerator.Make).ToList();
            var ours = cases.Select(Validators.Ours).ToList();
            accepted += ours.Count(opinion => opinion.IsAccepted);
            foreach (var (name, ask) in others)
            {
                var theirs = ask(cases);
                var so = asked[name];
                asked[name] = (so.Asked + theirs.Count(opinion => opinion is not null),
                    so.Accepted + theirs.Count(opinion => opinion is { IsAccepted: true }));
                var disagree = cases.Select((generated, i) => (generated, ours[i], Theirs: theirs[i]))
                    .Where(each => each.Theirs is { } opinion && opinion.IsAccepted != each.Item2.IsAccepted)
                    .Select(each => (each.generated, each.Item2, each.Theirs!.Value))
                    .ToList();
                foreach (var (generated, found) in Disagreements.Classify(name, ask, disagree))
                {
                    classes[found.Class + found.Explanation] = classes.TryGetValue(found.Class + found.Explanation, out var known)
                        ? known with { Count = known.Count + 1 }
                        : new Kind(1, found, generated);
                }
            }
        }

        Print(count, accepted, Stopwatch.GetElapsedTime(began), asked, classes.Values);
        return asked.Values.Any(each => each.Asked == 0) || classes.Values.Any(each => each.Found.Explanation is null) ? 1 : 0;
    }

    private static void Print(int count, int accepted, TimeSpan time, Dictionary<string, (int Asked, int Accepted)> asked, IEnumerable<Kind> classes)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count} chains in {time.TotalSeconds:0} s, of which we accept {accepted}"));
        foreach (var (name, (times, theirs)) in asked)
        {
            Console.WriteLine(times > 0 ? $"  {name} was asked about {times}, and accepts {theirs}" : $"  {name} is not on this machine");
        }

        var unexplained = classes.Where(each => each.Found.Explanation is null).Sum(each => each.Count);
        Console.WriteLine($"{classes.Sum(each => each.Count)} disagreements, {unexplained} of them not explained:");
        foreach (var kind in classes)
        {
            Console.WriteLine($"{kind.Count,6}  {kind.Found.Class}");
            Console.WriteLine($"        {kind.Found.Explanation ?? "! NOT EXPLAINED"}");
            Console.WriteLine($"        first: seed {kind.First.Seed}: {kind.First.Story}");
        }
    }

    private static int Option(string[] options, string name, int otherwise) =>
        Array.IndexOf(options, name) is >= 0 and var at && at + 1 < options.Length
            ? int.Parse(options[at + 1], CultureInfo.InvariantCulture)
            : otherwise;

    private sealed record Kind(int Count, Disagreement Found, GeneratedCase First);
}
