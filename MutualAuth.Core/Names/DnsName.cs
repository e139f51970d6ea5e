using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace MutualAuth.Names;

/// <summary>
/// A host name in the preferred syntax of RFC 1034 §3.5 as amended by RFC 1123 §2.1: letters, digits and hyphens, in lower case, without a
/// trailing dot.
/// </summary>
/// <remarks>
/// Immutable, and always well formed. It is a name that we configure or dial, never a pattern: a wildcard is rejected, and so is an
/// underscore, which RFC 9525 §2 does not allow in a host name. A last label that is a number is also rejected, so that an IPv4 address in
/// any of its spellings is never a name. Internationalized names are given by their A-labels (<c>xn--…</c>, RFC 5890 §2.3.2.1) and compared
/// as such: the framework maps upper case, and rejects joiners, only while culture data is loaded, so the meaning of a U-label would depend
/// on a setting of the process.
/// </remarks>
public sealed class DnsName : IEquatable<DnsName>
{
    private const int MaxLength = 253;
    private const int MaxLabelLength = 63;

    private static readonly SearchValues<char> s_labelCharacters =
        SearchValues.Create("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly SearchValues<char> s_hexDigits = SearchValues.Create("0123456789ABCDEFabcdef");

    private static readonly NameProblem s_empty = new("a host name", "Give the name of the host, such as server.example.");
    private static readonly NameProblem s_tooLong = new("at most 253 characters", "Shorten the name.");
    private static readonly NameProblem s_notAscii = new("ASCII", "Give an internationalized name by its A-labels, such as xn--bcher-kva.example.");
    private static readonly NameProblem s_labelLength = new(
        "labels of 1 to 63 characters between single dots", "Remove the empty label, or shorten the long one.");
    private static readonly NameProblem s_characters = new(
        "labels of letters, digits and hyphens", "Remove all other characters; a port and a wildcard are not allowed.");
    private static readonly NameProblem s_underscore = new(
        "labels of letters, digits and hyphens",
        "An underscore is not allowed in a host name (RFC 9525 §2): give the host a name without one, with Docker Compose by an alias of its "
            + "network.");
    private static readonly NameProblem s_hyphen = new("labels that neither begin nor end with a hyphen", "Remove the hyphen.");
    private static readonly NameProblem s_number = new(
        "a last label that is not a number", "An IP address is not a DNS name; where an address is allowed, write it as four decimal numbers.");

    private readonly string _text;

    private DnsName(string text) => _text = text;

    /// <summary>Reads a host name of at most 253 characters; one trailing dot is accepted and dropped, and upper case becomes lower case.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <exception cref="FormatException">
    /// <paramref name="text"/> is not a host name; the message says what is wrong with it and what to give instead.
    /// </exception>
    public static DnsName Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Read(text, out var name) is { } flaw ? throw flaw.ToException("a DNS name", text) : name!;
    }

    /// <summary>Reads a host name as <see cref="Parse"/> does; false for null and for any other text.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out DnsName? name)
    {
        name = null;
        return text is not null && Read(text, out name) is null;
    }

    /// <summary>Compares the whole name; case is ignored (RFC 4343).</summary>
    public bool Equals(DnsName? other) => other is not null && _text == other._text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as DnsName);

    /// <inheritdoc/>
    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    /// <summary>The name in lower case, with A-labels and without a trailing dot.</summary>
    public override string ToString() => _text;

    internal static NameProblem? Read(string text, out DnsName? name)
    {
        name = null;
        var host = text.AsSpan();
        if (host is [.., '.'])
        {
            host = host[..^1];
        }

        var flaw = FlawOf(host);
        if (flaw is null)
        {
            name = new DnsName((host.Length == text.Length ? text : host.ToString()).ToLowerInvariant());
        }

        return flaw;
    }

    private static NameProblem? FlawOf(ReadOnlySpan<char> host)
    {
        if (host.IsEmpty)
        {
            return s_empty;
        }

        if (host.Length > MaxLength)
        {
            return s_tooLong;
        }

        foreach (var range in host.Split('.'))
        {
            if (FlawOfLabel(host[range]) is { } flaw)
            {
                return flaw;
            }
        }

        return IsNumber(host[(host.LastIndexOf('.') + 1)..]) ? s_number : null;
    }

    private static NameProblem? FlawOfLabel(ReadOnlySpan<char> label) => label switch
    {
        { Length: 0 or > MaxLabelLength } => s_labelLength,
        _ when label.ContainsAnyExceptInRange('\0', '\x7f') => s_notAscii,
        _ when label.Contains('_') => s_underscore,
        _ when label.ContainsAnyExcept(s_labelCharacters) => s_characters,
        ['-', ..] or [.., '-'] => s_hyphen,
        _ => null,
    };

    // Resolvers read hexadecimal too: 0x7f.1 is the loopback address to inet_aton.
    private static bool IsNumber(ReadOnlySpan<char> label) =>
        !label.ContainsAnyExceptInRange('0', '9')
        || (label is ['0', 'x' or 'X', .. var digits] && digits.IndexOfAnyExcept(s_hexDigits) < 0);
}
