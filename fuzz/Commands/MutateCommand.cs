using System.Diagnostics;

namespace MutualAuth.Fuzz.Commands;

/// <summary>Simple mutations of what is kept, for a while. The time is shared out among the targets.</summary>
internal static class MutateCommand
{
    internal static int Run(Arguments arguments)
    {
        var targets = arguments.Targets();
        var share = TimeSpan.FromSeconds(arguments.Number("--seconds", 120)) / targets.Count;
        var seed = arguments.Number("--seed", 1);
        return targets.All(target => Mutate(target, share, seed)) ? 0 : 1;
    }

    private static bool Mutate(FuzzTarget target, TimeSpan share, int seed)
    {
        var corpus = Corpus.Load(target);
        var random = new Random(seed);
        var dearest = Array.Empty<byte>();
        var most = default(Cost);
        var began = Stopwatch.GetTimestamp();
        var runs = 0;
        for (; Stopwatch.GetElapsedTime(began) < share; runs++)
        {
            var input = Mutator.Mutate(corpus, random);
            if (Finding.Of(target, input, out var cost) is not null)
            {
                return false;
            }

            if (cost.Time > most.Time)
            {
                // A pause of the machine's is no cost: it must be as dear a second time.
                cost = Cost.Least(cost, Cost.Of(target.Read, input));
                (dearest, most) = cost.Time > most.Time ? (input, cost) : (dearest, most);
            }
        }

        Console.WriteLine($"{target.Name}: {runs} inputs from {corpus.Count}, seed {seed}; the dearest, {dearest.Length} octets, cost {most}");
        return true;
    }
}
