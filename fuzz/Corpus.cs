namespace MutualAuth.Fuzz;

/// <summary>The seeds of a target: the files of fuzz/corpus/TARGET, which the build puts beside the program.</summary>
internal static class Corpus
{
    internal static List<byte[]> Load(string target)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "corpus", target);
        var seeds = Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).Select(File.ReadAllBytes).ToList()
            : throw new DirectoryNotFoundException($"No seeds in {folder}.");
        return seeds.Count > 0 ? seeds : throw new FileNotFoundException($"No seeds in {folder}.");
    }
}
