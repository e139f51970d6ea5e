// Attacks the library as a whole, over loopback sockets, and says of each attack whether the library held.
//   dotnet run -c Release --project stress -- list                    the scenarios, and what each attacks
//   dotnet run -c Release --project stress -- NAME [--seconds N]      one of them
//   dotnet run -c Release --project stress -- all [--seconds 120]     all of them; they share the time
// Each prints one line: its name, "held" or "broken", and its figures. What had to be nought and was not stands first. README.md has the rest.

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
            return await Commands.InsideAsync(Scenarios.Named(name), new Arguments(options).Seconds(30));
        case ["role", var role, .. var words]:
            return await Role.PlayAsync(role, words);
        case [var name, .. var options]:
            var scenario = Scenarios.Named(name);
            return await Commands.OneAsync(scenario, new Arguments(options).Seconds(scenario.Seconds));
    }
}
catch (ArgumentException exception)
{
    Console.Error.WriteLine(exception.Message);
}

Console.Error.WriteLine("usage: list | NAME [--seconds N] | all [--seconds N]");
return 2;
