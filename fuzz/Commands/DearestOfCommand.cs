namespace MutualAuth.Fuzz.Commands;

/// <summary>Which input of a folder costs most, by the least of several runs of each.</summary>
internal static class DearestOfCommand
{
    private const int Runs = 20;

    internal static int Run(Arguments arguments)
    {
        var target = arguments.Target();
        var costs = Corpus.Read(arguments.Word(1, "The folder"))
            .Where(file => file.Content.Length <= target.MaxLength)
            .Select(file => (file.Name, file.Content.Length, Cost: Least(target, file.Content)))
            .ToList();
        if (costs.Count == 0)
        {
            throw new ArgumentException("The folder is empty.");
        }

        var slowest = costs.MaxBy(cost => cost.Cost.Time);
        var largest = costs.MaxBy(cost => cost.Cost.Allocated);
        Console.WriteLine($"{target.Name}: {costs.Count} inputs");
        Console.WriteLine($"  slowest {slowest.Name}, {slowest.Length} octets: {slowest.Cost}; it may cost {target.Ceiling.For(slowest.Length)}");
        Console.WriteLine($"  largest {largest.Name}, {largest.Length} octets: {largest.Cost}; it may cost {target.Ceiling.For(largest.Length)}");
        return 0;
    }

    private static Cost Least(FuzzTarget target, byte[] input)
    {
        var cost = Cost.Of(target.Read, input);
        for (var run = 1; run < Runs; run++)
        {
            cost = Cost.Least(cost, Cost.Of(target.Read, input));
        }

        return cost;
    }
}
