using System.Formats.Asn1;
using System.Globalization;
using System.Security.Cryptography;

namespace MutualAuth.Fuzz;

/// <summary>
/// One certificate of a list that a stranger makes himself: what it says, in few numbers that a search can turn. Nobody trusted has signed it.
/// </summary>
internal sealed record CertificateGene
{
    private const int MaxOctets = 32 * 1024;

    // The platform makes none with such an exponent, and none is needed: nobody ever signs with it.
    private static readonly byte[][] s_keys = MakeKeys();
    private static readonly Dictionary<(CertificateGene, bool), byte[]?> s_made = [];

    /// <summary>Which of few names it bears; 0 is the anchor's.</summary>
    public int Subject { get; init; }

    public int Issuer { get; init; }

    /// <summary>P-256, P-384, P-521, RSA of 2,048 and of 8,192 bits with an exponent of 64 bits.</summary>
    public int Key { get; init; }

    public bool HasKeyIds { get; init; }

    /// <summary>Attributes in its names beside the common one, and how long each is.</summary>
    public int Attributes { get; init; }

    public int AttributeLength { get; init; }

    public int StringType { get; init; } = 0x0c;

    public int NameForm { get; init; } = 2;

    public int Names { get; init; }

    public int NameLength { get; init; }

    public int ConstraintForm { get; init; } = 2;

    public int Constraints { get; init; }

    public int ConstraintLength { get; init; }

    public int Policies { get; init; }

    public int Mappings { get; init; }

    public int Purposes { get; init; }

    public int IdentifierLength { get; init; } = 3;

    public int Extensions { get; init; }

    public int ExtensionLength { get; init; }

    /// <summary>How many attributes stand in one step of its names.</summary>
    public int AttributesInOneStep { get; init; } = 1;

    /// <summary>
    /// An extension with a list in it, of which nothing is kept but its grammar: names of the issuer, places, distribution points, qualifiers, or
    /// none of them.
    /// </summary>
    public int ListKind { get; init; }

    public int Items { get; init; }

    public int ItemLength { get; init; }

    /// <summary>
    /// What is wrong with the encoding, so that it cannot be read: nothing, its end is missing, a usage is wrong, the last name is wrong.
    /// </summary>
    public int Flaw { get; init; }

    internal static int Keys => s_keys.Length;

    /// <summary>
    /// Its encoding; null when it is longer than a certificate may be. What was made lately is kept, as most of a list is as its parent's.
    /// </summary>
    internal byte[]? Encode(bool isLeaf, byte[] rootKeyId)
    {
        if (s_made.Count > 4096)
        {
            s_made.Clear();
        }

        return s_made.TryGetValue((this, isLeaf), out var made) ? made : s_made[(this, isLeaf)] = Make(isLeaf, rootKeyId);
    }

    private byte[]? Make(bool isLeaf, byte[] rootKeyId)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            {
                WriteBody(writer, isLeaf, rootKeyId);
            }

