namespace MutualAuth.Reloading;

/// <summary>Text files of our own that have one statement in a line; empty lines and lines that begin with # say nothing.</summary>
internal static class TextLines
{
    /// <summary>Reads each line that says something.</summary>
    /// <param name="text">The text.</param>
    /// <param name="source">Where it came from, for the message.</param>
    /// <param name="read">Reads one line, trimmed; what it throws as a format or argument error becomes the file's problem.</param>
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
