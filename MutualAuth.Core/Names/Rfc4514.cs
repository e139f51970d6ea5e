using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Globalization;
using System.Text;
using MutualAuth.Asn1;

namespace MutualAuth.Names;

/// <summary>The text form of distinguished names (RFC 4514).</summary>
internal static class Rfc4514
{
    private const int MaxText = 4096;
    private const string Special = "\"+,;<>\\";

    // The first nine are from RFC 4514 §3, devices are named by the tenth, and trusted platform modules by the next three (endorsement key
    // certificates), organizations by the one after them (X.520, ETSI EN 319 412-1); the others are read because they are in common use, and are
    // printed as numbers.
    private static readonly (string Name, string Oid, byte StringType)[] s_types =
    [
        ("CN", "2.5.4.3", DerReader.Utf8String), ("L", "2.5.4.7", DerReader.Utf8String), ("ST", "2.5.4.8", DerReader.Utf8String),
        ("O", "2.5.4.10", DerReader.Utf8String), ("OU", "2.5.4.11", DerReader.Utf8String), ("C", "2.5.4.6", DerReader.PrintableString),
        ("STREET", "2.5.4.9", DerReader.Utf8String), ("DC", "0.9.2342.19200300.100.1.25", DerReader.Ia5String),
        ("UID", "0.9.2342.19200300.100.1.1", DerReader.Utf8String), ("serialNumber", "2.5.4.5", DerReader.PrintableString),
        ("tpmManufacturer", "2.23.133.2.1", DerReader.Utf8String), ("tpmModel", "2.23.133.2.2", DerReader.Utf8String),
        ("tpmVersion", "2.23.133.2.3", DerReader.Utf8String), ("organizationIdentifier", "2.5.4.97", DerReader.Utf8String),
        ("E", "1.2.840.113549.1.9.1", DerReader.Ia5String), ("EMAILADDRESS", "1.2.840.113549.1.9.1", DerReader.Ia5String),
    ];

    private const int PrintedTypes = 14;

    internal static string Format(DistinguishedName name)
    {
        var text = new StringBuilder();
        for (var i = name.Rdns.Length - 1; i >= 0; i--)
        {
            text.Append(text.Length > 0 ? "," : null);
            var attributes = name.Rdns[i].Attributes;
            for (var j = 0; j < attributes.Length; j++)
            {
                text.Append(j > 0 ? "+" : null);
                AppendAttribute(text, attributes[j]);
            }
        }

        return text.ToString();
    }

    internal static bool TryEncode(string? text, [NotNullWhen(true)] out byte[]? der)
    {
        der = null;
        if (text is null || text.Length > MaxText)
        {
            return false;
        }

        try
        {
            var rdns = new List<byte[]>();
            var rest = text.AsSpan();
            while (!rest.IsEmpty)
            {
                rdns.Add(EncodeRdn(ref rest));
            }

            rdns.Reverse();
            var writer = new AsnWriter(AsnEncodingRules.DER);
            using (writer.PushSequence())
            {
                rdns.ForEach(rdn => writer.WriteEncodedValue(rdn));
            }

            der = writer.Encode();
            return true;
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException)
        {
            return false;
        }
    }

    /// <summary>
    /// What a text that is not of RFC 4514 should be: its values between quotation marks, as .NET and LDAP version 2 print them, are escaped
    /// instead. Null where that does not make it a name.
    /// </summary>
    internal static string? WithoutQuotes(string text)
    {
        var name = new StringBuilder();
        var rest = text.AsSpan();
        while (rest.IndexOf('"') is >= 0 and var start)
        {
            name.Append(rest[..start]);
            rest = rest[(start + 1)..];
            var value = new StringBuilder();
            while (true)
            {
                var end = rest.IndexOf('"');
                if (end < 0)
                {
                    return null;
                }

                value.Append(rest[..end]);
                rest = rest[(end + 1)..];
                if (rest is not ['"', ..])
                {
                    break;
                }

                value.Append('"'); // doubled: it is part of the value
                rest = rest[1..];
            }

            AppendEscaped(name, value.ToString());
        }

        var escaped = name.Append(rest).ToString();
        return escaped != text && TryEncode(escaped, out _) ? escaped : null;
    }

