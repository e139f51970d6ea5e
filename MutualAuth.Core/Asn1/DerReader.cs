using System.Formats.Asn1;

namespace MutualAuth.Asn1;

/// <summary>Reads the values of one DER encoding in sequence (X.690 §10), without copying them.</summary>
/// <remarks>
/// Throws <see cref="AsnContentException"/> for input that is not DER; its message never contains text of the peer. Each type that is read
/// from a peer catches it in its own reader. Only the tags that X.509 uses are supported; a tag is compared as its identifier octet. With a
/// collector for deviations, it accepts input that is not strict DER and has one meaning only: an encoded default value, trailing zero bits
/// in a named bit list, either type of time, an empty list, an unordered set. Input with two lengths, two values or two readings is never
/// accepted.
/// </remarks>
internal struct DerReader
{
    internal const byte Boolean = 0x01;
    internal const byte Integer = 0x02;
    internal const byte BitString = 0x03;
    internal const byte OctetString = 0x04;
    internal const byte Null = 0x05;
    internal const byte ObjectIdentifier = 0x06;
    internal const byte Enumerated = 0x0a;
    internal const byte Utf8String = 0x0c;
    internal const byte NumericString = 0x12;
    internal const byte PrintableString = 0x13;
    internal const byte TeletexString = 0x14;
    internal const byte Ia5String = 0x16;
    internal const byte UtcTime = 0x17;
    internal const byte GeneralizedTime = 0x18;
    internal const byte VisibleString = 0x1a;
    internal const byte UniversalString = 0x1c;
    internal const byte BmpString = 0x1e;
    internal const byte Sequence = 0x30;
    internal const byte Set = 0x31;

    private readonly DerDeviations? _slips;
    private ReadOnlyMemory<byte> _rest;

    internal DerReader(ReadOnlyMemory<byte> encoding, DerDeviations? slips = null)
    {
        _rest = encoding;
        _slips = slips;
    }

    /// <summary>Whether the whole input has been read.</summary>
    internal readonly bool IsEmpty => _rest.IsEmpty;

    /// <summary>The input that has not been read yet.</summary>
    internal readonly ReadOnlyMemory<byte> Rest => _rest;

    /// <summary>The identifier octet of a context-specific tag.</summary>
    internal static byte Context(int number, bool constructed = false) => (byte)((constructed ? 0xa0 : 0x80) | number);

    /// <summary>Whether the next value has this tag; false at the end.</summary>
    internal readonly bool NextIs(byte tag) => !_rest.IsEmpty && _rest.Span[0] == tag;

    /// <summary>The identifier octet of the next value; 0 at the end.</summary>
    internal readonly byte NextTag => _rest.IsEmpty ? (byte)0 : _rest.Span[0];

    /// <summary>The number of remaining values, by their lengths alone, so that a list can be allocated in its final size.</summary>
    internal readonly int Count()
    {
        var count = 0;
        for (var rest = _rest.Span; !rest.IsEmpty; count++)
        {
            AsnDecoder.ReadEncodedValue(rest, AsnEncodingRules.DER, out _, out _, out var consumed);
            rest = rest[consumed..];
        }

        return count;
    }

    /// <summary>The next value with tag and length.</summary>
    internal ReadOnlyMemory<byte> ReadElement()
    {
        AsnDecoder.ReadEncodedValue(_rest.Span, AsnEncodingRules.DER, out _, out _, out var consumed);
        var element = _rest[..consumed];
        _rest = _rest[consumed..];
        return element;
    }

    /// <summary>The contents of the next value, which must have this tag.</summary>
    internal ReadOnlyMemory<byte> ReadContent(byte tag)
    {
        if (!NextIs(tag))
        {
            throw new AsnContentException("a value has not the type that stands in its place");
        }

        AsnDecoder.ReadEncodedValue(_rest.Span, AsnEncodingRules.DER, out var offset, out var length, out var consumed);
        var content = _rest.Slice(offset, length);
        _rest = _rest[consumed..];
        return content;
    }

    /// <summary>The contents of the next value if it has this tag.</summary>
    internal bool TryReadContent(byte tag, out ReadOnlyMemory<byte> content)
    {
        if (NextIs(tag))
        {
            content = ReadContent(tag);
            return true;
        }

        content = default;
        return false;
    }

    internal DerReader ReadSequence() => new(ReadContent(Sequence), _slips);

    internal DerReader ReadSet() => new(ReadContent(Set), _slips);

    /// <summary>A reader for inner content, as strict as this one.</summary>
    internal readonly DerReader Within(ReadOnlyMemory<byte> encoding) => new(encoding, _slips);

    /// <summary>Reports a deviation from strict DER that does not change the meaning: recorded if there is a collector, rejected otherwise.</summary>
    internal readonly void Slip(string what)
    {
        if (_slips is null)
        {
            throw new AsnContentException(what);
        }

        _slips.Note(what);
    }

