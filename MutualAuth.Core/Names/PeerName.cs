using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Text;
using MutualAuth.Errors;
using MutualAuth.Names;

namespace MutualAuth;

/// <summary>The name of a peer together with its kind. Decisions use it, because a text alone could be ambiguous.</summary>
/// <remarks>
/// Immutable and always well formed. Its text form is one token: DNS names and SPIFFE IDs have no prefix, and every other kind has a prefix
/// with which neither can begin. No two names have the same text, and <see cref="Parse"/> reads it back.
/// </remarks>
public sealed class PeerName : IEquatable<PeerName>
{
    /// <summary>The maximum length of a name in characters. A longer one would have to be truncated, and would then be ambiguous.</summary>
    internal const int MaxLength = 2048;

    private const string Wildcard = "*.";

    private static readonly (string Text, PeerNameKind Kind)[] s_prefixes =
    [
        ("email:", PeerNameKind.Email), ("uri:", PeerNameKind.Uri), ("ip:", PeerNameKind.IPAddress), ("upn:", PeerNameKind.UserPrincipalName),
        ("subject:", PeerNameKind.Subject), ("sha256:", PeerNameKind.Certificate), ("user:", PeerNameKind.User),
        ("other:", PeerNameKind.OtherName), ("organization:", PeerNameKind.OrganizationIdentifier),
    ];

    private static readonly SearchValues<char> s_schemeCharacters =
        SearchValues.Create("+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private readonly DistinguishedName? _subject;
    private string? _text;

    private PeerName(PeerNameKind kind, string value, DistinguishedName? subject = null) => (Kind, Value, _subject) = (kind, value, subject);

    /// <summary>The kind.</summary>
    public PeerNameKind Kind { get; }

    /// <summary>
    /// The name without its prefix and not escaped; for a subject, the form of RFC 4514. It may include text that a peer chose; print
    /// <see cref="ToString"/> instead.
    /// </summary>
    public string Value { get; }

    /// <summary>A DNS name, or <c>*.</c> followed by one for a certificate that carries the wildcard itself; upper case becomes lower case.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="name"/> is neither.</exception>
    public static PeerName Dns(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return TryDns(name, out var read) ? read : throw Malformed("a DNS name, or *. followed by one, without a trailing dot", name);
    }

    /// <summary>A DNS name.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public static PeerName Dns(DnsName name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return new PeerName(PeerNameKind.Dns, name.ToString());
    }

    /// <summary>A workload's SPIFFE ID.</summary>
    /// <exception cref="FormatException"><paramref name="id"/> is not a workload's SPIFFE ID.</exception>
    public static PeerName SpiffeId(string id) => SpiffeId(Names.SpiffeId.Parse(id));

    /// <inheritdoc cref="SpiffeId(string)"/>
    public static PeerName SpiffeId(SpiffeId id)
    {
        ArgumentNullException.ThrowIfNull(id);
        return new PeerName(PeerNameKind.SpiffeId, id.ToString());
    }

    /// <summary>An e-mail address; the case of its local part matters (RFC 5280 §7.5).</summary>
    /// <exception cref="FormatException"><paramref name="address"/> is not an e-mail address.</exception>
    public static PeerName Email(string address) => Email(EmailAddress.Parse(address));

    /// <inheritdoc cref="Email(string)"/>
    public static PeerName Email(EmailAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return new PeerName(PeerNameKind.Email, address.ToString());
    }

    /// <summary>A URI, compared character by character. One with the scheme <c>spiffe</c> is a URI and never a SPIFFE ID.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="uri"/> is null.</exception>
    /// <exception cref="FormatException">
    /// <paramref name="uri"/> has no scheme, is longer than 2,048 characters, or has characters other than printable ASCII.
    /// </exception>
    public static PeerName Uri(string uri)
    {
        ArgumentNullException.ThrowIfNull(uri);
        return TryUri(uri, out var name) ? name : throw Malformed("a URI with its scheme, of at most 2048 characters of printable ASCII", uri);
    }

    /// <summary>An IP address.</summary>
    /// <exception cref="ArgumentException"><paramref name="address"/> has an IPv6 zone.</exception>
    public static PeerName IPAddress(IPAddress address) => new(PeerNameKind.IPAddress, ServerName.FromAddress(address).Address!.ToString());

