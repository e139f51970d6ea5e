// Attacks the library as a whole, over loopback sockets, and says of each attack whether the library held. dotnet run -c Release --project stress --
// list the scenarios, and what each attacks dotnet run -c Release --project stress -- NAME [--seconds N] [--count N] one of them: the whole count of
// it, or so many, or what fits into the time dotnet run -c Release --project stress -- all [--seconds 120] all of them; they share the time Each
// prints one line: its name, "held" or "broken", and its figures. What had to be nought and was not stands first. README.md has the rest.

using MutualAuth.Stress;
using MutualAuth.Stress.Roles;

try
{
    switch (args)
    {
        case ["list"]:
            Commands.List();
            return 0;
        case ["all", .. var options]:
            return await Commands.AllAsync(new Arguments(options).Seconds(120));
        case ["inside", var name, .. var options]:
            var inside = new Arguments(options).Wish(30, null);
            return await Commands.InsideAsync(Scenarios.Named(name), inside.Time, inside.Count);
        case ["role", var role, .. var words]:
            return await Role.PlayAsync(role, words);
        case [var name, .. var options]:
            var scenario = Scenarios.Named(name);
            var wish = new Arguments(options).Wish(scenario.Seconds, scenario.Whole);
            return wish.Count is null || scenario.Whole is not null
                ? await Commands.OneAsync(scenario, wish.Time, wish.Count)
                : throw new ArgumentException($"{name} counts nothing: it has no --count.");
    }
}
catch (ArgumentException exception)
{
    Console.Error.WriteLine(exception.Message);
}

Console.Error.WriteLine("usage: list | NAME [--seconds N] [--count N] | all [--seconds N]");
return 2;
