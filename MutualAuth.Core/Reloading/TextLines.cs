namespace MutualAuth.Reloading;

/// <summary>Configured text files with one entry per line; empty lines and lines that begin with # are ignored.</summary>
internal static class TextLines
{
    /// <summary>Reads each line that has an entry.</summary>
    /// <param name="text">The text.</param>
    /// <param name="source">Its origin, for the message.</param>
    /// <param name="read">Reads one line, trimmed; a format or argument error that it throws becomes the file's problem.</param>
    /// <exception cref="MaterialException">A line cannot be read; the message says which.</exception>
    internal static void Read(string text, string source, Action<string> read)
    {
        var number = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            number++;
            var content = line.TrimStart('\ufeff').Trim();
            if (content.IsEmpty || content[0] == '#')
            {
                continue;
            }

            try
            {
                read(content.ToString());
            }
            catch (Exception exception) when (exception is FormatException or ArgumentException)
            {
                throw new MaterialException($"{source}, line {number}: {exception.Message}", exception);
            }
        }
    }
}