    /// <summary>A user principal name, such as <c>alice@corp.example</c>, compared character by character.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="name"/> is not <c>user@domain</c> of at most 1,024 visible characters.</exception>
    public static PeerName UserPrincipalName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return TryUserPrincipalName(name, out var read) ? read : throw Malformed("user@domain of at most 1024 visible characters", name);
    }

    /// <summary>A name of a type of its own (otherName), compared character by character.</summary>
    /// <param name="type">The type, as a dotted object identifier, such as <c>1.3.6.1.5.5.7.8.5</c>.</param>
    /// <param name="text">The value, as <see cref="Certificates.OtherName.Text"/> has it.</param>
    /// <exception cref="ArgumentNullException"><paramref name="type"/> or <paramref name="text"/> is null.</exception>
    /// <exception cref="FormatException">
    /// <paramref name="type"/> is not an object identifier, or <paramref name="text"/> is empty, has characters that are not visible, or is too
    /// long: both together have at most 2,047 characters.
    /// </exception>
    /// <example><code>var jabber = PeerName.OtherName("1.3.6.1.5.5.7.8.5", "juliet@im.example");</code></example>
    public static PeerName OtherName(string type, string text)
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(text);
        return TryOtherName(type, text, out var name)
            ? name
            : throw Malformed("a dotted object identifier and a value of at most 2047 visible characters together", $"{type}={text}");
    }

    /// <summary>The registered number of an organization, such as <c>PSDGB-FCA-123456</c>, compared character by character.</summary>
    /// <exception cref="FormatException"><paramref name="identifier"/> is not an organization identifier.</exception>
    public static PeerName OrganizationIdentifier(string identifier) => OrganizationIdentifier(Names.OrganizationIdentifier.Parse(identifier));

    /// <inheritdoc cref="OrganizationIdentifier(string)"/>
    public static PeerName OrganizationIdentifier(OrganizationIdentifier identifier)
    {
        ArgumentNullException.ThrowIfNull(identifier);
        return new PeerName(PeerNameKind.OrganizationIdentifier, identifier.ToString());
    }

    /// <summary>A subject, equal by RFC 5280 §7.1.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="name"/> is empty, or longer than 2,048 characters as text.</exception>
    public static PeerName Subject(DistinguishedName name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return TrySubject(name, out var read)
            ? read
            : throw Malformed("a distinguished name that is not empty, of at most 2048 characters", name.ToString());
    }

    /// <summary>
    /// One certificate, by the SHA-256 of its encoding. The holder of an ECDSA-signed certificate can turn it into another with the same
    /// contents.
    /// </summary>
    /// <param name="sha256">64 hexadecimal digits; colons between them and letter case are ignored.</param>
    /// <exception cref="ArgumentNullException"><paramref name="sha256"/> is null.</exception>
    /// <exception cref="FormatException">The text is not such a digest.</exception>
    public static PeerName Certificate(string sha256)
    {
        ArgumentNullException.ThrowIfNull(sha256);
        var digits = sha256.Replace(":", string.Empty, StringComparison.Ordinal);
        return digits.Length == 2 * SpkiDigest.Size && digits.All(char.IsAsciiHexDigit)
            ? new PeerName(PeerNameKind.Certificate, Convert.ToHexString(Convert.FromHexString(digits)))
            : throw Malformed("64 hexadecimal digits", sha256);
    }

    /// <summary>
    /// Reads the text form, such as <c>laptop.example</c>, <c>spiffe://example.org/api</c>, <c>email:alice@example.org</c> or
    /// <c>subject:CN=alice</c>.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="text"/> is not the name of a peer.</exception>
    public static PeerName Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryParse(text, out var name)
            ? name
            : throw Malformed("a DNS name, a SPIFFE ID, or a name after email:, uri:, ip:, upn:, subject:, sha256:, user:, other: or "
                + "organization:", text);
    }

    /// <summary>Reads the text form as <see cref="Parse"/> does; false for null and for any other text.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out PeerName? name)
    {
        name = null;
        if (text is null)
        {
            return false;
        }

        foreach (var (prefix, kind) in s_prefixes)
        {
            if (text.StartsWith(prefix, StringComparison.Ordinal))
            {
                return TryDecode(text.AsSpan(prefix.Length), out var value) && TryMake(kind, value, out name);
            }
        }

        return Names.SpiffeId.TryParse(text, out var id) ? (name = SpiffeId(id)) is not null : TryDns(text, out name);
    }

    /// <summary>Equal in kind and in value; a subject by RFC 5280 §7.1.</summary>
    public bool Equals(PeerName? other) =>
        other is not null && Kind == other.Kind && (_subject is null ? Value == other.Value : _subject.Equals(other._subject));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as PeerName);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Kind, _subject?.GetHashCode() ?? Value.GetHashCode(StringComparison.Ordinal));

    /// <summary>
    /// The name as one token with its prefix: spaces, the per cent sign and characters that are not plainly printable are percent-encoded.
    /// </summary>
    public override string ToString() => _text ??= PrefixOf(Kind) + SafeText.PercentEncode(Value);

    private static string? PrefixOf(PeerNameKind kind)
    {
        foreach (var prefix in s_prefixes)
        {
            if (prefix.Kind == kind)
            {
                return prefix.Text;
            }
        }

        return null;
    }

    internal static PeerName OfUser(string name) => new(PeerNameKind.User, name);

    internal static PeerName OfServer(ServerName name) => name.Dns is { } dns ? Dns(dns) : IPAddress(name.Address!);

    internal static bool TryDns(string text, [NotNullWhen(true)] out PeerName? name)
    {
        var isWildcard = text.StartsWith(Wildcard, StringComparison.Ordinal);
        name = !text.EndsWith('.') && DnsName.TryParse(isWildcard ? text[Wildcard.Length..] : text, out var host)
            ? new PeerName(PeerNameKind.Dns, isWildcard ? Wildcard + host : host.ToString())
            : null;
        return name is not null;
    }

    internal static bool TryUri(string text, [NotNullWhen(true)] out PeerName? name)
    {
        var colon = text.IndexOf(':');
        name = colon > 0 && colon < text.Length - 1 && text.Length <= MaxLength && char.IsAsciiLetter(text[0])
            && text.AsSpan(0, colon).IndexOfAnyExcept(s_schemeCharacters) < 0 && !text.AsSpan().ContainsAnyExceptInRange('!', '~')
            ? new PeerName(PeerNameKind.Uri, text)
            : null;
        return name is not null;
    }

    internal static bool TryUserPrincipalName(string text, [NotNullWhen(true)] out PeerName? name)
    {
        const int MaxNameLength = 1024; // as directories have it
        var at = text.IndexOf('@');
        name = at > 0 && at == text.LastIndexOf('@') && at < text.Length - 1 && text.Length <= MaxNameLength && !text.Any(IsInvisible)
            ? new PeerName(PeerNameKind.UserPrincipalName, text)
            : null;
        return name is not null;
    }

    internal static bool TryOtherName(string type, string text, [NotNullWhen(true)] out PeerName? name)
    {
        // Spaces may stand in it, as in a serial number that was typed, but not at its ends.
        name = text.Length > 0 && type.Length + text.Length < MaxLength && !text.Any(character => character != ' ' && IsInvisible(character))
            && text.AsSpan().Trim(' ').Length == text.Length && Asn1.Oids.FromDotted(type) is { } oid && Asn1.Oids.ToDotted(oid) == type
            ? new PeerName(PeerNameKind.OtherName, $"{type}={text}")
            : null;
        return name is not null;
    }

    internal static bool TrySubject(DistinguishedName subject, [NotNullWhen(true)] out PeerName? name)
    {
        name = subject.IsEmpty || subject.ToString() is not { Length: <= MaxLength } text ? null : new PeerName(PeerNameKind.Subject, text, subject);
        return name is not null;
    }

    private static bool TryMake(PeerNameKind kind, string value, [NotNullWhen(true)] out PeerName? name)
    {
        name = null;
        try
        {
            return kind switch
            {
                PeerNameKind.Email => (name = Email(value)) is not null,
                PeerNameKind.Uri => TryUri(value, out name),
                PeerNameKind.IPAddress =>
                    ServerName.TryParse(value, out var server) && server.Address is not null && (name = IPAddress(server.Address)) is not null,
                PeerNameKind.UserPrincipalName => TryUserPrincipalName(value, out name),
                PeerNameKind.OtherName => value.Split('=', 2) is [var type, var text] && TryOtherName(type, text, out name),
                PeerNameKind.OrganizationIdentifier => (name = OrganizationIdentifier(value)) is not null,
                PeerNameKind.Subject => DistinguishedName.TryParse(value, out var subject) && TrySubject(subject, out name),
                PeerNameKind.Certificate => (name = Certificate(value)) is not null,
                _ => value.Length is > 0 and <= MaxLength && (name = OfUser(value)) is not null,
            };
        }
        catch (FormatException)
        {
            return false;
        }
    }

    /// <summary>Decodes the percent-encoding; false when the result is not UTF-8.</summary>
    private static bool TryDecode(ReadOnlySpan<char> text, out string value)
    {
        value = string.Empty;
        var octets = new MemoryStream(text.Length);
        Span<byte> utf8 = stackalloc byte[4];
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%')
            {
                if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
                {
                    return false;
                }

                octets.WriteByte(byte.Parse(text.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                i += 2;
            }
            else if (Rune.DecodeFromUtf16(text[i..], out var rune, out var length) == OperationStatus.Done)
            {
                octets.Write(utf8[..rune.EncodeToUtf8(utf8)]);
                i += length - 1;
            }
            else
            {
                return false;
            }
        }

        var decoded = octets.ToArray();
        if (!System.Text.Unicode.Utf8.IsValid(decoded))
        {
            return false;
        }

        value = Encoding.UTF8.GetString(decoded);
        return true;
    }

    private static bool IsInvisible(char character) => char.IsControl(character) || char.IsWhiteSpace(character) || char.IsSurrogate(character)
        || char.GetUnicodeCategory(character) is UnicodeCategory.Format or UnicodeCategory.OtherNotAssigned;

    private static FormatException Malformed(string expected, string? text) =>
        new($"Not the name of a peer: expected {expected}, got {SafeText.Quote(text)}.");
}
