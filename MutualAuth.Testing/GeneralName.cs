using System.Net;
using MutualAuth.Testing.Building;
using Org.BouncyCastle.Asn1;

namespace MutualAuth.Testing;

/// <summary>One name of a subject alternative name, or one subtree of a name constraint (RFC 5280 §4.2.1.6), with no check of its content.</summary>
public sealed class GeneralName
{
    private GeneralName(Asn1Encodable encoding) => Encoding = encoding;

    internal Asn1Encodable Encoding { get; }

    /// <summary>A DNS name; characters beyond ASCII go out as UTF-8, which is wrong and may be wanted.</summary>
    public static GeneralName Dns(string name) => OfText(2, name);

    /// <summary>An e-mail address.</summary>
    public static GeneralName Email(string address) => OfText(1, address);

    /// <summary>A URI.</summary>
    public static GeneralName Uri(string uri) => OfText(6, uri);

    /// <summary>An IP address of either family.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="address"/> is null.</exception>
    public static GeneralName Address(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return Raw(7, address.GetAddressBytes());
    }

    /// <summary>An address with its mask, as name constraints have it.</summary>
    public static GeneralName AddressRange(IPNetwork range)
    {
        var address = range.BaseAddress.GetAddressBytes();
        var mask = new byte[address.Length];
        for (var bit = 0; bit < range.PrefixLength; bit++)
        {
            mask[bit / 8] |= (byte)(0x80 >> (bit % 8));
        }

        return Raw(7, address.Concat(mask).ToArray());
    }

    /// <summary>A distinguished name in the string form of RFC 4514.</summary>
    public static GeneralName Directory(string rfc4514) => new(new DerTaggedObject(true, 4, Dn.Parse(rfc4514)));

    /// <summary>An object identifier.</summary>
    public static GeneralName RegisteredId(string oid) => new(new DerTaggedObject(false, 8, new DerObjectIdentifier(oid)));

    /// <summary>A name of a type of its own.</summary>
    /// <param name="oid">The type of the name.</param>
    /// <param name="value">Its value in DER.</param>
    public static GeneralName Other(string oid, ReadOnlyMemory<byte> value) => new(new DerTaggedObject(
        false,
        0,
        new DerSequence(new DerObjectIdentifier(oid), new DerTaggedObject(true, 0, Asn1Object.FromByteArray(value.ToArray())))));

    /// <summary>Any context-specific tag with any octets: an address of five octets, a name with a NUL, a form that does not exist.</summary>
    public static GeneralName Raw(int tag, ReadOnlyMemory<byte> octets) => new(new DerTaggedObject(false, tag, new DerOctetString(octets.ToArray())));

    /// <summary>Reads <paramref name="text"/> for what it looks like: an IP address, a URI, an e-mail address, or else a DNS name.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    public static GeneralName Guess(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return IPAddress.TryParse(text, out var address) ? Address(address)
            : text.Contains("://", StringComparison.Ordinal) ? Uri(text)
            : text.Contains('@') ? Email(text)
            : Dns(text);
    }

    private static GeneralName OfText(int tag, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Raw(tag, System.Text.Encoding.UTF8.GetBytes(text));
    }
}
