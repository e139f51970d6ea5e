// The command mutualauth. What it can do, and its exit codes: mutualauth --help.
using MutualAuth.Samples;
using MutualAuth.Tool;

return await CommandLine.RunAsync(ToolCommands.Create(), args);
