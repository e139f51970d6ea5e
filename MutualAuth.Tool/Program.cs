// The command of MutualAuth.Tool. --help shows what it can do.
using MutualAuth.Samples;
using MutualAuth.Tool;

return await CommandLine.RunAsync(ToolCommands.Create(), args);
