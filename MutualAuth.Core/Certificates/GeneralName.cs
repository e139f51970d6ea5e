using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Runtime.InteropServices;
using System.Text;
using MutualAuth.Asn1;
using MutualAuth.Names;

namespace MutualAuth.Certificates;

/// <summary>The forms of RFC 5280 §4.2.1.6, by their tag.</summary>
internal enum GeneralNameForm
{
    Other = 0,
    Email = 1,
    Dns = 2,
    X400 = 3,
    Directory = 4,
    EdiParty = 5,
    Uri = 6,
    IPAddress = 7,
    RegisteredId = 8,
}

/// <summary>A general name as presented: in a subject alternative name, or as the base of a name constraint.</summary>
internal readonly record struct GeneralName(GeneralNameForm Form, ReadOnlyMemory<byte> Value, DistinguishedName? Directory = null)
{
    /// <summary>The text of an e-mail address, DNS name or URI, which is ASCII.</summary>
    internal string Text => Encoding.ASCII.GetString(Value.Span);

    /// <summary>The name as one of its own type; null when it is of another form. Its outer structure was checked when it was read.</summary>
    internal OtherName? Other
    {
        get
        {
            if (Form != GeneralNameForm.Other)
            {
                return null;
            }

            var reader = new DerReader(Value);
            var type = reader.ReadOid();
            return new OtherName(type, reader.ReadContent(DerReader.Context(0, constructed: true)));
        }
    }

    /// <summary>The text of a user principal name; null when it is another name, or not one UTF8String.</summary>
    internal string? UserPrincipalName => TextOf(Oids.UserPrincipalName, UniversalTagNumber.UTF8String);

    /// <summary>The service of an SRVName (RFC 4985 §2: one IA5String); null when it is another name, or malformed.</summary>
    internal ServiceName? ServiceName =>
        ServiceName.TryParse(TextOf(Oids.ServiceName, UniversalTagNumber.IA5String), out var name) ? name : null;

    /// <summary>
    /// The e-mail address of an rfc822Name, or of a SmtpUTF8Mailbox (RFC 9598 §3: one UTF8String, and beyond ASCII before the at sign); null when it
    /// is another name, or malformed.
    /// </summary>
    internal EmailAddress? Mailbox =>
        EmailAddress.TryParse(
            Form == GeneralNameForm.Email ? Text : TextOf(Oids.SmtpUtf8Mailbox, UniversalTagNumber.UTF8String), out var address)
        && address.IsInternationalized == (Form == GeneralNameForm.Other) ? address : null;

    /// <summary>Whether it is an otherName of this type.</summary>
    internal bool IsOther(ReadOnlySpan<byte> type) => Form == GeneralNameForm.Other && new DerReader(Value).ReadOid().Span.SequenceEqual(type);

    /// <summary>Reads <c>GeneralNames ::= SEQUENCE SIZE (1..MAX) OF GeneralName</c>.</summary>
    internal static ImmutableArray<GeneralName> ReadAll(DerReader sequence)
    {
        if (sequence.IsEmpty)
        {
            sequence.Slip("a list of names is empty");
            return [];
        }

        var names = new GeneralName[sequence.Count()];
        for (var i = 0; i < names.Length; i++)
        {
            names[i] = Read(ref sequence, asConstraint: false);
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(names);
    }

    /// <summary>Checks the same structure without storing any name.</summary>
    internal static void PassOver(DerReader sequence)
    {
        if (sequence.IsEmpty)
        {
            sequence.Slip("a list of names is empty");
        }

        while (!sequence.IsEmpty)
        {
            Read(ref sequence, asConstraint: false);
        }
    }

    /// <summary>Reads one name; the base of a constraint may carry a mask with its address (RFC 5280 §4.2.1.10).</summary>
    internal static GeneralName Read(ref DerReader reader, bool asConstraint)
    {
        var tag = reader.NextTag;
        var value = reader.ReadContent(tag);
        switch (tag)
        {
            case 0xa0:
                var other = new DerReader(value);
                other.ReadOid();
                other.ReadContent(DerReader.Context(0, constructed: true));
                other.End();
                return new GeneralName(GeneralNameForm.Other, value);
            case 0x81 or 0x82 or 0x86:
                return Ascii.IsValid(value.Span)
                    ? new GeneralName((GeneralNameForm)(tag & 0x1f), value)
                    : throw new AsnContentException("a general name of an ASCII form is not ASCII");
            case 0xa3:
                return new GeneralName(GeneralNameForm.X400, value);
            case 0xa4:
                var inner = reader.Within(value);
                var directory = DistinguishedName.Read(ref inner);
                inner.End();
                return new GeneralName(GeneralNameForm.Directory, value, directory);
            case 0xa5:
                return new GeneralName(GeneralNameForm.EdiParty, value);
            case 0x87:
                return value.Length is var length && (asConstraint ? length is 8 or 32 : length is 4 or 16)
                    ? new GeneralName(GeneralNameForm.IPAddress, value)
                    : throw new AsnContentException("an IP address has not the length of one");
            case 0x88:
                return new GeneralName(GeneralNameForm.RegisteredId, value);
            default:
                throw new AsnContentException("a general name is of no form that RFC 5280 has");
        }
    }

    /// <summary>The text of an otherName whose type says that it is one character string; null when it is another name, or not that.</summary>
    private string? TextOf(ReadOnlySpan<byte> type, UniversalTagNumber stringType)
    {
        if (Form != GeneralNameForm.Other)
        {
            return null;
        }

        // The outer structure was checked when it was read. The peer chooses the content, and an exception for each of thousands of names is
        // expensive.
        var reader = new DerReader(Value);
        if (!reader.ReadOid().Span.SequenceEqual(type))
        {
            return null;
        }

        var inner = reader.ReadContent(DerReader.Context(0, constructed: true)).Span;
        return AsnDecoder.TryReadEncodedValue(inner, AsnEncodingRules.DER, out var tag, out var offset, out var length, out var consumed)
            && tag == new Asn1Tag(stringType)
            && consumed == inner.Length
            && (stringType == UniversalTagNumber.UTF8String
                ? System.Text.Unicode.Utf8.IsValid(inner.Slice(offset, length))
                : Ascii.IsValid(inner.Slice(offset, length)))
                ? Encoding.UTF8.GetString(inner.Slice(offset, length))
                : null;
    }
}
