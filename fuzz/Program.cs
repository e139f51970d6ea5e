// Feeds the readers of what an unauthenticated peer sends, and holds each to two things: it returns, and it costs no more than its ceiling. dotnet
// run -c Release --project fuzz -- replay [TARGET] every input that is kept, once dotnet run -c Release --project fuzz -- mutate [TARGET] [--seconds
// 120] [--seed 1] simple mutations of them; the targets share the time dotnet run -c Release --project fuzz -- dearest-of TARGET FOLDER the input of
// a folder that costs most, and what it costs dotnet run -c Release --project fuzz -- dearest [FILE] [--seconds 60] [--seed 1] the list of
// certificates that costs most to judge, against an honest one fuzz/afl.sh TARGET SECONDS guided by coverage (SharpFuzz, AFL++), from the corpus on
// Targets: see Targets.cs. Commands: see Commands/. The corpus lies in fuzz/corpus/TARGET.

using MutualAuth.Fuzz;
using MutualAuth.Fuzz.Commands;

SortedDictionary<string, Func<Arguments, int>> commands = new(StringComparer.Ordinal)
{
    ["afl"] = AflCommand.Run,
    ["dearest"] = DearestCommand.Run,
    ["dearest-of"] = DearestOfCommand.Run,
    ["distil"] = DistilCommand.Run,
    ["mutate"] = MutateCommand.Run,
    ["replay"] = ReplayCommand.Run,
};

try
{
    if (args.Length > 0 && commands.TryGetValue(args[0], out var command))
    {
        return command(new Arguments(args.AsSpan(1)));
    }
}
catch (ArgumentException exception)
{
    Console.Error.WriteLine(exception.Message);
}

Console.Error.WriteLine($"usage: {string.Join('|', commands.Keys)} [TARGET] …; targets: {string.Join(' ', Targets.All.Keys)}");
return 2;
