using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace MutualAuth.Tool;

/// <summary>The entries of revocation lists (RFC 5280 §5.1), which the library has read and found in order before.</summary>
internal static class RevokedEntries
{
    private const string ReasonCode = "2.5.29.21";

    internal sealed record Entry(string Serial, DateTimeOffset At, string Reason);

    internal static IEnumerable<IReadOnlyList<Entry>> OfFile(byte[] bytes)
    {
        if (bytes is [0x30, ..])
        {
            return [Of(bytes)];
        }

        var lists = new List<IReadOnlyList<Entry>>();
        var text = Encoding.Latin1.GetString(bytes);
        for (var rest = text.AsSpan(); PemEncoding.TryFind(rest, out var fields); rest = rest[fields.Location.End..])
        {
            if (rest[fields.Label] is "X509 CRL")
            {
                lists.Add(Of(Convert.FromBase64String(rest[fields.Base64Data].ToString())));
            }
        }

        return lists;
    }

    private static List<Entry> Of(ReadOnlyMemory<byte> der)
    {
        var entries = new List<Entry>();
        var list = new AsnReader(der, AsnEncodingRules.DER).ReadSequence().ReadSequence();
        if (list.PeekTag() == Asn1Tag.Integer)
        {
            list.ReadEncodedValue();
        }

        list.ReadEncodedValue(); // signature
        list.ReadEncodedValue(); // issuer
        ReadTime(list);
        if (list.HasData && list.PeekTag() is
            {
                TagClass: TagClass.Universal, TagValue: (int)UniversalTagNumber.UtcTime
            or (int)UniversalTagNumber.GeneralizedTime
            })
        {
            ReadTime(list);
        }

        if (!list.HasData || list.PeekTag() != Asn1Tag.Sequence)
        {
            return entries;
        }

        for (var revoked = list.ReadSequence(); revoked.HasData;)
        {
            var entry = revoked.ReadSequence();
            var serial = Convert.ToHexString(entry.ReadIntegerBytes().Span);
            var at = ReadTime(entry);
            entries.Add(new Entry(serial, at, entry.HasData ? ReasonOf(entry.ReadSequence()) : "unspecified"));
        }

        return entries;
    }

    private static string ReasonOf(AsnReader extensions)
    {
        while (extensions.HasData)
        {
            var extension = extensions.ReadSequence();
            var isReason = extension.ReadObjectIdentifier() == ReasonCode;
            if (extension.PeekTag() == Asn1Tag.Boolean)
            {
                extension.ReadBoolean();
            }

            var value = extension.ReadOctetString();
            if (isReason)
            {
                return RejectionCodes.ToSnakeCase(new AsnReader(value, AsnEncodingRules.DER).ReadEnumeratedValue<X509RevocationReason>().ToString());
            }
        }

        return "unspecified";
    }

    private static DateTimeOffset ReadTime(AsnReader reader) =>
        reader.PeekTag().TagValue == (int)UniversalTagNumber.UtcTime ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();
}
