using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Docs;

/// <summary>The fenced blocks of a page, by the heading under which they stand.</summary>
internal static class PageBlocks
{
    /// <summary>The blocks in this language under this heading, down to the next heading of the same level.</summary>
    internal static IReadOnlyList<string> Of(string page, string heading, string language)
    {
        var blocks = new List<string>();
        var lines = new List<string>();
        var (isUnder, fence) = (false, (string?)null);
        foreach (var line in File.ReadLines(Path.Combine(Repository.Root, page)))
        {
            if (fence is null && line.StartsWith("## ", StringComparison.Ordinal))
            {
                isUnder = line[3..] == heading;
            }
            else if (fence is null && line.TrimStart().StartsWith("```", StringComparison.Ordinal))
            {
                fence = line.Trim()[3..];
                lines.Clear();
            }
            else if (fence is not null && line.Trim() == "```")
            {
                if (isUnder && fence == language)
                {
                    blocks.Add(string.Join('\n', lines) + "\n");
                }

                fence = null;
            }
            else if (fence is not null)
            {
                lines.Add(line);
            }
        }

        return blocks;
    }
}
