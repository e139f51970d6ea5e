using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace MutualAuth.Names;

/// <summary>
/// The registered number of an organization, as the attribute organizationIdentifier (2.5.4.97) of a subject has it: a scheme, a country, a hyphen
/// and a reference (ETSI EN 319 412-1 §5.1.4), such as <c>PSDGB-FCA-123456</c>, <c>VATDE-123456789</c> or <c>NTRGB-01234567</c>.
/// </summary>
/// <remarks>
/// Immutable. Compared letter by letter: a register's numbers have one spelling. Known are the schemes <c>VAT</c>, <c>NTR</c>, <c>PSD</c> and
/// <c>LEI</c>; any other of three capital letters, and a national one of two capital letters and a colon, is read with the same grammar. After the
/// country may stand a plus sign and a state or province, as in <c>NTRUS+CA-123456</c> (CA/Browser Forum). Of <c>PSD</c> the reference is a competent
/// authority and a number; of <c>LEI</c> the country is <c>XG</c> and the reference has 20 letters and digits (ISO 17442).
/// </remarks>
public sealed class OrganizationIdentifier : IEquatable<OrganizationIdentifier>
{
    private const int MaxLength = 256;
    private const int SchemeLength = 3;
    private const int CountryEnd = 5;
    private const string PaymentServiceProvider = "PSD";
    private const string LegalEntity = "LEI";

    private static readonly NameProblem s_tooLong = new("at most 256 characters", "Write the number alone.");
    private static readonly NameProblem s_scheme = new(
        "a scheme of three capital letters, or of two and a colon, and a country of two capital letters",
        "Write it as the certificate does, such as VATDE-123456789.");
    private static readonly NameProblem s_reference = new(
        "a hyphen behind the country, and then the number of visible characters, without spaces at its ends",
        "Write it as the certificate does, such as NTRGB-01234567.");
    private static readonly NameProblem s_payments = new(
        "behind PSD and the country an authority of two to eight capital letters, a hyphen and a number",
        "Write it as the register does, such as PSDGB-FCA-123456.");
    private static readonly NameProblem s_legalEntity = new(
        "LEIXG- and 20 capital letters and digits", "Write the identifier of the Global Legal Entity Identifier system whole.");

    private readonly string _text;

    private OrganizationIdentifier(string text) => _text = text;

    /// <summary>
    /// Who numbers: <c>PSD</c> a competent authority for payment services, <c>VAT</c>, <c>NTR</c> (trade register), <c>LEI</c>, or another.
    /// </summary>
    public string Scheme => _text[..SchemeLength];

    /// <summary>The country of the register, as two capital letters; <c>XG</c> is none (a register of all countries).</summary>
    public string Country => _text[SchemeLength..CountryEnd];

    /// <summary>The state or province of the register; null where there is none.</summary>
    public string? Subdivision => _text[CountryEnd] == '+' ? _text[(CountryEnd + 1)..Hyphen] : null;

    /// <summary>What stands behind the first hyphen: the number, and with <c>PSD</c> the competent authority before it.</summary>
    public string Reference => _text[(Hyphen + 1)..];

    /// <summary>The competent authority that authorized a payment service provider; null unless the scheme is <c>PSD</c>.</summary>
    public CompetentAuthority? CompetentAuthority { get; private init; }

    /// <summary>The number by which the competent authority authorized a payment service provider; null unless the scheme is <c>PSD</c>.</summary>
    public string? AuthorizationNumber => CompetentAuthority is null ? null : Reference[(CompetentAuthority.Identifier.Length + 1)..];

    private int Hyphen => _text.IndexOf('-');

    /// <summary>Reads an identifier of at most 256 characters.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="text"/> is not such an identifier; the message says what is wrong with it.</exception>
    public static OrganizationIdentifier Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Read(text, out var identifier) is { } flaw ? throw flaw.ToException("an organization identifier", text) : identifier!;
    }

    /// <summary>Reads an identifier as <see cref="Parse"/> does; false for null and for any other text.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out OrganizationIdentifier? identifier)
    {
        identifier = null;
        return text is not null && Read(text, out identifier) is null;
    }

    /// <inheritdoc/>
    public bool Equals(OrganizationIdentifier? other) => other is not null && _text == other._text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as OrganizationIdentifier);

    /// <inheritdoc/>
    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    /// <summary>The identifier as it was read. It may hold text that an authority took from its customer; it has no invisible character.</summary>
    public override string ToString() => _text;

    private static NameProblem? Read(string text, out OrganizationIdentifier? identifier)
    {
        identifier = null;
        if (text.Length > MaxLength)
        {
            return s_tooLong;
        }

        if (text.Length <= CountryEnd || !IsScheme(text.AsSpan(0, SchemeLength))
            || !CompetentAuthority.IsCapitals(text.AsSpan(SchemeLength, CountryEnd - SchemeLength)))
        {
            return s_scheme;
        }

        var hyphen = text.IndexOf('-');
        if (hyphen < 0 || !IsSubdivision(text.AsSpan(CountryEnd, hyphen - CountryEnd)) || !IsReference(text.AsSpan(hyphen + 1)))
        {
            return s_reference;
        }

        CompetentAuthority? authority = null;
        if (text.StartsWith(PaymentServiceProvider, StringComparison.Ordinal) && (hyphen != CountryEnd || !TryReadAuthority(text, out authority)))
        {
            return s_payments;
        }

        if (text.StartsWith(LegalEntity, StringComparison.Ordinal) && !IsLegalEntity(text))
        {
            return s_legalEntity;
        }

        identifier = new OrganizationIdentifier(text) { CompetentAuthority = authority };
        return null;
    }

    private static bool IsScheme(ReadOnlySpan<char> scheme) =>
        CompetentAuthority.IsCapitals(scheme[..2]) && (scheme[2] == ':' || CompetentAuthority.IsCapitals(scheme[2..]));

    /// <summary>Nothing, or a plus sign and one to three capital letters and digits (ISO 3166-2).</summary>
    private static bool IsSubdivision(ReadOnlySpan<char> text) =>
        text.IsEmpty || (text is ['+', .. { Length: >= 1 and <= 3 } part] && IsCapitalsOrDigits(part));

    private static bool IsReference(ReadOnlySpan<char> reference)
    {
        foreach (var rune in reference.EnumerateRunes())
        {
            if (System.Text.Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
                or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator || (rune.Value != ' ' && System.Text.Rune.IsWhiteSpace(rune)) || rune.Value == 0xfffd)
            {
                return false;
            }
        }

        return !reference.IsEmpty && reference[0] != ' ' && reference[^1] != ' ';
    }

    private static bool TryReadAuthority(string text, out CompetentAuthority? authority)
    {
        authority = null;
        var end = text.IndexOf('-', CountryEnd + 1);
        return end > 0 && end < text.Length - 1 && CompetentAuthority.TryParse(text[SchemeLength..end], out authority);
    }

    private static bool IsLegalEntity(string text) => text is ['L', 'E', 'I', 'X', 'G', '-', .. { Length: 20 } number] && IsCapitalsOrDigits(number);

    private static bool IsCapitalsOrDigits(ReadOnlySpan<char> text)
    {
        foreach (var character in text)
        {
            if (!char.IsAsciiLetterUpper(character) && !char.IsAsciiDigit(character))
            {
                return false;
            }
        }

        return true;
    }
}
