// Feeds the parsers that read what an unauthenticated peer sends. A target must return: any exception is a finding.
//   dotnet run -c Release --project fuzz -- TARGET --runs 100000 [--seed 1]     a bounded run of simple mutations over the corpus (what CI does)
//   dotnet run -c Release --project fuzz -- TARGET --afl                        one end of afl-fuzz, on an assembly that `sharpfuzz` has instrumented
// Targets: see Targets.cs. The corpus lies in fuzz/corpus/TARGET.

using System.Globalization;
using MutualAuth.Fuzz;
using SharpFuzz;

if (args.Length < 2 || !Targets.All.TryGetValue(args[0], out var target))
{
    Console.Error.WriteLine($"usage: TARGET (--runs N [--seed N] | --afl); targets: {string.Join(' ', Targets.All.Keys)}");
    return 2;
}

if (args[1] == "--afl")
{
    Fuzzer.OutOfProcess.Run(stream =>
    {
        using var input = new MemoryStream();
        stream.CopyTo(input);
        target(input.ToArray());
    });
    return 0;
}

var runs = int.Parse(args[2], CultureInfo.InvariantCulture);
var seed = args.Length > 4 ? int.Parse(args[4], CultureInfo.InvariantCulture) : 1;
var corpus = Corpus.Load(args[0]);
var random = new Random(seed);
for (var run = 0; run < runs; run++)
{
    var input = Mutator.Mutate(corpus, random);
    try
    {
        target(input);
    }
    catch (Exception exception)
    {
        Console.Error.WriteLine($"{args[0]}: run {run} of seed {seed} threw {exception}");
        Console.Error.WriteLine($"input: {Convert.ToHexString(input)}");
        return 1;
    }
}

Console.WriteLine($"{args[0]}: {runs} inputs from {corpus.Count} seeds, no exception");
return 0;
