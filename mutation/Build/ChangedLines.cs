using System.Globalization;
using System.Text.RegularExpressions;
using MutualAuth.Mutation.Mutants;

namespace MutualAuth.Mutation.Build;

/// <summary>The lines of MutualAuth.Core that differ from a revision, those that are not committed and files that are new included.</summary>
internal sealed partial class ChangedLines
{
    private readonly Dictionary<string, List<(int From, int To)>> _lines = new(StringComparer.Ordinal);

    private ChangedLines()
    {
    }

    internal static ChangedLines Since(string revision)
    {
        var changed = new ChangedLines();
        var file = string.Empty;
        var difference = Repository.Run(
            "git", "diff", "-U0", "--no-color", "--no-ext-diff", "--src-prefix=a/", "--dst-prefix=b/", revision, "--", "MutualAuth.Core");
        foreach (var line in difference.Split('\n'))
        {
            if (line.StartsWith("+++ b/", StringComparison.Ordinal))
            {
                file = line["+++ b/".Length..].TrimEnd('\t');
            }
            else if (Hunk().Match(line) is { Success: true } hunk)
            {
                var from = int.Parse(hunk.Groups[1].Value, CultureInfo.InvariantCulture);
                var count = hunk.Groups[2].Success ? int.Parse(hunk.Groups[2].Value, CultureInfo.InvariantCulture) : 1;
                changed.Add(file, from, from + count - 1);
            }
        }

        var untracked = Repository.Run("git", "ls-files", "--others", "--exclude-standard", "MutualAuth.Core");
        foreach (var added in untracked.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            changed.Add(added, 1, int.MaxValue);
        }

        return changed;
    }

    internal bool Has(Mutant mutant) =>
        _lines.TryGetValue(mutant.File, out var ranges) && ranges.Any(range => mutant.Line <= range.To && range.From <= mutant.LastLine);

    private void Add(string file, int from, int to)
    {
        if (to >= from)
        {
            (_lines.TryGetValue(file, out var ranges) ? ranges : _lines[file] = []).Add((from, to));
        }
    }

    [GeneratedRegex(@"^@@ -\S+ \+(\d+)(?:,(\d+))? @@")]
    private static partial Regex Hunk();
}
