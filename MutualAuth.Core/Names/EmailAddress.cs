using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace MutualAuth.Names;

/// <summary>
/// An e-mail address as certificates carry it: <c>local@domain</c> in an rfc822Name (RFC 5280 §4.2.1.6), or, where the local part is beyond ASCII,
/// in a SmtpUTF8Mailbox (RFC 9598).
/// </summary>
/// <remarks>
/// Immutable. The local part is compared character by character, its case and its Unicode form included, and the domain without case (RFC 5280 §7.5,
/// RFC 9598 §5). Only the Dot-string form of RFC 5321 §4.1.2 is accepted, with letters of other scripts (RFC 6531 §3.3); quoted local parts and
/// address literals match nothing. The domain is in ASCII: an internationalized one has A-labels.
/// </remarks>
public sealed class EmailAddress : IEquatable<EmailAddress>
{
    private const int MaxLength = 254;
    private const int MaxLocalLength = 64;

    private static readonly SearchValues<char> s_atomCharacters =
        SearchValues.Create("!#$%&'*+-/0123456789=?ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz{|}~");

    private static readonly NameProblem s_shape = new(
        "local@domain, with one @", "Give the bare address, such as alice@example.org, without a display name.");
    private static readonly NameProblem s_tooLong = new("at most 254 octets in UTF-8, 64 of them before the @", "Shorten the address.");
    private static readonly NameProblem s_localPart = new(
        "a local part of letters, digits, single inner dots and !#$%&'*+-/=?^_`{|}~",
        "Quoted local parts, spaces and invisible characters are not supported; use another address.");
    private static readonly NameProblem s_domainPart = new(
        "a host name behind the @, without a trailing dot",
        "Give the domain in ASCII; an internationalized one by its A-labels (xn--…), and no address literal.");

    private EmailAddress(string localPart, DnsName domain) => (LocalPart, Domain) = (localPart, domain);

    /// <summary>The mailbox within the domain; case matters.</summary>
    public string LocalPart { get; }

    /// <summary>Whether the local part is beyond ASCII, so that a certificate has the address in a SmtpUTF8Mailbox and in no rfc822Name.</summary>
    public bool IsInternationalized => !Ascii.IsValid(LocalPart);

    /// <summary>The domain that holds the mailbox.</summary>
    public DnsName Domain { get; }

    /// <summary>Reads <c>local@domain</c>, of at most 254 octets in UTF-8, 64 of them before the at sign.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="text"/> is not such an address.</exception>
    public static EmailAddress Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Read(text, out var address) is { } flaw ? throw flaw.ToException("an e-mail address", text) : address!;
    }

    /// <summary>Reads an address as <see cref="Parse"/> does; false for null and for any other text.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out EmailAddress? address)
    {
        address = null;
        return text is not null && Read(text, out address) is null;
    }

    /// <summary>Compares the local parts with their case, and the domains without.</summary>
    public bool Equals(EmailAddress? other) => other is not null && LocalPart == other.LocalPart && Domain.Equals(other.Domain);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as EmailAddress);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(LocalPart, Domain);

    /// <summary>The address with its domain in lower case.</summary>
    public override string ToString() => $"{LocalPart}@{Domain}";

    private static NameProblem? Read(string text, out EmailAddress? address)
    {
        address = null;
        var at = text.IndexOf('@');
        if (at < 0 || at != text.LastIndexOf('@'))
        {
            return s_shape;
        }

        if (text.Length > MaxLength || Encoding.UTF8.GetByteCount(text) > MaxLength
            || Encoding.UTF8.GetByteCount(text.AsSpan(0, at)) > MaxLocalLength)
        {
            return s_tooLong;
        }

        var local = text.AsSpan(0, at);
        foreach (var atom in local.Split('.'))
        {
            if (!IsAtom(local[atom]))
            {
                return s_localPart;
            }
        }

        if (text.EndsWith('.') || !DnsName.TryParse(text[(at + 1)..], out var domain))
        {
            return s_domainPart;
        }

        address = new EmailAddress(local.ToString(), domain);
        return null;
    }

    private static bool IsAtom(ReadOnlySpan<char> atom)
    {
        foreach (var rune in atom.EnumerateRunes())
        {
            if (rune.IsAscii ? !s_atomCharacters.Contains((char)rune.Value) : !IsVisible(rune))
            {
                return false;
            }
        }

        return !atom.IsEmpty;
    }

    /// <summary>
    /// What two people would not see, or what is no character yet, stands in no name; the replacement character also stands for what was not UTF-16.
    /// </summary>
    private static bool IsVisible(Rune rune) => rune != Rune.ReplacementChar && !Rune.IsWhiteSpace(rune)
        && Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse
            or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate);
}
