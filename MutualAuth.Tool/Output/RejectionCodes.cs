namespace MutualAuth.Tool;

/// <summary>Codes as the library writes them.</summary>
internal static class RejectionCodes
{
    internal static string ToSnakeCase(string pascalCase) => string.Concat(
        pascalCase.Select((character, at) => char.IsAsciiLetterUpper(character) && at > 0 ? $"_{char.ToLowerInvariant(character)}"
            : char.ToLowerInvariant(character).ToString()));
}
