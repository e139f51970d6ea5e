using System.Formats.Asn1;
using System.Text;
using MutualAuth.Asn1;

namespace MutualAuth.Names;

/// <summary>One attribute of a name: its type and its value, as presented.</summary>
internal readonly struct NameAttribute
{
    // Strict: an octet sequence that is not text must not become text by replacement characters.
    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly UnicodeEncoding s_utf16 = new(bigEndian: true, byteOrderMark: false, throwOnInvalidBytes: true);
    private static readonly UTF32Encoding s_utf32 = new(bigEndian: true, byteOrderMark: false, throwOnInvalidCharacters: true);

    private NameAttribute(ReadOnlyMemory<byte> encoding, ReadOnlyMemory<byte> type, byte tag, ReadOnlyMemory<byte> value)
    {
        Encoding = encoding;
        Type = type;
        Tag = tag;
        Value = value;
    }

    /// <summary>Type and value together, in DER.</summary>
    internal ReadOnlyMemory<byte> Encoding { get; }

    /// <summary>The contents octets of the type's identifier.</summary>
    internal ReadOnlyMemory<byte> Type { get; }

    /// <summary>The identifier octet of the value.</summary>
    internal byte Tag { get; }

    /// <summary>The contents octets of the value.</summary>
    internal ReadOnlyMemory<byte> Value { get; }

    internal static NameAttribute Read(ref DerReader reader)
    {
        var encoding = reader.ReadElement();
        var pair = reader.Within(encoding).ReadSequence();
        var type = pair.ReadOid();
        var tag = pair.NextTag;
        var value = pair.ReadContent(tag);
        pair.End();
        var attribute = new NameAttribute(encoding, type, tag, value);
        if (attribute.IsText && !attribute.IsOfItsAlphabet)
        {
            if (!attribute.IsOfOneOctetEach)
            {
                throw new AsnContentException("a name has a character string that is not of its type's encoding");
            }

            // The spelling is undefined, so it is compared octet by octet, and equals nothing else.
            pair.Slip("a name has a character string that is not of its type's alphabet");
        }

        return attribute;
    }

    /// <summary>The value as text; null when it is not of a character string type, or not in that type's alphabet.</summary>
    internal string? Text
    {
        get
        {
            var octets = Value.Span;
            try
            {
                return Tag switch
                {
                    DerReader.Utf8String => s_utf8.GetString(octets),
                    DerReader.PrintableString or DerReader.Ia5String or DerReader.NumericString or DerReader.VisibleString =>
                        Ascii.IsValid(octets) ? System.Text.Encoding.ASCII.GetString(octets) : null,

                    // T.61 in the standard, Latin-1 in every certificate that uses it.
                    DerReader.TeletexString => System.Text.Encoding.Latin1.GetString(octets),
                    DerReader.BmpString => s_utf16.GetString(octets),
                    DerReader.UniversalString => s_utf32.GetString(octets),
                    _ => null,
                };
            }
            catch (ArgumentException)
            {
                return null;
            }
        }
    }

    /// <summary>Equal for attributes that RFC 5280 §7.1 calls equal: text is folded; anything else is compared octet by octet.</summary>
    internal byte[] Canonical()
    {
        // Computed without intermediate copies: certificates of unknown peers may have thousands of attributes.
        var text = Text is { } presented ? Fold(presented) : null;
        var form = new byte[2 + Type.Length + (text is null ? Value.Length : s_utf8.GetByteCount(text))];
        form[0] = (byte)Type.Length;
        Type.Span.CopyTo(form.AsSpan(1));
        form[1 + Type.Length] = text is null ? Tag : DerReader.Utf8String;
        if (text is null)
        {
            Value.Span.CopyTo(form.AsSpan(2 + Type.Length));
        }
        else
        {
            s_utf8.GetBytes(text, form.AsSpan(2 + Type.Length));
        }

        return form;
    }

    /// <summary>Whether the two may be equal by RFC 4518, which this library does not implement.</summary>
    internal bool MayEqual(NameAttribute other)
    {
        if (!Type.Span.SequenceEqual(other.Type.Span))
        {
            return false;
        }

        // A value that is not a character string, or not readable, cannot be compared.
        return (Text, other.Text) switch
        {
            ({ } mine, { } theirs) => StringPreparation.MayBeSame(Fold(mine), Fold(theirs)),
            (null, null) => IsText || other.IsText || (Tag == other.Tag && Value.Span.SequenceEqual(other.Value.Span)),
            _ => true,
        };
    }

    /// <summary>Whether a character string can be read as <see cref="Text"/>; allocates no text.</summary>
    private bool IsOfItsAlphabet
    {
        get
        {
            try
            {
                return Tag switch
                {
                    DerReader.Utf8String => System.Text.Unicode.Utf8.IsValid(Value.Span),
                    DerReader.BmpString => s_utf16.GetCharCount(Value.Span) >= 0,
                    DerReader.UniversalString => s_utf32.GetCharCount(Value.Span) >= 0,
                    DerReader.TeletexString => true,
                    _ => Ascii.IsValid(Value.Span),
                };
            }
            catch (ArgumentException)
            {
                return false;
            }
        }
    }

    private bool IsOfOneOctetEach => Tag is DerReader.PrintableString or DerReader.Ia5String or DerReader.NumericString or DerReader.VisibleString;

    private bool IsText => Tag is DerReader.Utf8String or DerReader.PrintableString or DerReader.Ia5String or DerReader.NumericString
        or DerReader.VisibleString or DerReader.TeletexString or DerReader.BmpString or DerReader.UniversalString;

    /// <summary>Lower case, no spaces at either end, one space where there were several (RFC 4518 §2.6.1).</summary>
    private static string Fold(string text)
    {
        const int OnTheStack = 256;
        var folded = text.Length <= OnTheStack ? stackalloc char[text.Length] : new char[text.Length];
        var length = 0;
        var pendingSpace = false;
        foreach (var character in text)
        {
            if (char.IsWhiteSpace(character))
            {
                pendingSpace = length > 0;
                continue;
            }

            if (pendingSpace)
            {
                // The spaces have been removed, so there is room for it.
                folded[length++] = ' ';
                pendingSpace = false;
            }

            folded[length++] = LowerCase.Of(character);
        }

        return folded[..length].SequenceEqual(text) ? text : folded[..length].ToString();
    }
}
