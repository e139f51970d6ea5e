using System.Globalization;

namespace MutualAuth.Stress;

/// <summary>What a scenario counts: plain counts, faults (which must stay at nought) and notes. Safe for use from many threads.</summary>
internal sealed class Figures
{
    private readonly Lock _lock = new();
    private readonly OrderedDictionary<string, long> _counts = [];
    private readonly OrderedDictionary<string, long> _faults = [];
    private readonly OrderedDictionary<string, string> _notes = [];

    internal bool Held
    {
        get
        {
            lock (_lock)
            {
                return _faults.Values.All(count => count == 0);
            }
        }
    }

    internal void Count(string what, long by = 1) => Add(_counts, what, by);

    internal long Of(string what)
    {
        lock (_lock)
        {
            return _counts.GetValueOrDefault(what);
        }
    }

    /// <summary>Names what must not happen, so that the line shows that it was looked for.</summary>
    internal void Forbid(params ReadOnlySpan<string> faults)
    {
        foreach (var fault in faults)
        {
            Add(_faults, fault, 0);
        }
    }

    internal void Fault(string what, long by = 1) => Add(_faults, what, by);

    /// <summary>A fault unless a condition holds.</summary>
    internal void RequiredCheck(bool condition, string otherwise) => Add(_faults, otherwise, condition ? 0 : 1);

    internal void Note(string what, string value)
    {
        lock (_lock)
        {
            _notes[what] = value.ReplaceLineEndings(" ").Replace(',', ';');
        }
    }

    /// <summary>Adds what another process counted.</summary>
    internal void Add(Figures other)
    {
        foreach (var (what, by) in other._counts)
        {
            Count(what, by);
        }

        foreach (var (what, by) in other._faults)
        {
            Fault(what, by);
        }

        foreach (var (what, value) in other._notes)
        {
            Note(what, value);
        }
    }

    /// <summary>A line for each figure, for the process that started this one.</summary>
    internal IEnumerable<string> ToLines()
    {
        lock (_lock)
        {
            return
            [
                .. _counts.Select(pair => string.Create(CultureInfo.InvariantCulture, $"count\t{pair.Key}\t{pair.Value}")),
                .. _faults.Select(pair => string.Create(CultureInfo.InvariantCulture, $"fault\t{pair.Key}\t{pair.Value}")),
                .. _notes.Select(pair => $"note\t{pair.Key}\t{pair.Value}"),
            ];
        }
    }

    internal static Figures FromLines(IEnumerable<string> lines)
    {
        var figures = new Figures();
        foreach (var line in lines)
        {
            if (line.Split('\t') is [var kind, var what, var value])
            {
                switch (kind)
                {
                    case "count":
                        figures.Count(what, long.Parse(value, CultureInfo.InvariantCulture));
                        break;
                    case "fault":
                        figures.Fault(what, long.Parse(value, CultureInfo.InvariantCulture));
                        break;
                    default:
                        figures.Note(what, value);
                        break;
                }
            }
        }

        return figures;
    }

    /// <summary>The figures of the line that is printed: what went wrong, what was counted, what was looked for and did not happen.</summary>
    public override string ToString()
    {
        lock (_lock)
        {
            var wrong = _faults.Where(pair => pair.Value != 0).Select(
                pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Value} {pair.Key}!"));
            var counted = _counts.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Value} {pair.Key}"));
            var noted = _notes.Select(pair => $"{pair.Key} {pair.Value}");
            var right = _faults.Where(pair => pair.Value == 0).Select(pair => $"0 {pair.Key}");
            return string.Join(", ", wrong.Concat(counted).Concat(noted).Concat(right));
        }
    }

    private void Add(OrderedDictionary<string, long> to, string what, long by)
    {
        lock (_lock)
        {
            to[what] = to.GetValueOrDefault(what) + by;
        }
    }
}
