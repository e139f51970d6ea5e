using MutualAuth.Certificates;

namespace MutualAuth.Paths;

/// <summary>The syntax of the text forms of general names (RFC 5280 §4.2.1.6, RFC 1034 §3.5, RFC 1123 §2.1).</summary>
internal static class NameSyntax
{
    /// <summary>Whether a name of a certificate is well formed for its form; forms without text are checked when they are read.</summary>
    internal static bool IsWellFormed(GeneralName name, bool allowUnderscore = false) => name.Form switch
    {
        GeneralNameForm.Dns => IsDnsName(WithoutWildcard(name.Value.Span), allowUnderscore),
        GeneralNameForm.Email => TrySplitMailbox(name.Value.Span, out _, out var host) && IsDnsName(host, allowUnderscore),
        GeneralNameForm.Uri => HasScheme(name.Value.Span),
        _ => true,
    };

    /// <summary>The name below a leading <c>*.</c>; the name itself if it has none.</summary>
    internal static ReadOnlySpan<byte> WithoutWildcard(ReadOnlySpan<byte> name) => name.StartsWith("*."u8) ? name[2..] : name;

    /// <summary>
    /// Letters, digits and hyphens in labels of 1 to 63 characters that neither begin nor end with a hyphen; 253 octets at most.
    /// Underscores if they are allowed.
    /// </summary>
    internal static bool IsDnsName(ReadOnlySpan<byte> name, bool allowUnderscore = false)
    {
        if (name.Length is 0 or > 253)
        {
            return false;
        }

        var labelLength = 0;
        var previous = (byte)'.';
        foreach (var octet in name)
        {
            if (octet == '.')
            {
                if (labelLength == 0 || previous == '-')
                {
                    return false;
                }

                labelLength = 0;
            }
            else if (!(char.IsAsciiLetterOrDigit((char)octet) || (octet == '-' && labelLength > 0) || (octet == '_' && allowUnderscore))
                || ++labelLength > 63)
            {
                return false;
            }

            previous = octet;
        }

        return labelLength > 0 && previous != '-';
    }

    /// <summary>Splits <c>local@host</c>. RFC 5280 does not allow a local part that needs quotes but has none.</summary>
    internal static bool TrySplitMailbox(ReadOnlySpan<byte> mailbox, out ReadOnlySpan<byte> local, out ReadOnlySpan<byte> host)
    {
        var at = mailbox.LastIndexOf((byte)'@');
        if (at < 0)
        {
            local = host = default;
            return false;
        }

        local = mailbox[..at];
        host = mailbox[(at + 1)..];
        return !host.IsEmpty && (IsDotAtom(local) || IsQuoted(local));
    }

    /// <summary>The host of a URI that has an authority (RFC 3986 §3.2.2), without user and port; false when it has none.</summary>
    internal static bool TryGetHost(ReadOnlySpan<byte> uri, out ReadOnlySpan<byte> host)
    {
        host = default;
        var colon = uri.IndexOf((byte)':');
        if (!HasScheme(uri) || !uri[(colon + 1)..].StartsWith("//"u8))
        {
            return false;
        }

        var authority = uri[(colon + 3)..];
        var end = authority.IndexOfAny("/?#\\"u8);
        authority = end < 0 ? authority : authority[..end];
        authority = authority[(authority.LastIndexOf((byte)'@') + 1)..];
        if (authority.StartsWith("["u8))
        {
            return false;
        }

        var port = authority.IndexOf((byte)':');
        host = port < 0 ? authority : authority[..port];
        return !host.IsEmpty;
    }

    private static bool HasScheme(ReadOnlySpan<byte> uri)
    {
        var colon = uri.IndexOf((byte)':');
        if (colon < 1 || !char.IsAsciiLetter((char)uri[0]))
        {
            return false;
        }

        foreach (var octet in uri[..colon])
        {
            if (!char.IsAsciiLetterOrDigit((char)octet) && octet is not ((byte)'+' or (byte)'-' or (byte)'.'))
            {
                return false;
            }
        }

        return uri[(colon + 1)..].IndexOfAnyInRange((byte)0, (byte)' ') < 0 && uri.IndexOf((byte)0x7f) < 0;
    }

    /// <summary>RFC 5321 §4.1.2: atoms with single dots between them.</summary>
    private static bool IsDotAtom(ReadOnlySpan<byte> local)
    {
        var previous = (byte)'.';
        foreach (var octet in local)
        {
            if (octet == '.' ? previous == '.' : !(char.IsAsciiLetterOrDigit((char)octet) || "!#$%&'*+-/=?^_`{|}~"u8.Contains(octet)))
            {
                return false;
            }

            previous = octet;
        }

        return previous != '.';
    }

    private static bool IsQuoted(ReadOnlySpan<byte> local)
    {
        if (local.Length < 2 || local[0] != '"' || local[^1] != '"')
        {
            return false;
        }

        var inner = local[1..^1];
        for (var i = 0; i < inner.Length; i++)
        {
            var octet = inner[i];
            if (octet == '\\' && ++i < inner.Length && inner[i] is >= 0x20 and <= 0x7e)
            {
                continue;
            }

            if (octet is < 0x20 or > 0x7e or (byte)'"' or (byte)'\\')
            {
                return false;
            }
        }

        return true;
    }
}
