using System.Globalization;

namespace MutualAuth.Mutation;

/// <summary>What stands on the command line after the command.</summary>
internal sealed class Arguments
{
    private static readonly string[] s_flags = ["--no-build"];
    private static readonly string[] s_known =
    [
        "--room", "--count", "--seed", "--minutes", "--workers", "--seconds-each", "--out", "--base", "--at-least", "--recording",
    ];

    private readonly List<(string Option, string Value)> _options = [];

    internal Arguments(ReadOnlySpan<string> arguments)
    {
        for (var at = 0; at < arguments.Length; at++)
        {
            if (s_flags.Contains(arguments[at]))
            {
                _options.Add((arguments[at], string.Empty));
            }
            else if (s_known.Contains(arguments[at]) && at + 1 < arguments.Length)
            {
                _options.Add((arguments[at], arguments[++at]));
            }
            else
            {
                throw new ArgumentException($"'{arguments[at]}' is not understood, or has no value.");
            }
        }
    }

    internal bool Has(string option) => _options.Any(given => given.Option == option);

    internal string? Text(string option) => _options.LastOrDefault(given => given.Option == option).Value;

    internal int? Number(string option) => Text(option) switch
    {
        null => null,
        var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => number,
        var text => throw new ArgumentException($"{option} needs a number; it is '{text}'."),
    };

    /// <summary>The rooms that are named; where none is, all of them.</summary>
    internal IReadOnlyList<string> ChosenRooms()
    {
        string[] named = [.. _options.Where(given => given.Option == "--room").Select(given => given.Value)];
        return named.Except(Rooms.All).FirstOrDefault() is { } unknown
            ? throw new ArgumentException($"There is no room {unknown}; there are {string.Join(' ', Rooms.All)}.")
            : named.Length > 0 ? named : Rooms.All;
    }
}
