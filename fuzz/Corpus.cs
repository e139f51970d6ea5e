using System.Security.Cryptography;

namespace MutualAuth.Fuzz;

/// <summary>The inputs that are kept for a target: the files of fuzz/corpus/TARGET, which the build puts beside the program.</summary>
internal static class Corpus
{
    internal static List<byte[]> Load(FuzzTarget target)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "corpus", target.Name);
        var inputs = Directory.Exists(folder)
            ? Read(folder).Select(file => file.Content).ToList()
            : throw new DirectoryNotFoundException($"No inputs in {folder}.");
        return inputs.Count > 0 ? inputs : throw new FileNotFoundException($"No inputs in {folder}.");
    }

    internal static IEnumerable<(string Name, byte[] Content)> Read(string folder) =>
        Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).Select(file => (Path.GetFileName(file), File.ReadAllBytes(file)));

    /// <summary>Equal inputs have equal names, so that nothing is kept twice.</summary>
    internal static string NameOf(byte[] input) => Convert.ToHexStringLower(SHA256.HashData(input).AsSpan(0, 8));
}
