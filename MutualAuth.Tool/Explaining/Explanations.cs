using System.Collections.Frozen;
using System.Globalization;
using System.Text.RegularExpressions;

namespace MutualAuth.Tool;

/// <summary>Every code of the library, read from the tables of the pages that document them.</summary>
internal static partial class Explanations
{
    private static readonly Lazy<FrozenDictionary<string, Explanation>> s_rejections = new(
        () => ReadRejections().DistinctBy(entry => entry.Code).ToFrozenDictionary(entry => entry.Code));

    private static readonly Lazy<FrozenDictionary<string, Explanation>> s_events = new(
        () => ReadEvents().DistinctBy(entry => entry.Code).ToFrozenDictionary(entry => entry.Code));

    private static readonly Lazy<FrozenDictionary<string, Explanation>> s_public = new(
        () => ReadPublicReasons().DistinctBy(entry => entry.Code).ToFrozenDictionary(entry => entry.Code));

    internal static IEnumerable<Explanation> Rejections => s_rejections.Value.Values;

    internal static IEnumerable<Explanation> Events => s_events.Value.Values;

    internal static IEnumerable<Explanation> PublicReasons => s_public.Value.Values;

    /// <summary>The explanation of a rejection.</summary>
    internal static Explanation? Of(RejectionReason reason) => s_rejections.Value.GetValueOrDefault(reason.ToCode());

    /// <summary>What a peer's public reason means for the one that was refused.</summary>
    internal static Explanation? Of(PublicReason reason) => s_public.Value.GetValueOrDefault(reason.ToCode());

    /// <summary>A code may be a rejection and a public reason at once: both are said.</summary>
    internal static IReadOnlyList<Explanation> Find(string text)
    {
        var code = text.Trim().Trim('`', '"', '\'', ':', '.', ',').ToLowerInvariant();
        if (int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return
            [
                .. Rejections.Where(entry => entry.Number == number),
                .. Events.Where(entry => entry.Number == number),
                .. PublicReasons.Where(entry => entry.Number == number),
            ];
        }

        // The names of the enumeration are codes as well: UnknownAuthority.
        var snake = CapitalLetter().Replace(text.Trim(), "_$0").TrimStart('_').ToLowerInvariant();
        return Both(code) is [_, ..] found ? found : Both(snake);
    }

    /// <summary>The codes and events that a log line names.</summary>
    internal static IReadOnlyList<Explanation> FindInLine(string line)
    {
        var found = new List<Explanation>();
        foreach (Match match in EventNumber().Matches(line))
        {
            found.AddRange(s_events.Value.TryGetValue($"event {match.Groups["number"].Value}", out var entry) ? [entry] : []);
        }

        foreach (Match match in Word().Matches(line))
        {
            // A word of plain English is a code only where it stands like one: unreachable, overloaded, refused.
            var isCode = match.Value.Contains('_') || IsMarked(line, match);
            found.AddRange(isCode ? Both(match.Value) : []);
        }

        return [.. found.DistinctBy(entry => (entry.Kind, entry.Code))];
    }

    private static bool IsMarked(string line, Match match)
    {
        var before = line.AsSpan(0, match.Index).TrimEnd(' ');
        var after = line.AsSpan(match.Index + match.Length);
        return before is [.., '=' or '"' or '\'' or '`'] || before.EndsWith("reason", StringComparison.OrdinalIgnoreCase)
            || after is [':', ..] || after.StartsWith(" (");
    }

    private static IReadOnlyList<Explanation> Both(string code) =>
    [
        .. s_rejections.Value.TryGetValue(code, out var rejection) ? [rejection] : Array.Empty<Explanation>(),
        .. s_public.Value.TryGetValue(code, out var reason) ? [reason] : Array.Empty<Explanation>(),
    ];

    private static IEnumerable<Explanation> ReadRejections() =>
        from row in Rows("rejections.md")
        where row.Length == 5
        let code = RejectionCell().Match(row[0])
        where code.Success
        select new Explanation(
            code.Groups["code"].Value,
            int.Parse(code.Groups["number"].Value, CultureInfo.InvariantCulture),
            "a rejection",
            Plain(row[1]),
            Plain(row[2]),
            Plain(row[3]),
            Plain(row[4]));

    private static IEnumerable<Explanation> ReadEvents() =>
        from row in Rows("telemetry.md")
        where row.Length == 4
        let number = EventCell().Match(row[0])
        where number.Success
        select new Explanation(
            $"event {number.Groups["number"].Value}",
            int.Parse(number.Groups["number"].Value, CultureInfo.InvariantCulture),
            $"the log event {Plain(row[1])}, {Plain(row[2])}",
            Plain(row[3]),
            string.Empty,
            string.Empty,
            string.Empty);

    /// <summary>What a peer says stands for several reasons of its own: they are the possible causes.</summary>
    private static IEnumerable<Explanation> ReadPublicReasons()
    {
        var rejections = ReadRejections().ToList();
        return
            from row in Rows("protocol.md")
            where row.Length == 3 && int.TryParse(row[0], NumberStyles.None, CultureInfo.InvariantCulture, out _)
            let code = Plain(row[1])
            where code.Length > 0 && code.All(character => char.IsAsciiLetterLower(character) || character == '_')
            let detailed = rejections.Where(entry => Word().Matches(entry.Told).Any(match => match.Value == code)).Select(entry => entry.Code)
                .ToList()
            select new Explanation(
                code,
                int.Parse(row[0], CultureInfo.InvariantCulture),
                "a public code: what a peer tells the one that it refuses",
                Plain(row[2]),
                detailed.Count == 0 ? string.Empty : $"in the peer's log one of {string.Join(", ", detailed)}",
                "look for the detailed reason in the peer's log, and explain that one",
                string.Empty);
    }

    /// <summary>The cells of each line that is a row of a table.</summary>
    private static IEnumerable<string[]> Rows(string page) => ToolResources.Read(page).Split('\n')
        .Where(line => line.StartsWith('|'))
        .Select(line => CellBorder().Split(line.Trim().Trim('|')).Select(cell => cell.Trim()).ToArray());

    private static string Plain(string markdown) =>
        Link().Replace(markdown, "$1").Replace("`", string.Empty).Replace("*", string.Empty).Replace("\\|", "|");

    [GeneratedRegex(@"^`(?<code>[a-z0-9_]+)` \((?<number>\d+)\)$")]
    private static partial Regex RejectionCell();

    [GeneratedRegex(@"^`(?<number>\d{4})`$")]
    private static partial Regex EventCell();

    [GeneratedRegex(@"(?<!\\)\|")]
    private static partial Regex CellBorder();

    [GeneratedRegex(@"\[([^\]]+)\]\([^)]*\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"(?<![A-Za-z0-9_])[a-z][a-z0-9]*(?:_[a-z0-9]+)*(?![A-Za-z0-9_])")]
    private static partial Regex Word();

    // "MutualAuth.Handshake[1001]" of the console logger, "EventId: 1001", "event_id":1001 and the like.
    [GeneratedRegex(@"(?:MutualAuth[A-Za-z.]*\[|[Ee]vent(?:[ _]?[Ii]d)?[""']?(?:\s*[:=]\s*|\s+)(?:\{\s*""Id""\s*:\s*)?[""']?)(?<number>\d{4})(?!\d)")]
    private static partial Regex EventNumber();

    [GeneratedRegex("[A-Z]")]
    private static partial Regex CapitalLetter();
}
