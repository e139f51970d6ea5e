using System.CommandLine;
using System.Globalization;
using System.Text;
using MutualAuth.Revocation;
using MutualAuth.Samples;

namespace MutualAuth.Tool;

/// <summary><c>lists FILE…</c>: what revocation lists and deny lists say.</summary>
internal static class ListsCommand
{
    internal static ToolCommand Create()
    {
        var files = new Argument<string[]>("FILE")
        { Arity = ArgumentArity.OneOrMore, Description = "Revocation lists in PEM or DER, or deny lists: serial, key and certificate lines." };
        return new ToolCommand("lists", "Says what revocation lists and deny lists say.")
        {
            Details = ["Signatures are not verified here: a handshake verifies them with the authority's key, and 'verify --crl' does too."],
            Examples = ["mutualauth lists authority.crl denied.txt"],
        }.With(files).Does(arguments =>
        {
            var report = Report.ToOutput(arguments);
            foreach (var file in arguments.GetRequiredValue(files))
            {
                Tell(report, file);
            }

            return 0;
        });
    }

    private static void Tell(Report report, string file)
    {
        var bytes = Material.Read(file);
        if (bytes is [0x30, ..] || Encoding.Latin1.GetString(bytes).Contains("-----BEGIN ", StringComparison.Ordinal))
        {
            foreach (var (list, entries) in RevocationLists.FromFiles(file).Lists.Zip(RevokedEntries.OfFile(bytes)))
            {
                Tell(report, file, list, entries);
            }

            return;
        }

        var denied = DenyList.FromFile(file);
        report.Line(
            $"{file}: a deny list with {Count(denied.Entries.Length, "entry", "entries")}",
            ("file", file), ("kind", "deny_list"), ("entries", denied.Entries.Length));
        foreach (var entry in denied.Entries)
        {
            report.Line($"  {entry}", ("file", file), ("kind", "denied"), ("entry", entry.ToString()));
        }
    }

    private static void Tell(Report report, string file, RevocationList list, IReadOnlyList<RevokedEntries.Entry> entries)
    {
        var now = TimeProvider.System.GetUtcNow();
        var state = list.NextUpdate < now ? "out of date" : list.ThisUpdate > now ? "not yet valid" : "current";
        report.Line(
            $"{file}: a {(list.IsDelta ? "delta " : string.Empty)}revocation list of {list.Issuer}, {state}\n  number    {list.Number ?? "none"}\n"
                + $"  issued    {Utc(list.ThisUpdate)}\n  next      {(list.NextUpdate is { } next ? Utc(next) : "not said")}\n  revoked   "
                    + $"{list.Count}",
            ("file", file),
            ("kind", list.IsDelta ? "delta_revocation_list" : "revocation_list"),
            ("issuer", list.Issuer.ToString()),
            ("number", list.Number),
            ("this_update", list.ThisUpdate),
            ("next_update", list.NextUpdate),
            ("state", state),
            ("revoked", list.Count));
        foreach (var entry in entries)
        {
            report.Line(
                $"  {entry.Serial} {Utc(entry.At)} {entry.Reason}",
                ("file", file), ("kind", "revoked"), ("serial", entry.Serial), ("at", entry.At), ("reason", entry.Reason));
        }
    }

    private static string Count(int count, string one, string several) => $"{count} {(count == 1 ? one : several)}";

    private static string Utc(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
