using System.Formats.Asn1;

namespace MutualAuth.Tests.Support;

/// <summary>Takes encodings apart and puts them together again, wrong.</summary>
internal static class DerEdit
{
    /// <summary>Changes the list of values of a SEQUENCE.</summary>
    internal static byte[] Sequence(byte[] der, Action<List<byte[]>> edit)
    {
        var reader = new AsnReader(der, AsnEncodingRules.BER).ReadSequence();
        var parts = new List<byte[]>();
        while (reader.HasData)
        {
            parts.Add(reader.ReadEncodedValue().ToArray());
        }

        edit(parts);
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            foreach (var part in parts)
            {
                writer.WriteEncodedValue(part);
            }
        }

        return writer.Encode();
    }

    internal static byte[] Encode(Action<AsnWriter> write)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        write(writer);
        return writer.Encode();
    }
}
