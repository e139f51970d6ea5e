namespace MutualAuth.Fuzz.Commands;

/// <summary>
/// Fills a folder, from itself and another, with few and short inputs that take every edge which all of them take.
/// On instrumented code: fuzz/afl.sh starts it.
/// </summary>
internal static class DistilCommand
{
    internal static int Run(Arguments arguments)
    {
        var target = arguments.Target();
        var into = arguments.Word(1, "The folder to fill");
        var from = arguments.Word(2, "The folder to take from");
        List<byte[]> inputs = [.. Corpus.Read(into).Concat(Corpus.Read(from)).Select(file => file.Content)];
        inputs.ForEach(input => Instrumented.EdgesOf(target, input)); // what is done once only is no input's own
        var taken = new HashSet<int>();
        var kept = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var input in inputs.Where(input => input.Length <= target.MaxLength).OrderBy(input => input.Length))
        {
            var edges = Instrumented.EdgesOf(target, input);
            if (!edges.IsSubsetOf(taken))
            {
                taken.UnionWith(edges);
                kept[Corpus.NameOf(input)] = input;
            }
        }

        foreach (var superseded in Directory.EnumerateFiles(into).Select(
            file => Path.GetFileName(file)!).Where(name => IsOurs(name) && !kept.ContainsKey(name)))
        {
            File.Delete(Path.Combine(into, superseded));
        }

        var named = Corpus.Read(into).Select(file => Corpus.NameOf(file.Content)).ToHashSet(StringComparer.Ordinal);
        foreach (var (name, input) in kept.Where(pair => !named.Contains(pair.Key)))
        {
            File.WriteAllBytes(Path.Combine(into, name), input);
        }

        Console.WriteLine($"{target.Name}: {kept.Count} of {inputs.Count} inputs take all {taken.Count} edges (counted by magnitude)");
        return 0;
    }

    /// <summary>Inputs that somebody has named are kept, whatever edges they take.</summary>
    private static bool IsOurs(string name) => name.Length == 16 && name.All(char.IsAsciiHexDigitLower);
}
