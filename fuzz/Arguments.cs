using System.Globalization;

namespace MutualAuth.Fuzz;

/// <summary>What stands on the command line after the command: words, and options with a number.</summary>
internal sealed class Arguments
{
    private readonly List<string> _words = [];
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);

    internal Arguments(ReadOnlySpan<string> arguments)
    {
        for (var at = 0; at < arguments.Length; at++)
        {
            if (!arguments[at].StartsWith("--", StringComparison.Ordinal))
            {
                _words.Add(arguments[at]);
            }
            else if (at + 1 < arguments.Length && int.TryParse(arguments[at + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                _numbers[arguments[at++]] = number;
            }
            else
            {
                throw new ArgumentException($"{arguments[at]} needs a number.");
            }
        }
    }

    internal int Number(string option, int otherwise) => _numbers.GetValueOrDefault(option, otherwise);

    internal string Word(int index, string what) => index < _words.Count ? _words[index] : throw new ArgumentException($"{what} is missing.");

    internal string? OptionalWord(int index) => index < _words.Count ? _words[index] : null;

    /// <summary>The target that is named; where none is, all of them.</summary>
    internal IReadOnlyList<FuzzTarget> Targets() => _words.Count == 0 ? [.. Fuzz.Targets.All.Values] : [Target()];

    internal FuzzTarget Target()
    {
        var name = Word(0, "The target");
        return Fuzz.Targets.All.TryGetValue(name, out var target) ? target : throw new ArgumentException($"There is no target {name}.");
    }
}
