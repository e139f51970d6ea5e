using System.Diagnostics.CodeAnalysis;

namespace MutualAuth.Names;

/// <summary>A competent authority for payment services, such as <c>GB-FCA</c>: its country and its own identifier (ETSI TS 119 495 §5.2.3).</summary>
/// <remarks>Immutable. Two are equal when both parts are, letter by letter.</remarks>
public sealed class CompetentAuthority : IEquatable<CompetentAuthority>
{
    private const int ShortestIdentifier = 2;
    private const int LongestIdentifier = 8;

    private static readonly NameProblem s_form = new(
        "a country of two capital letters, a hyphen, and two to eight capital letters", "Write it as its register does, such as GB-FCA.");

    private CompetentAuthority(string country, string identifier) => (Country, Identifier) = (country, identifier);

    /// <summary>The country, as two capital letters (ISO 3166-1). Only the form is checked.</summary>
    public string Country { get; }

    /// <summary>The authority within its country, such as <c>FCA</c>: two to eight capital letters.</summary>
    public string Identifier { get; }

    /// <summary>Reads <c>COUNTRY-IDENTIFIER</c>.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="text"/> is not a competent authority.</exception>
    public static CompetentAuthority Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryParse(text, out var authority) ? authority : throw s_form.ToException("a competent authority", text);
    }

    /// <summary>Reads an authority as <see cref="Parse"/> does; false for null and for any other text.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out CompetentAuthority? authority)
    {
        authority = text is [_, _, '-', .. { Length: >= ShortestIdentifier and <= LongestIdentifier } identifier]
            && IsCapitals(text.AsSpan(0, 2)) && IsCapitals(identifier)
            ? new CompetentAuthority(text[..2], identifier)
            : null;
        return authority is not null;
    }

    /// <inheritdoc/>
    public bool Equals(CompetentAuthority? other) => other is not null && Country == other.Country && Identifier == other.Identifier;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as CompetentAuthority);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Country, Identifier);

    /// <summary>Country, hyphen, identifier.</summary>
    public override string ToString() => $"{Country}-{Identifier}";

    internal static bool IsCapitals(ReadOnlySpan<char> text) => !text.ContainsAnyExceptInRange('A', 'Z');
}