            WriteAlgorithm(writer);
            writer.WriteBitString(Convert.FromHexString("3006020101020101"));
        }

        var encoded = writer.Encode();
        return encoded.Length > MaxOctets ? null : Flaw == 1 ? encoded[..^1] : encoded;
    }

    private void WriteBody(AsnWriter writer, bool isLeaf, byte[] rootKeyId)
    {
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
        {
            writer.WriteInteger(2);
        }

        writer.WriteInteger(1 + Subject);
        WriteAlgorithm(writer);
        WriteName(writer, Issuer);
        using (writer.PushSequence())
        {
            writer.WriteUtcTime(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), 2049);
            writer.WriteUtcTime(new DateTimeOffset(2040, 1, 1, 0, 0, 0, TimeSpan.Zero), 2049);
        }

        WriteName(writer, isLeaf ? 99 : Subject);
        writer.WriteEncodedValue(s_keys[Key]);
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 3)))
        using (writer.PushSequence())
        {
            WriteExtensions(writer, isLeaf, rootKeyId);
        }
    }

    private void WriteExtensions(AsnWriter writer, bool isLeaf, byte[] rootKeyId)
    {
        if (!isLeaf)
        {
            WriteExtension(writer, "2.5.29.19", value =>
            {
                using (value.PushSequence())
                {
                    value.WriteBoolean(true);
                }
            });
        }

        if (HasKeyIds)
        {
            WriteExtension(writer, "2.5.29.35", value =>
            {
                using (value.PushSequence())
                {
                    value.WriteOctetString(Issuer == 0 ? rootKeyId : [1, (byte)Issuer], new Asn1Tag(TagClass.ContextSpecific, 0));
                }
            });
            WriteExtension(writer, "2.5.29.14", value => value.WriteOctetString([1, (byte)Subject]));
        }

        if (Names > 0)
        {
            WriteExtension(writer, "2.5.29.17", value =>
            {
                using (value.PushSequence())
                {
                    Repeat(Fit(Names, NameLength), i => WriteGeneralName(value, NameForm, NameLength, i));
                    if (Flaw == 3)
                    {
                        WriteElement(value, 0x87, [1]);
                    }
                }
            });
        }

        if (Constraints > 0 && !isLeaf)
        {
            WriteExtension(writer, "2.5.29.30", value =>
            {
                using (value.PushSequence())
                using (value.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 1)))
                {
                    Repeat(Fit(Constraints, ConstraintLength), i =>
                    {
                        using (value.PushSequence())
                        {
                            WriteGeneralName(value, ConstraintForm, ConstraintLength, i);
                        }
                    });
                }
            });
        }

        if (ListKind > 0 && Items > 0)
        {
            WriteList(writer);
        }

        if (Flaw == 2)
        {
            WriteExtension(writer, "2.5.29.15", value => WriteElement(value, 0x03, [0]));
        }

        WriteIdentifiers(writer, "2.5.29.32", Policies, 1, pairs: true);
        WriteIdentifiers(writer, "2.5.29.33", isLeaf ? 0 : Mappings, 2, pairs: true);
        WriteIdentifiers(writer, "2.5.29.37", Purposes, 1, pairs: false);
        Repeat(
            Fit(Extensions, ExtensionLength),
            i => WriteExtension(writer, $"1.3.6.1.4.1.5555.{i}", value => value.WriteOctetString(new byte[ExtensionLength])));
    }

    private void WriteList(AsnWriter writer)
    {
        var item = new byte[ItemLength];
        item.AsSpan().Fill((byte)'a');
        var (oid, each, write) = ListKind switch
        {
            1 => ("2.5.29.18", 2, (Action<AsnWriter>)(value => WriteElement(value, 0x82, item))),
            2 => ("1.3.6.1.5.5.7.1.1", 14, value =>
            {
                using (value.PushSequence())
                {
                    WriteElement(value, 0x06, [0x2b, 6, 1, 5, 5, 7, 48, 1]);
                    WriteElement(value, 0x86, item);
                }
            }
            ),
            3 => ("2.5.29.31", 2, value => WriteElement(value, 0x30, item)),
            4 => ("2.5.29.18", 6, value => WriteElement(value, 0xa4, Encoded(inner =>
            {
                using (inner.PushSequence())
                {
                    WriteRdn(inner, 0x0c, item, 3);
                }
            }))),
            _ => ("2.5.29.46", 2, value => WriteElement(value, 0x30, item)),
        };
        WriteExtension(writer, oid, value =>
        {
            using (value.PushSequence())
            {
                Repeat(Fit(Items, each + ItemLength), _ => write(value));
            }
        });
    }

    private static byte[] Encoded(Action<AsnWriter> write)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        write(writer);
        return writer.Encode();
    }

    private void WriteIdentifiers(AsnWriter writer, string extension, int count, int each, bool pairs)
    {
        if (count == 0)
        {
            return;
        }

        WriteExtension(writer, extension, value =>
        {
            using (value.PushSequence())
            {
                Repeat(Fit(count, each * IdentifierLength), i =>
                {
                    using var pair = pairs ? value.PushSequence() : default(AsnWriter.Scope?);
                    Repeat(each, _ => WriteElement(value, 0x06, Identifier(i)));
                });
            }
        });
    }

    private byte[] Identifier(int number)
    {
        var octets = new byte[Math.Max(3, IdentifierLength)];
        octets.AsSpan().Fill(0x01);
        octets[0] = 0x2a;
        (octets[^3], octets[^2], octets[^1]) = ((byte)(0x80 | (number >> 14) | 1), (byte)(0x80 | (number >> 7)), (byte)(number & 0x7f));
        return octets;
    }

    private static void WriteGeneralName(AsnWriter writer, int form, int length, int number)
    {
        var text = new byte[Math.Max(length, 8)];
        text.AsSpan().Fill((byte)'a');
        if (form == 4)
        {
            var inner = new AsnWriter(AsnEncodingRules.DER);
            using (inner.PushSequence())
            {
                WriteRdn(inner, 0x0c, text, 3);
            }

            WriteElement(writer, 0xa4, inner.Encode());
            return;
        }

        if (form is 0 or 9)
        {
            // A user principal name, or what is none.
            byte[] value = form == 0 ? [0x0c, 3, .. "a@b"u8] : [0x05, 0x00];
            WriteElement(writer, 0xa0, [0x06, 10, 0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2, 3, 0xa0, (byte)value.Length, .. value]);
            return;
        }

        if (form is 3 or 5 or 8)
        {
            WriteElement(writer, (byte)(form == 8 ? 0x88 : 0xa0 | form), length == 0 ? [] : text);
            return;
        }

        if (form == 7)
        {
            WriteElement(writer, 0x87, [10, (byte)(number >> 16), (byte)(number >> 8), (byte)number]);
            return;
        }

        var shape = form switch { 1 => "@a.test", 6 => "a://b.c/", _ => ".test" };
        var bytes = System.Text.Encoding.ASCII.GetBytes(shape);
        bytes.CopyTo(form == 6 ? text.AsSpan() : text.AsSpan(text.Length - bytes.Length));
        WriteElement(writer, (byte)(0x80 | form), length == 0 ? [] : text);
    }

    private void WriteName(AsnWriter writer, int number)
    {
        using (writer.PushSequence())
        {
            if (number == 0)
            {
                WriteRdn(writer, 0x0c, "Root"u8.ToArray(), 3);
                return;
            }

            WriteRdn(writer, 0x0c, System.Text.Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"N{number}")), 3);
            var value = new byte[AttributeLength / 4 * 4];
            value.AsSpan().Fill(StringType is 0x1e or 0x1c ? (byte)0 : (byte)'B');
            var attributes = Math.Min(Fit(Attributes, 2 * AttributeLength), 255);
            for (var written = 0; written < attributes; written += AttributesInOneStep)
            {
                WriteRdn(writer, (byte)StringType, value, 11, Math.Min(AttributesInOneStep, attributes - written));
            }
        }
    }

    private static void WriteRdn(AsnWriter writer, byte type, byte[] value, byte attribute, int attributes = 1)
    {
        using (writer.PushSetOf())
        {
            for (var i = 0; i < attributes; i++)
            {
                using (writer.PushSequence())
                {
                    WriteElement(writer, 0x06, [0x55, 0x04, (byte)(attribute + (i % 64))]);
                    WriteElement(writer, type, i < 64 || value.Length == 0 ? value : [(byte)('B' + (i / 64)), .. value.AsSpan(1)]);
                }
            }
        }
    }

    private static void WriteExtension(AsnWriter writer, string oid, Action<AsnWriter> write)
    {
        var value = new AsnWriter(AsnEncodingRules.DER);
        write(value);
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(oid);
            writer.WriteOctetString(value.Encode());
        }
    }

    private static void WriteAlgorithm(AsnWriter writer)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier("1.2.840.10045.4.3.2");
        }
    }

    private static void WriteElement(AsnWriter writer, byte tag, ReadOnlySpan<byte> content)
    {
        byte[] head = content.Length switch
        {
            < 0x80 => [tag, (byte)content.Length],
            < 0x100 => [tag, 0x81, (byte)content.Length],
            _ => [tag, 0x82, (byte)(content.Length >> 8), (byte)content.Length],
        };
        writer.WriteEncodedValue([.. head, .. content]);
    }

    /// <summary>As many of this length as a certificate has room for.</summary>
    private static int Fit(int count, int octetsEach) => Math.Min(count, MaxOctets / (octetsEach + 2));

    private static void Repeat(int count, Action<int> act)
    {
        for (var i = 0; i < count; i++)
        {
            act(i);
        }
    }

    private static byte[][] MakeKeys()
    {
        byte[] Curve(ECCurve curve)
        {
            using var key = ECDsa.Create(curve);
            return key.ExportSubjectPublicKeyInfo();
        }

        byte[] Rsa(int octets, byte[] exponent)
        {
            var modulus = RandomNumberGenerator.GetBytes(octets);
            modulus[0] |= 0x80;
            modulus[^1] |= 1;
            using var key = RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent });
            return key.ExportSubjectPublicKeyInfo();
        }

        return [Curve(ECCurve.NamedCurves.nistP256), Curve(ECCurve.NamedCurves.nistP384), Curve(
            ECCurve.NamedCurves.nistP521), Rsa(256, [1, 0, 1]), Rsa(1024, Convert.FromHexString("ffffffffffffffc5"))];
    }
}
