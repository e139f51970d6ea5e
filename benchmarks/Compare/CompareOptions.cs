using System.Globalization;

namespace MutualAuth.Benchmarks.Compare;

/// <summary>How much to measure, and of what.</summary>
internal sealed record CompareOptions
{
    internal const string Help =
        "compare [--rounds N] [--handshakes N] [--tls 1.2|1.3] [--keys ec|rsa] [--part servers|clients|resumed|streams|http] [--only NAME…] "
            + "[--peers FOLDER] [--small]";

    internal int Rounds { get; private init; } = 10;

    internal int Handshakes { get; private init; } = 300;

    internal string? Tls { get; private init; }

    internal string? Keys { get; private init; }

    internal string? Part { get; private init; }

    /// <summary>Where servers in other languages are kept: built when they are not there, and taken as they are when they are.</summary>
    internal string? Peers { get; private init; }

    internal IReadOnlyList<string> Only { get; private init; } = [];

    /// <summary>Enough to see that everything still runs, and too little to mean anything.</summary>
    internal bool IsSmall { get; private init; }

    internal static CompareOptions Parse(ReadOnlySpan<string> words)
    {
        var options = new CompareOptions();
        var only = new List<string>();
        for (var at = 0; at < words.Length; at++)
        {
            options = words[at] switch
            {
                "--rounds" => options with { Rounds = Number(words, ++at) },
                "--handshakes" => options with { Handshakes = Number(words, ++at) },
                "--tls" => options with { Tls = Word(words, ++at) },
                "--keys" => options with { Keys = Word(words, ++at) },
                "--part" => options with { Part = Word(words, ++at) },
                "--peers" => options with { Peers = Word(words, ++at) },
                "--small" => options with { IsSmall = true, Rounds = 1, Handshakes = 20 },
                "--only" => options,
                var name when at > 0 && !name.StartsWith('-') => Add(name),
                var unknown => throw new ArgumentException($"Unknown: {unknown}. {Help}"),
            };
        }

        return options with { Only = only };

        CompareOptions Add(string name)
        {
            only.Add(name);
            return options;
        }
    }

    internal bool Wants(string name) => Only.Count == 0 || Only.Contains(name, StringComparer.OrdinalIgnoreCase);

    private static string Word(ReadOnlySpan<string> words, int at) =>
        at < words.Length ? words[at] : throw new ArgumentException($"{words[at - 1]} needs a value. {Help}");

    private static int Number(ReadOnlySpan<string> words, int at) => int.Parse(Word(words, at), CultureInfo.InvariantCulture);
}
