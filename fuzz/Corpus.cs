using System.Runtime.CompilerServices;

namespace MutualAuth.Fuzz;

/// <summary>The seeds of a target: the files beneath fuzz/corpus, found from where this source stood when it was built.</summary>
internal static class Corpus
{
    internal static List<byte[]> Load(string target, [CallerFilePath] string source = "")
    {
        var folder = Path.Combine(Path.GetDirectoryName(source)!, "corpus", target);
        var seeds = Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).Select(File.ReadAllBytes).ToList()
            : throw new DirectoryNotFoundException($"No seeds in {folder}.");
        return seeds.Count > 0 ? seeds : throw new FileNotFoundException($"No seeds in {folder}.");
    }
}
