using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Text;
using MutualAuth.Asn1;
using MutualAuth.Errors;

namespace MutualAuth.Certificates;

/// <summary>A name of a type of its own: an otherName of a subject alternative name (RFC 5280 §4.2.1.6).</summary>
/// <remarks>
/// Its <see cref="Text"/> has one spelling for each value: the text of a character string; <c>TYPE:SERIAL</c> for the name of a hardware
/// module (RFC 4108 §5, as IEEE 802.1AR devices carry it); <c>ASSIGNER:VALUE</c> for a permanent identifier (RFC 4043 §2); for anything
/// else, a number sign and the DER encoding in hex, as RFC 4514 §2.4 has it. Immutable and safe to share.
/// </remarks>
/// <example>
/// <code>
/// var jabber = certificate.OtherNames.FirstOrDefault(name =&gt; name.Type == "1.3.6.1.5.5.7.8.5")?.Text;
/// </code>
/// </example>
public sealed class OtherName : IEquatable<OtherName>
{
    private readonly byte[] _type;

    internal OtherName(ReadOnlyMemory<byte> type, ReadOnlyMemory<byte> value)
    {
        _type = type.ToArray();
        Type = Oids.ToDotted(type.Span);
        Value = value;
        Text = TextOf(type.Span, value);
    }

    /// <summary>The type, as a dotted object identifier.</summary>
    public string Type { get; }

    /// <summary>The value, in DER or whatever the certificate has in its place: only its own type says what it must be.</summary>
    public ReadOnlyMemory<byte> Value { get; }

    /// <summary>The value as text; see the type. The peer chose it: print <see cref="ToString"/> instead.</summary>
    public string Text { get; }

    /// <summary>Equal in type and in value, octet by octet.</summary>
    public bool Equals(OtherName? other) =>
        other is not null && _type.AsSpan().SequenceEqual(other._type) && Value.Span.SequenceEqual(other.Value.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as OtherName);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(_type);
        hash.AddBytes(Value.Span);
        return hash.ToHashCode();
    }

    /// <summary>The name of its type, where it has one, and the text, escaped so that it is safe to log.</summary>
    public override string ToString() => $"{NameOfType()} {SafeText.Quote(Text)}";

    private string NameOfType() =>
        _type.AsSpan().SequenceEqual(Oids.UserPrincipalName) ? "user principal name"
        : _type.AsSpan().SequenceEqual(Oids.HardwareModuleName) ? "hardware module"
        : _type.AsSpan().SequenceEqual(Oids.PermanentIdentifier) ? "permanent identifier"
        : _type.AsSpan().SequenceEqual(Oids.ServiceName) ? "service"
        : _type.AsSpan().SequenceEqual(Oids.SmtpUtf8Mailbox) ? "e-mail"
        : $"other name {Type}";

    private static string TextOf(ReadOnlySpan<byte> type, ReadOnlyMemory<byte> value)
    {
        // The peer chooses the value, and an exception for each of thousands of names is expensive: the tag is looked at before anything is read.
        var text = type.SequenceEqual(Oids.HardwareModuleName) ? HardwareModule(value)
            : type.SequenceEqual(Oids.PermanentIdentifier) ? PermanentIdentifier(value)
            : TryReadString(value.Span, out var plain) ? plain
            : null;
        return text is null or "" || text.StartsWith('#') ? $"#{Convert.ToHexStringLower(value.Span)}" : text;
    }

    private static bool TryReadString(ReadOnlySpan<byte> value, [NotNullWhen(true)] out string? text)
    {
        text = null;
        if (!TryReadElement(value, out var tag, out var content, out var rest) || !rest.IsEmpty)
        {
            return false;
        }

        text = tag switch
        {
            DerReader.Utf8String when System.Text.Unicode.Utf8.IsValid(content) => Encoding.UTF8.GetString(content),
            DerReader.Ia5String or DerReader.PrintableString or DerReader.VisibleString or DerReader.NumericString when Ascii.IsValid(content) =>
                Encoding.ASCII.GetString(content),
            _ => null,
        };
        return text is not null;
    }

    /// <summary><c>HardwareModuleName ::= SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum OCTET STRING }</c>.</summary>
    private static string? HardwareModule(ReadOnlyMemory<byte> value) =>
        TryReadElement(value.Span, out var outer, out var fields, out var behind) && outer == DerReader.Sequence && behind.IsEmpty
            && TryReadElement(fields, out var first, out var type, out var rest) && first == DerReader.ObjectIdentifier
            && TryReadElement(rest, out var second, out var serial, out var end) && second == DerReader.OctetString && end.IsEmpty
            ? $"{Oids.ToDotted(type)}:{Convert.ToHexStringLower(serial)}"
            : null;

    /// <summary><c>PermanentIdentifier ::= SEQUENCE { identifierValue UTF8String OPTIONAL, assigner OBJECT IDENTIFIER OPTIONAL }</c>.</summary>
    private static string? PermanentIdentifier(ReadOnlyMemory<byte> value)
    {
        if (!TryReadElement(value.Span, out var outer, out var fields, out var behind) || outer != DerReader.Sequence || !behind.IsEmpty)
        {
            return null;
        }

        var (identifier, assigner) = (string.Empty, string.Empty);
        if (TryReadElement(fields, out var first, out var text, out var rest) && first == DerReader.Utf8String)
        {
            if (!System.Text.Unicode.Utf8.IsValid(text))
            {
                return null;
            }

            identifier = Encoding.UTF8.GetString(text);
            fields = rest;
        }

        if (TryReadElement(fields, out var second, out var type, out rest) && second == DerReader.ObjectIdentifier)
        {
            assigner = Oids.ToDotted(type);
            fields = rest;
        }

        return fields.IsEmpty && identifier.Length + assigner.Length > 0 ? $"{assigner}:{identifier}" : null;
    }

    private static bool TryReadElement(ReadOnlySpan<byte> encoding, out byte tag, out ReadOnlySpan<byte> content, out ReadOnlySpan<byte> rest)
    {
        tag = encoding.IsEmpty ? (byte)0 : encoding[0];
        content = rest = default;
        if (encoding.IsEmpty
            || !AsnDecoder.TryReadEncodedValue(encoding, AsnEncodingRules.DER, out _, out var offset, out var length, out var consumed))
        {
            return false;
        }

        content = encoding.Slice(offset, length);
        rest = encoding[consumed..];
        return true;
    }
}
