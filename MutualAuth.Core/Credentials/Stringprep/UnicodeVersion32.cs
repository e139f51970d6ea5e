using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace MutualAuth.Credentials;

/// <summary>
/// The tables of RFC 3454 and the normalization data of Unicode 3.2, read once, when the first string that is not ASCII needs them.
/// </summary>
/// <remarks>
/// The platform's own normalization is not used: under <c>InvariantGlobalization</c> it returns what is not ASCII unchanged and says nothing,
/// so that the same password would become two different keys on two hosts.
/// </remarks>
internal sealed class UnicodeVersion32
{
    private static readonly Lazy<UnicodeVersion32> s_instance = new(() => new UnicodeVersion32());

    private readonly Dictionary<string, (int First, int Last)[]> _tables = [];
    private readonly FrozenDictionary<int, int[]> _decompositions;
    private readonly FrozenDictionary<(int Starter, int Next), int> _compositions;
    private readonly FrozenDictionary<int, byte> _classes;

    private UnicodeVersion32()
    {
        var decompositions = new Dictionary<int, int[]>();
        var compositions = new Dictionary<(int, int), int>();
        var classes = new Dictionary<int, byte>();
        var section = string.Empty;
        using var reader = new StreamReader(
            typeof(UnicodeVersion32).Assembly.GetManifestResourceStream("MutualAuth.unicode-3.2.txt")!, Encoding.ASCII);
        while (reader.ReadLine() is { } line)
        {
            if (line is ['[', .. var name, ']'])
            {
                section = name;
            }
            else if (section == "decompositions")
            {
                ReadDecomposition(line, decompositions, compositions);
            }
            else if (section.StartsWith("class ", StringComparison.Ordinal))
            {
                var value = byte.Parse(section.AsSpan(6), CultureInfo.InvariantCulture);
                foreach (var (first, last) in ReadRanges(line))
                {
                    for (var code = first; code <= last; code++)
                    {
                        classes.Add(code, value);
                    }
                }
            }
            else if (section.Length > 0)
            {
                _tables.Add(section, [.. ReadRanges(line)]);
            }
        }

        _decompositions = decompositions.ToFrozenDictionary();
        _compositions = compositions.ToFrozenDictionary();
        _classes = classes.ToFrozenDictionary();
    }

    internal static UnicodeVersion32 Instance => s_instance.Value;

    internal bool IsUnassigned(Rune rune) => IsIn("unassigned A.1", rune.Value);

    internal bool IsMappedToNothing(Rune rune) => IsIn("nothing B.1", rune.Value);

    internal bool IsMappedToSpace(Rune rune) => IsIn("space C.1.2", rune.Value);

    internal bool IsProhibited(Rune rune) => IsIn("prohibited C", rune.Value);

    internal bool IsRightToLeft(Rune rune) => IsIn("right-to-left D.1", rune.Value);

    internal bool IsLeftToRight(Rune rune) => IsIn("left-to-right D.2", rune.Value);

    internal byte ClassOf(int code) => _classes.GetValueOrDefault(code);

    internal int[]? DecompositionOf(int code) => _decompositions.GetValueOrDefault(code);

    internal bool TryCompose(int starter, int next, out int composed) => _compositions.TryGetValue((starter, next), out composed);

    private bool IsIn(string table, int code)
    {
        var ranges = _tables[table];
        var (low, high) = (0, ranges.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (code < ranges[middle].First)
            {
                high = middle - 1;
            }
            else if (code > ranges[middle].Last)
            {
                low = middle + 1;
            }
            else
            {
                return true;
            }
        }

        return false;
    }

    private static void ReadDecomposition(string line, Dictionary<int, int[]> decompositions, Dictionary<(int, int), int> compositions)
    {
        var parts = line.Split(' ');
        var code = ReadCode(parts[0]);
        int[] mapping = [.. parts.AsSpan(2).ToArray().Select(part => ReadCode(part))];
        decompositions.Add(code, mapping);
        if (parts[1] == "=")
        {
            compositions.Add((mapping[0], mapping[1]), code);
        }
    }

    private static IEnumerable<(int First, int Last)> ReadRanges(string line)
    {
        foreach (var range in line.Split(' '))
        {
            var dash = range.IndexOf('-', StringComparison.Ordinal);
            yield return dash < 0 ? (ReadCode(range), ReadCode(range)) : (ReadCode(range.AsSpan(0, dash)), ReadCode(range.AsSpan(dash + 1)));
        }
    }

    private static int ReadCode(ReadOnlySpan<char> hex) => int.Parse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
