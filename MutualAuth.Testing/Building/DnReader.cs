using System.Globalization;
using System.Text;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;

namespace MutualAuth.Testing.Building;

/// <summary>
/// Reads the string form of a name (RFC 4514 §3), with spaces around its parts and values in quotation marks too, as older forms had them. Values
/// are written as they are, in any length: a certificate that breaks a bound of RFC 5280 may be what a test wants.
/// </summary>
internal sealed class DnReader(string text)
{
    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private int _at;

    private bool IsAtEnd => _at == text.Length;

    /// <summary>The relative names, as they stand in the text.</summary>
    /// <exception cref="ArgumentException">It is no string form of a name.</exception>
    internal IReadOnlyList<Asn1Encodable> Read()
    {
        var names = new List<Asn1Encodable>();
        var attributes = new List<Asn1Encodable>();
        do
        {
            attributes.Add(ReadAttribute());
            if (IsAtEnd || text[_at] == ',')
            {
                names.Add(new DerSet(attributes.ToArray()));
                attributes.Clear();
            }
        }
        while (_at++ < text.Length);

        return names;
    }

    private DerSequence ReadAttribute()
    {
        var equals = text.IndexOf('=', _at);
        if (equals < 0)
        {
            throw Wrong("an attribute has no equals sign");
        }

        var type = TypeOf(text[_at..equals].Trim(' '));
        _at = equals + 1;
        SkipSpaces();
        return new DerSequence(type, !IsAtEnd && text[_at] == '#' ? ReadEncoded() : ValueOf(type, ReadString()));
    }

    private DerObjectIdentifier TypeOf(string name)
    {
        if (X509Name.DefaultLookup.TryGetValue(name.ToLowerInvariant(), out var known))
        {
            return known;
        }

        var number = name.StartsWith("OID.", StringComparison.OrdinalIgnoreCase) ? name[4..] : name;
        return DerObjectIdentifier.TryFromID(number, out var type) ? type : throw Wrong($"'{name}' is no type of an attribute");
    }

    private Asn1Object ReadEncoded()
    {
        var end = text.AsSpan(_at).IndexOfAny(',', '+');
        var digits = (end < 0 ? text[_at..] : text[_at..(_at + end)]).TrimEnd(' ')[1..];
        _at = end < 0 ? text.Length : _at + end;
        try
        {
            return Asn1Object.FromByteArray(Convert.FromHexString(digits));
        }
        catch (Exception exception) when (exception is FormatException or IOException)
        {
            throw Wrong($"'#{digits}' is not the hexadecimal of a value in DER, and a sharp that is meant as such has a backslash before it");
        }
    }

    /// <summary>A value up to the next comma or plus that stands for itself, without the spaces at its end that do.</summary>
    private string ReadString()
    {
        var octets = new MemoryStream();
        var length = 0L;
        var quoted = false;
        for (; !IsAtEnd && (quoted || text[_at] is not (',' or '+')); _at++)
        {
            var plain = !quoted && text[_at] == ' ';
            if (text[_at] == '"')
            {
                quoted = !quoted;
            }
            else if (text[_at] == '\\')
            {
                ReadEscaped(octets);
            }
            else
            {
                var width = char.IsSurrogatePair(text, _at) ? 2 : 1;
                octets.Write(Encoding.UTF8.GetBytes(text, _at, width));
                _at += width - 1;
            }

            length = plain ? length : octets.Length;
        }

        if (quoted)
        {
            throw Wrong("a quotation mark has no second one");
        }

        try
        {
            return s_utf8.GetString(octets.GetBuffer(), 0, (int)length);
        }
        catch (DecoderFallbackException)
        {
            throw Wrong("escaped octets are no UTF-8");
        }
    }

    /// <summary>A character behind a backslash, or an octet in two digits.</summary>
    private void ReadEscaped(MemoryStream octets)
    {
        if (++_at == text.Length)
        {
            throw Wrong("nothing follows a backslash");
        }

        if (_at + 1 < text.Length && byte.TryParse(text.AsSpan(_at, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet))
        {
            octets.WriteByte(octet);
            _at++;
            return;
        }

        var width = char.IsSurrogatePair(text, _at) ? 2 : 1;
        octets.Write(Encoding.UTF8.GetBytes(text, _at, width));
        _at += width - 1;
    }

    // As RFC 5280 appendix A.1 has the types; all others are UTF-8, and so is what those types have no characters for.
    private static Asn1Object ValueOf(DerObjectIdentifier type, string value)
    {
        if (type.Equals(X509Name.DateOfBirth))
        {
            return new DerGeneralizedTime(value);
        }

        if (!Ascii.IsValid(value))
        {
            return new DerUtf8String(value);
        }

        if (type.Equals(X509Name.EmailAddress) || type.Equals(X509Name.DC))
        {
            return new DerIA5String(value);
        }

        var isPrintable = type.Equals(X509Name.C) || type.Equals(X509Name.SerialNumber) || type.Equals(X509Name.DnQualifier)
            || type.Equals(X509Name.TelephoneNumber);
        return isPrintable ? new DerPrintableString(value) : new DerUtf8String(value);
    }

    private void SkipSpaces()
    {
        while (!IsAtEnd && text[_at] == ' ')
        {
            _at++;
        }
    }

    private ArgumentException Wrong(string reason) =>
        new($"The name \"{text}\" is not in the string form of RFC 4514: {reason}.");
}
