using System.CommandLine;

namespace MutualAuth.Tool;

/// <summary>The one table of commands and flags: help, completion, manual pages and docs/tool.md are made from it.</summary>
internal static class ToolCommands
{
    /// <summary>What the process ends with.</summary>
    internal static IReadOnlyList<(int Code, string Meaning)> ExitCodes { get; } =
    [
        (0, "as asked"),
        (2, "usage, or material that cannot be read or used"),
        (10, "we would reject the peer, or an audit trail is not intact"),
        (11, "the peer rejected us"),
        (12, "no agreement: no TLS, no version, no application protocol in common, or the transport ended without a verdict"),
        (13, "timed out"),
        (14, "not reached"),
        (PlatformCommand.NotMet, "the platform does not meet what was required"),
        (130, "stopped by a signal"),
    ];

    internal static RootCommand Create()
    {
        var root = new RootCommand("Diagnoses mutual TLS, judges certificates, keeps users, and makes certificates for development.")
        {
            ProbeCommand.Create(),
            VerifyCommand.Create(),
            ExplainCommand.Create(),
            PinCommand.Create(),
            ConnectCommand.Create(),
            ServeCommand.Create(),
            UsersCommand.Create(),
            AuthorityCommand.Create(),
            ListsCommand.Create(),
            AuditCommand.Create(),
            ConfigCommand.Create(),
            PlatformCommand.Create(),
            CompletionCommand.Create(),
        };
        root.Options.Add(Report.Json);
        root.Options.Add(Report.NoColor);
        return root;
    }
}
