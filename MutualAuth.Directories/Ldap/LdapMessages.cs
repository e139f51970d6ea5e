using System.Formats.Asn1;
using System.Text;

namespace MutualAuth.Directories;

/// <summary>The few messages of LDAP that a bind needs (RFC 4511), in BER. Values go in as values: there is no filter text to escape.</summary>
internal static class LdapMessages
{
    internal const int BindResponse = 1;
    internal const int SearchResultEntry = 4;
    internal const int SearchResultDone = 5;
    internal const int SearchResultReference = 19;
    internal const int ExtendedResponse = 24;

    private const int MaxValues = 16;

    /// <summary>The request and response control of password policies (that of OpenLDAP).</summary>
    private const string PasswordPolicy = "1.3.6.1.4.1.42.2.27.8.5.1";

    private static readonly Asn1Tag s_controls = new(TagClass.ContextSpecific, 0, isConstructed: true);

    /// <summary>A simple bind (§4.2). The octets of the password are in the result, which the caller wipes.</summary>
    internal static byte[] Bind(int id, string name, ReadOnlySpan<byte> password)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER, 1024);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            using (writer.PushSequence(Application(0)))
            {
                writer.WriteInteger(3);
                writer.WriteOctetString(Encoding.UTF8.GetBytes(name));
                writer.WriteOctetString(password, new Asn1Tag(TagClass.ContextSpecific, 0));
            }

            using (writer.PushSequence(s_controls))
            using (writer.PushSequence())
            {
                writer.WriteOctetString(Encoding.ASCII.GetBytes(PasswordPolicy));
            }
        }

        return Finish(writer);
    }

    /// <summary>A search for entries with this value (§4.5), at most two; or of the entry itself without one.</summary>
    internal static byte[] Search(int id, string baseName, string attribute, string? value, string? objectClass, int seconds)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            using (writer.PushSequence(Application(3)))
            {
                writer.WriteOctetString(Encoding.UTF8.GetBytes(baseName));
                writer.WriteEnumeratedValue(value is null ? Scope.BaseObject : Scope.WholeSubtree);
                writer.WriteEnumeratedValue(Aliases.Never);
                writer.WriteInteger(2);
                writer.WriteInteger(seconds);
                writer.WriteBoolean(false);
                if (value is null)
                {
                    writer.WriteOctetString("objectClass"u8, new Asn1Tag(TagClass.ContextSpecific, 7)); // present
                }
                else if (objectClass is null)
                {
                    WriteEquality(writer, attribute, value);
                }
                else
                {
                    using (writer.PushSetOf(s_controls)) // and
                    {
                        WriteEquality(writer, attribute, value);
                        WriteEquality(writer, "objectClass", objectClass);
                    }
                }

                using (writer.PushSequence())
                {
                    writer.WriteOctetString(Encoding.UTF8.GetBytes(attribute));
                }
            }
        }

        return Finish(writer);
    }

    /// <summary>StartTLS (§4.14).</summary>
    internal static byte[] StartTls(int id)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            using (writer.PushSequence(Application(23)))
            {
                writer.WriteOctetString("1.3.6.1.4.1.1466.20037"u8, new Asn1Tag(TagClass.ContextSpecific, 0));
            }
        }

        return Finish(writer);
    }

    /// <summary>The number and the content of a response.</summary>
    /// <exception cref="LdapFailure">It is not a message, or not an answer to this request.</exception>
    internal static (int Kind, AsnReader Content, AsnReader After) Open(ReadOnlyMemory<byte> message, int id) => Reading(() =>
    {
        var all = new AsnReader(message, AsnEncodingRules.BER);
        var sequence = all.ReadSequence();
        all.ThrowIfNotEmpty();
        if (!sequence.TryReadInt32(out var number) || number != id)
        {
            throw new LdapFailure(number == 0 ? "It ended the connection." : "It answered another request.");
        }

        var tag = sequence.PeekTag();
        return tag.TagClass == TagClass.Application
            ? (tag.TagValue, sequence.ReadSequence(tag), sequence)
            : throw new LdapFailure("It sent something that is not a response.");
    });

    /// <summary>The result of an operation, and the password policy's control after it.</summary>
    /// <exception cref="LdapFailure">It is malformed.</exception>
    internal static LdapResult ReadResult(AsnReader content, AsnReader rest) => Reading(() =>
    {
        var code = ReadSmall(content.ReadEnumeratedBytes());
        content.ReadOctetString();
        var diagnostic = Encoding.UTF8.GetString(content.ReadOctetString());
        return new LdapResult(code, diagnostic, ReadPolicyError(rest));
    });

    /// <summary>A SearchResultEntry: its name and the values of the one attribute, whose name may be written in capitals or not.</summary>
    /// <exception cref="LdapFailure">It is malformed.</exception>
    internal static LdapEntry ReadEntry(AsnReader content, string attribute) => Reading(() =>
    {
        var name = Encoding.UTF8.GetString(content.ReadOctetString());
        var values = new List<string>();
        var attributes = content.ReadSequence();
        while (attributes.HasData)
        {
            var one = attributes.ReadSequence();
            var isIt = string.Equals(Encoding.UTF8.GetString(one.ReadOctetString()), attribute, StringComparison.OrdinalIgnoreCase);
            var set = one.ReadSetOf(skipSortOrderValidation: true);
            while (set.HasData)
            {
                var value = set.ReadOctetString();
                if (isIt && values.Count < MaxValues)
                {
                    values.Add(Encoding.UTF8.GetString(value));
                }
            }
        }

        return new LdapEntry(name, [.. values]);
    });

    private static int? ReadPolicyError(AsnReader rest)
    {
        if (!rest.HasData || !rest.PeekTag().HasSameClassAndValue(s_controls))
        {
            return null;
        }

        var controls = rest.ReadSequence(s_controls);
        while (controls.HasData)
        {
            var control = controls.ReadSequence();
            var isPolicy = Encoding.UTF8.GetString(control.ReadOctetString()) == PasswordPolicy;
            if (control.HasData && control.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean))
            {
                control.ReadBoolean();
            }

            if (!isPolicy || !control.HasData)
            {
                continue;
            }

            var value = new AsnReader(control.ReadOctetString(), AsnEncodingRules.BER).ReadSequence();
            while (value.HasData)
            {
                var tag = value.PeekTag();
                if (tag.TagClass == TagClass.ContextSpecific && tag.TagValue == 1)
                {
                    return ReadSmall(value.ReadEnumeratedBytes(tag));
                }

                value.ReadEncodedValue();
            }
        }

        return null;
    }

    private static void WriteEquality(AsnWriter writer, string attribute, string value)
    {
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 3)))
        {
            writer.WriteOctetString(Encoding.UTF8.GetBytes(attribute));
            writer.WriteOctetString(Encoding.UTF8.GetBytes(value));
        }
    }

    private static Asn1Tag Application(int number) => new(TagClass.Application, number);

    private static int ReadSmall(ReadOnlyMemory<byte> enumerated) => enumerated.Length == 1 ? enumerated.Span[0] : int.MaxValue;

    private static T Reading<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (AsnContentException exception)
        {
            throw new LdapFailure("It sent a malformed message.", exception);
        }
    }

    private static byte[] Finish(AsnWriter writer)
    {
        var message = GC.AllocateUninitializedArray<byte>(writer.GetEncodedLength(), pinned: true);
        writer.Encode(message);
        writer.Reset(); // wipes what it holds
        return message;
    }

    private enum Scope
    {
        BaseObject = 0,
        WholeSubtree = 2,
    }

    private enum Aliases
    {
        Never = 0,
    }
}
