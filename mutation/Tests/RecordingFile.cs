using System.Text.Json;
using MutualAuth.Mutation.Mutants;

namespace MutualAuth.Mutation.Tests;

/// <summary>Keeps what the tests reached from one run to the next, for the same mutants of the same code.</summary>
internal sealed class RecordingFile(string path, IReadOnlyList<Mutant> mutants)
{
    private readonly string[] _mutants = [.. mutants.Select(mutant => $"{mutant.Number} {mutant}")];

    /// <summary>What is known of each test; nothing, when the mutants are others.</summary>
    internal IReadOnlyList<TestEnd> Read() =>
        File.Exists(path) && JsonSerializer.Deserialize<Content>(File.ReadAllText(path)) is { } content && content.Mutants.SequenceEqual(_mutants)
            ? content.Tests : [];

    internal void Write(IEnumerable<TestEnd> tests) => File.WriteAllText(path, JsonSerializer.Serialize(new Content(_mutants, [.. tests])));

    private sealed record Content(string[] Mutants, TestEnd[] Tests);
}
