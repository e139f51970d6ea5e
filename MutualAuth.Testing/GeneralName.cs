using System.Globalization;
using System.Net;
using System.Text;
using MutualAuth.Testing.Building;
using Org.BouncyCastle.Asn1;

namespace MutualAuth.Testing;

/// <summary>One name of a subject alternative name, or one subtree of a name constraint (RFC 5280 §4.2.1.6), with no check of its content.</summary>
public sealed class GeneralName
{
    internal GeneralName(Asn1Encodable encoding) => Encoding = encoding;

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

    /// <summary>A service of a domain, such as <c>_imaps.example.org</c>: an SRVName (RFC 4985).</summary>
    public static GeneralName Service(string name) => Other("1.3.6.1.5.5.7.8.7", Der.Ia5(name));

    /// <summary>
    /// An e-mail address whose local part is beyond ASCII: a SmtpUTF8Mailbox (RFC 9598). Nothing is converted; the domain of a right one has
    /// A-labels.
    /// </summary>
    public static GeneralName SmtpUtf8Mailbox(string address) => Other("1.3.6.1.5.5.7.8.9", new DerUtf8String(address).GetDerEncoded());

    /// <summary>Any context-specific tag with any octets: an address of five octets, a name with a NUL, a form that does not exist.</summary>
    public static GeneralName Raw(int tag, ReadOnlyMemory<byte> octets) => new(new DerTaggedObject(false, tag, new DerOctetString(octets.ToArray())));

    /// <summary>
    /// Reads <paramref name="text"/> for what it looks like: an IP address, a URI with <c>://</c> or of the scheme <c>urn</c>, an e-mail address, or
    /// else a DNS name. A name in another script becomes its A-labels (RFC 5890 §2.3.2.1), as an authority would issue it.
    /// </summary>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// <paramref name="text"/> is empty or could mean several things: a number that some read as an address, a range, a host with a port, an
    /// address with a zone, an e-mail address or a URI beyond ASCII. The other members of this class write any of them.
    /// </exception>
    public static GeneralName Guess(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentException.ThrowIfNullOrEmpty(text);
        if (IPAddress.TryParse(text, out var address))
        {
            if (text.Contains('%'))
            {
                throw Ambiguous(text, "its zone means something on one machine alone, and a certificate has none; leave it out");
            }

            // The parser passes over a port behind the bracket.
            if (text.Contains(':') ? !text.StartsWith('[') || text.EndsWith(']') : address.ToString() == text)
            {
                return Address(address);
            }
        }

        if (text.Contains("://", StringComparison.Ordinal) || text.StartsWith("urn:", StringComparison.OrdinalIgnoreCase))
        {
            return Ascii.IsValid(text) ? Uri(text) : throw Ambiguous(text, "a URI has ASCII characters alone; GeneralName.Uri writes it as it is");
        }

        if (text.Contains(':'))
        {
            throw Ambiguous(text, "it has a port or a scheme, and a certificate is for a host or an address; leave that out, or use GeneralName.Uri");
        }

        if (text.IndexOf('@') is >= 0 and var at)
        {
            return Ascii.IsValid(text.AsSpan(0, at)) ? Email(text[..at] + "@" + ToALabels(text[(at + 1)..]))
                : throw Ambiguous(text, "what stands before the @ is beyond ASCII: use GeneralName.SmtpUtf8Mailbox (RFC 9598) or GeneralName.Email");
        }

        if (IPNetwork.TryParse(text, out _))
        {
            throw Ambiguous(text, "a certificate is for addresses and not for a range; GeneralName.AddressRange is for name constraints");
        }

        if (EndsInNumber(text))
        {
            throw Ambiguous(text, "some read it as an IPv4 address; write all four parts, or use GeneralName.Dns");
        }

        return Dns(ToALabels(text));
    }

    /// <summary>What ends in a number is an IPv4 address to some readers (URL Standard, "ends in a number") and a DNS name to others.</summary>
    private static bool EndsInNumber(string text)
    {
        var last = text.TrimEnd('.').Split('.')[^1];
        return last.Length > 0
            && (last.All(char.IsAsciiDigit)
                || (last.StartsWith("0x", StringComparison.OrdinalIgnoreCase) && last.Skip(2).All(char.IsAsciiHexDigit)));
    }

    /// <summary>The name with each label beyond ASCII as its A-label, in small letters.</summary>
    internal static string ToALabels(string name)
    {
        if (Ascii.IsValid(name))
        {
            return name;
        }

        try
        {
            return new IdnMapping().GetAscii(name.Normalize(NormalizationForm.FormC).ToLowerInvariant());
        }
        catch (ArgumentException exception)
        {
            throw new ArgumentException(
                $"'{name}' has no form in ASCII: {exception.Message} GeneralName.Dns writes it as it is.", nameof(name), exception);
        }
    }

    private static ArgumentException Ambiguous(string text, string advice) => new($"'{text}' could mean several things: {advice}.", nameof(text));

    private static GeneralName OfText(int tag, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Raw(tag, System.Text.Encoding.UTF8.GetBytes(text));
    }
}
