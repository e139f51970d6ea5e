namespace MutualAuth.Certificates;

/// <summary>Where text or a file of the operator's comes from, for messages.</summary>
/// <param name="Path">The file; null for text that the application gave.</param>
internal readonly record struct PemOrigin(string? Path)
{
    /// <summary>For the beginning of a sentence.</summary>
    internal string Source => Path is null ? "The text" : $"The file {Path}";

    /// <summary>For the middle of a sentence.</summary>
    internal string Name => Path is null ? "the text" : $"the file {Path}";

    /// <summary>What a command that converts it takes.</summary>
    internal string Argument => Path is null ? "FILE" : Path.Contains(' ', StringComparison.Ordinal) ? $"'{Path}'" : Path;
}
