// Breaks MutualAuth.Core in small ways, one at a time, and sees whether a test of MutualAuth.Core.Tests notices.
//   dotnet run -c Release --project mutation -- list [--room NAME]…                        how many mutants each room has, by what is changed
//   dotnet run -c Release --project mutation -- run [--room NAME]… [--count N] [--seed 1]  all of them, or N by the seed
//   dotnet run -c Release --project mutation -- changed [--base HEAD~1] [--minutes 3]      those on lines that differ from a revision
// README.md has the other options. Mutants/ finds and weaves, Build/ compiles, Tests/ runs, Reports/ reports.

using System.Globalization;
using MutualAuth.Mutation;
using MutualAuth.Mutation.Build;
using MutualAuth.Mutation.Tests;

try
{
    switch (args)
    {
        case ["worker", var mutants, var active]:
            return Worker.Serve(int.Parse(mutants, CultureInfo.InvariantCulture), int.Parse(active, CultureInfo.InvariantCulture));
        case ["list", .. var options]:
            var rooms = new Arguments(options).ChosenRooms();
            foreach (var group in Session.Find(CoreSources.Load(), rooms).GroupBy(mutant => (mutant.Room, mutant.Operator)))
            {
                Console.WriteLine($"{group.Key.Room} {group.Key.Operator} {group.Count()}");
            }

            return 0;
        case ["run", .. var options]:
            return await new Session(new Arguments(options)).RunAsync(_ => true);
        case ["changed", .. var options]:
            var arguments = new Arguments(options);
            var changed = ChangedLines.Since(arguments.Text("--base") ?? "HEAD~1");
            return await new Session(arguments).RunAsync(changed.Has);
    }
}
catch (ArgumentException exception)
{
    Console.Error.WriteLine(exception.Message);
}

Console.Error.WriteLine("usage: list|run|changed [--room NAME]… [--count N] [--seed N] [--minutes N] [--workers N] [--seconds-each N]");
Console.Error.WriteLine("                        [--base REV] [--at-least N] [--out FILE] [--recording FILE] [--no-build]");
return 2;
