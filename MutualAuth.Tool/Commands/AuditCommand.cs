using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using MutualAuth.Audit;
using MutualAuth.Samples;

namespace MutualAuth.Tool;

/// <summary><c>audit</c>: what an auditor does with a trail.</summary>
internal static class AuditCommand
{
    private static readonly Argument<string> s_file = new("FILE") { Description = "The file of the trail; its state lies beside it." };

    internal static ToolCommand Create() => new ToolCommand("audit", "Begins and verifies audit trails.").With(Begin(), Verify());

    private static ToolCommand Begin()
    {
        var key = Key("The auditor's first key. Where there is no such file, a key is drawn and written, for its owner alone.");
        return new ToolCommand("begin", "Begins an audit trail with the auditor's first key.")
        {
            Details =
            [
                "Take the key away from the machine afterwards: who has it can make the whole trail again. The program that writes needs only FILE.",
            ],
            Examples = ["mutualauth audit begin audit.log --key audit.key"],
        }.With(s_file, key).Does(arguments =>
        {
            var (file, keyFile) = (arguments.GetRequiredValue(s_file), arguments.GetRequiredValue(key));
            var isNew = !File.Exists(keyFile);
            if (isNew)
            {
                Draw(keyFile);
            }

            var first = AuditTrail.ReadKey(keyFile);
            try
            {
                AuditTrail.Begin(file, first);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(first);
            }

            Report.ToOutput(arguments).Line(
                $"began {file}; keep {keyFile} where the machine cannot reach it", ("file", file), ("key", keyFile), ("key_is_new", isNew));
            return 0;
        });
    }

    private static ToolCommand Verify()
    {
        var key = Key("The auditor's first key, as 48 octets or 96 hexadecimal digits.");
        var atLeast = new Option<long>("--at-least")
        {
            HelpName = "N",
            Description = "How many entries an earlier verification has found. Given it, older copies of trail and state are detected. Default: 0.",
        };
        return new ToolCommand("verify", "Says whether an audit trail is as it was written, and which line is not.")
        {
            Details =
            [
                "It may be run while the trail is written. Keep the number of entries for the next time, away from the machine.",
                "A trail with an incomplete last line, as after a crash, is not intact until it is opened again.",
            ],
            Examples = ["mutualauth audit verify audit.log --key audit.key --at-least 4711"],
        }.With(s_file, key, atLeast).Does(arguments =>
        {
            var (file, least) = (arguments.GetRequiredValue(s_file), arguments.GetValue(atLeast));
            if (least < 0)
            {
                throw new UsageException($"--at-least: {least.ToString(CultureInfo.InvariantCulture)} is no number of entries.");
            }

            var first = AuditTrail.ReadKey(arguments.GetRequiredValue(key));
            try
            {
                return Tell(Report.ToOutput(arguments), file, AuditTrail.Verify(file, first, least));
            }
            finally
            {
                CryptographicOperations.ZeroMemory(first);
            }
        });
    }

    private static int Tell(Report report, string file, AuditVerification found)
    {
        if (found.Problem == AuditProblem.Unreadable)
        {
            throw new UsageException($"{file}: {found.Text}.");
        }

        // What is wrong is at the line after those that are intact; of a state, and of an end that is not proven, there is no line.
        long? line = found.Problem is null or AuditProblem.StateChanged or AuditProblem.EndNotProven ? null : found.Entries + 1;
        var at = line is { } number ? $", line {number.ToString(CultureInfo.InvariantCulture)}" : string.Empty;
        report.Line(
            $"{(found.IsIntact ? "intact" : "not intact")} {file}{at}: {found.Text}",
            ("file", file),
            ("verdict", found.IsIntact ? "intact" : "not_intact"),
            ("problem", CodeOf(found.Problem)),
            ("line", line),
            ("entries", found.Entries),
            ("sealed", found.IsSealed),
            ("unconfirmed", found.Unconfirmed),
            ("text", found.Text));
        return found.IsIntact ? 0 : CommandLine.Fail(HandshakeExit.PeerRejected, $"audit_{CodeOf(found.Problem)}", $"{file}{at}: {found.Text}.");
    }

    private static string? CodeOf(AuditProblem? problem) => problem is { } known ? RejectionCodes.ToSnakeCase(known.ToString()) : null;

    private static void Draw(string path)
    {
        var key = RandomNumberGenerator.GetBytes(AuditTrail.KeyLength);
        try
        {
            OwnerOnly.Create(path, System.Text.Encoding.ASCII.GetBytes($"{Convert.ToHexStringLower(key)}\n"));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--key: {path} cannot be written: {exception.Message}");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static Option<string> Key(string description) => new("--key") { Required = true, HelpName = "FILE", Description = description };
}
