namespace MutualAuth.Tool;

/// <summary>The pages that are part of the tool.</summary>
internal static class ToolResources
{
    internal static string Read(string name)
    {
        using var reader = new StreamReader(
            typeof(ToolResources).Assembly.GetManifestResourceStream(name)
                ?? throw new InvalidOperationException($"{name} is not part of the tool."));
        return reader.ReadToEnd();
    }
}