    /// <summary>A BOOLEAN whose default is FALSE, so that DER encodes only TRUE. FALSE is a deviation; any other octet is rejected.</summary>
    internal bool ReadTrueOrAbsent()
    {
        if (!TryReadContent(Boolean, out var content))
        {
            return false;
        }

        if (content.Length != 1 || content.Span[0] is not (0 or 0xff))
        {
            throw new AsnContentException("a BOOLEAN is not DER");
        }

        if (content.Span[0] == 0)
        {
            Slip("a BOOLEAN writes out its default");
        }

        return content.Span[0] != 0;
    }

    /// <summary>The two's-complement octets of an INTEGER.</summary>
    internal ReadOnlyMemory<byte> ReadInteger(byte tag = Integer)
    {
        var content = ReadContent(tag);
        var octets = content.Span;
        if (octets.IsEmpty || (octets.Length > 1 && ((octets[0] == 0 && octets[1] < 0x80) || (octets[0] == 0xff && octets[1] >= 0x80))))
        {
            throw new AsnContentException("an INTEGER is not in its shortest form");
        }

        return content;
    }

    /// <summary>
    /// A number from 0 upwards; a number that does not fit becomes <see cref="int.MaxValue"/>, which is beyond any bound that is checked
    /// against it.
    /// </summary>
    internal int ReadCount(byte tag = Integer)
    {
        var octets = ReadInteger(tag).Span;
        if (octets[0] >= 0x80)
        {
            throw new AsnContentException("a number that counts is negative");
        }

        var value = 0L;
        foreach (var octet in octets)
        {
            value = Math.Min((value << 8) | octet, int.MaxValue);
        }

        return (int)value;
    }

    /// <summary>The contents of an OBJECT IDENTIFIER, checked to be well formed.</summary>
    internal ReadOnlyMemory<byte> ReadOid(byte tag = ObjectIdentifier)
    {
        var content = ReadContent(tag);
        var octets = content.Span;
        var startsArc = true;
        foreach (var octet in octets)
        {
            if (startsArc && octet == 0x80)
            {
                throw new AsnContentException("an OBJECT IDENTIFIER is not in its shortest form");
            }

            startsArc = octet < 0x80;
        }

        return !octets.IsEmpty && startsArc ? content : throw new AsnContentException("an OBJECT IDENTIFIER breaks off");
    }

    /// <summary>The octets of a BIT STRING that must have no unused bits, as signatures and keys have none.</summary>
    internal ReadOnlyMemory<byte> ReadWholeBitString()
    {
        var content = ReadContent(BitString);
        return !content.IsEmpty && content.Span[0] == 0
            ? content[1..]
            : throw new AsnContentException("a BIT STRING of octets has unused bits");
    }

    /// <summary>The octets of a named bit list, whose trailing zero bits DER omits (X.690 §11.2.2).</summary>
    internal ReadOnlySpan<byte> ReadNamedBits(byte tag = BitString)
    {
        var content = ReadContent(tag).Span;
        if (content.IsEmpty || content[0] > 7 || (content.Length == 1 && content[0] != 0))
        {
            throw new AsnContentException("a BIT STRING is not DER");
        }

        if (content.Length > 1 && (content[^1] & ((1 << content[0]) - 1)) != 0)
        {
            throw new AsnContentException("a BIT STRING has ones behind its end");
        }

        if (content.Length > 1 && (content[^1] & (1 << content[0])) == 0)
        {
            Slip("a named bit list has trailing zero bits");
        }

        return content[1..];
    }

    /// <summary>A time as RFC 5280 §4.1.2.5 defines it: UTCTime before 2050, GeneralizedTime from then on, whole seconds, in UTC.</summary>
    internal DateTimeOffset ReadTime()
    {
        DateTimeOffset time;
        int consumed;
        if (NextIs(UtcTime))
        {
            time = AsnDecoder.ReadUtcTime(_rest.Span, AsnEncodingRules.DER, out consumed, twoDigitYearMax: 2049);
        }
        else
        {
            time = AsnDecoder.ReadGeneralizedTime(_rest.Span, AsnEncodingRules.DER, out consumed);
            if (time.Ticks % TimeSpan.TicksPerSecond != 0)
            {
                throw new AsnContentException("a time has fractions of a second");
            }

            if (time.Year < 2050)
            {
                Slip("a time is a GeneralizedTime before 2050");
            }
        }

        _rest = _rest[consumed..];
        return time;
    }

    /// <summary>Throws if anything follows.</summary>
    internal readonly void End()
    {
        if (!_rest.IsEmpty)
        {
            throw new AsnContentException("data follows where nothing may");
        }
    }
}