    private static void AppendAttribute(StringBuilder text, NameAttribute attribute)
    {
        var oid = Oids.ToDotted(attribute.Type.Span);
        var known = Array.FindIndex(s_types, 0, PrintedTypes, type => type.Oid == oid);
        text.Append(known >= 0 ? s_types[known].Name : oid).Append('=');
        if (known >= 0 && attribute.Text is { } value)
        {
            AppendEscaped(text, value);
            return;
        }

        // RFC 4514 §2.4: the value of a type without a name is in hex.
        text.Append('#');
        var pair = new DerReader(attribute.Encoding).ReadSequence();
        pair.ReadOid();
        text.Append(Convert.ToHexStringLower(pair.Rest.Span));
    }

    private static void AppendEscaped(StringBuilder text, string value)
    {
        for (var i = 0; i < value.Length; i++)
        {
            var character = value[i];
            if (character == '\0')
            {
                text.Append("\\00");
                continue;
            }

            var atEdge = (i == 0 && character is ' ' or '#') || (i == value.Length - 1 && character == ' ');
            text.Append(atEdge || Special.Contains(character, StringComparison.Ordinal) ? "\\" : null).Append(character);
        }
    }

    private static byte[] EncodeRdn(ref ReadOnlySpan<char> rest)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSetOf())
        {
            while (true)
            {
                EncodeAttribute(writer, ref rest);
                if (rest.IsEmpty)
                {
                    break;
                }

                var separator = rest[0];
                rest = rest[1..];
                if (separator is ',' or ';')
                {
                    // A comma at the end of the text has no attribute after it.
                    _ = rest.IsEmpty ? throw new FormatException() : 0;
                    break;
                }

                _ = rest.IsEmpty ? throw new FormatException() : 0;
            }
        }

        return writer.Encode();
    }

    private static void EncodeAttribute(AsnWriter writer, ref ReadOnlySpan<char> rest)
    {
        var equals = rest.IndexOf('=');
        if (equals < 0)
        {
            throw new FormatException();
        }

        var typeName = rest[..equals].Trim(' ').ToString();
        rest = rest[(equals + 1)..].TrimStart(' ');
        var known = Array.Find(s_types, type => type.Name.Equals(typeName, StringComparison.OrdinalIgnoreCase));
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(known.Oid ?? typeName);
            if (rest.StartsWith("#"))
            {
                var end = rest.IndexOfAny(",;+");
                var hex = (end < 0 ? rest : rest[..end]).Trim(' ');
                rest = end < 0 ? default : rest[end..];
                writer.WriteEncodedValue(Convert.FromHexString(hex[1..]));
                return;
            }

            WriteString(writer, known.StringType, ReadValue(ref rest));
        }
    }

    private static void WriteString(AsnWriter writer, byte type, string value)
    {
        if (value.Length == 0)
        {
            throw new FormatException();
        }

        writer.WriteCharacterString(
            type switch
            {
                DerReader.PrintableString => UniversalTagNumber.PrintableString,
                DerReader.Ia5String => UniversalTagNumber.IA5String,
                _ => UniversalTagNumber.UTF8String,
            },
            value);
    }

    /// <summary>Reads up to the separator, which is not consumed. Escapes are a special character or two hex digits of UTF-8 (RFC 4514 §3).</summary>
    private static string ReadValue(ref ReadOnlySpan<char> rest)
    {
        var octets = new List<byte>();
        Span<byte> utf8 = stackalloc byte[4];
        var kept = 0;
        while (!rest.IsEmpty && rest[0] is not (',' or ';' or '+'))
        {
            if (rest[0] == '\\')
            {
                ReadEscape(ref rest, octets);
                kept = octets.Count;
                continue;
            }

            if (rest[0] is '"' or '<' or '>' or '\0'
                || Rune.DecodeFromUtf16(rest, out var rune, out var consumed) != System.Buffers.OperationStatus.Done)
            {
                throw new FormatException();
            }

            octets.AddRange(utf8[..rune.EncodeToUtf8(utf8)]);
            rest = rest[consumed..];
            kept = rune.Value == ' ' ? kept : octets.Count;
        }

        // Spaces at the end count only if they were escaped.
        octets.RemoveRange(kept, octets.Count - kept);
        return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString([.. octets]);
    }

    private static void ReadEscape(ref ReadOnlySpan<char> rest, List<byte> octets)
    {
        if (rest.Length < 2)
        {
            throw new FormatException();
        }

        if (rest[1] is ' ' or '#' or '=' || Special.Contains(rest[1], StringComparison.Ordinal))
        {
            octets.Add((byte)rest[1]);
            rest = rest[2..];
            return;
        }

        if (rest.Length < 3 || !byte.TryParse(rest[1..3], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet))
        {
            throw new FormatException();
        }

        octets.Add(octet);
        rest = rest[3..];
    }
}
