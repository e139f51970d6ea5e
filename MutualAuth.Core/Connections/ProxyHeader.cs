using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using MutualAuth.Errors;

namespace MutualAuth.Connections;

/// <summary>What the first octets of a connection from a proxy turned out to be: a header, no header, or the beginning of one. Pure.</summary>
/// <remarks>The PROXY protocol, versions 1 (a line of text) and 2 (binary), as HAProxy's <c>proxy-protocol.txt</c> describes it.</remarks>
internal readonly record struct ProxyHeader
{
    /// <summary>The longest header of version 1, its end of line included (§2.1).</summary>
    internal const int MaxTextLength = 107;

    internal const int BinaryPreambleLength = 16;

    private const int SignatureLength = 12;
    private const string TextRule = "PROXY protocol §2.1";
    private const string BinaryRule = "PROXY protocol §2.2";

    /// <summary>What a header of version 2 begins with.</summary>
    internal static ReadOnlySpan<byte> Signature => [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];

    private static ReadOnlySpan<byte> Text => "PROXY "u8;

    /// <summary>How many octets the header takes; 0 while it is not complete.</summary>
    internal int Length { get; private init; }

    /// <summary>Where the client is; null when the header does not say, so that the proxy's own address counts.</summary>
    internal IPEndPoint? Source { get; private init; }

    /// <summary>Why this is no header, and never will be.</summary>
    internal Rejection? Problem { get; private init; }

    /// <summary>While it is not complete: how many octets to have at most before it is looked at again.</summary>
    internal int Wanted { get; private init; }

    /// <param name="received">Everything since the first octet; at most one header of version 1 and what came with it, or one of version 2.</param>
    /// <param name="maxLength">The longest header of version 2 accepted, without its preamble.</param>
    internal static ProxyHeader Parse(ReadOnlySpan<byte> received, int maxLength)
    {
        if (IsPrefix(received, Signature))
        {
            return ParseBinary(received, maxLength);
        }

        return IsPrefix(received, Text)
            ? ParseText(received)
            : new ProxyHeader
            {
                Problem = new Rejection(
                    RejectionReason.ProxyHeaderMissing,
                    "a PROXY protocol header, as from every trusted proxy",
                    received[0] == 22 ? "a TLS record" : $"the octets {Convert.ToHexStringLower(received[..Math.Min(8, received.Length)])}")
                {
                    Hint = $"Have the proxy send the header (HAProxy: send-proxy-v2, nginx: proxy_protocol on), or take its address out of "
                        + $"{nameof(ProxyProtocol)}.{nameof(ProxyProtocol.TrustedProxies)}.",
                },
            };
    }

    private static bool IsPrefix(ReadOnlySpan<byte> received, ReadOnlySpan<byte> of)
    {
        var common = Math.Min(received.Length, of.Length);
        return received[..common].SequenceEqual(of[..common]);
    }

    private static ProxyHeader ParseText(ReadOnlySpan<byte> received)
    {
        var line = received[..Math.Min(received.Length, MaxTextLength)];
        var end = line.IndexOf("\r\n"u8);
        if (end < 0)
        {
            return line.Length < MaxTextLength
                ? new ProxyHeader { Wanted = MaxTextLength }
                : Malformed(TextRule, $"a line of at most {MaxTextLength} octets", "a longer one");
        }

        var length = end + 2;
        var fields = Encoding.Latin1.GetString(line[Text.Length..end]).Split(' ');
        if (fields[0] == "UNKNOWN")
        {
            return new ProxyHeader { Length = length };
        }

        var family = fields[0] switch
        {
            "TCP4" => AddressFamily.InterNetwork,
            "TCP6" => AddressFamily.InterNetworkV6,
            _ => AddressFamily.Unspecified,
        };
        return family != AddressFamily.Unspecified && fields.Length == 5
            && TryParse(fields[1], family, out var source) && TryParse(fields[2], family, out _)
            && TryParse(fields[3], out var port) && TryParse(fields[4], out _)
            ? new ProxyHeader { Length = length, Source = new IPEndPoint(source!, port) }
            : Malformed(
                TextRule,
                "TCP4 or TCP6, two addresses of that family and two ports, or UNKNOWN",
                SafeText.Quote(Encoding.Latin1.GetString(line[..end])));
    }

    /// <summary>Exactly the form in which the address is usually printed: no octal or hexadecimal parts, no scope, no brackets.</summary>
    private static bool TryParse(string text, AddressFamily family, out IPAddress? address)
    {
        address = null;
        if (family == AddressFamily.InterNetwork)
        {
            return IPAddress.TryParse(text, out address) && address.AddressFamily == family && address.ToString() == text;
        }

        foreach (var character in text)
        {
            if (!char.IsAsciiHexDigit(character) && character is not (':' or '.'))
            {
                return false;
            }
        }

        return IPAddress.TryParse(text, out address) && address.AddressFamily == family;
    }

    private static bool TryParse(string text, out ushort port) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && (text.Length == 1 || text[0] != '0');

    private static ProxyHeader ParseBinary(ReadOnlySpan<byte> received, int maxLength)
    {
        if (received.Length < BinaryPreambleLength)
        {
            return new ProxyHeader { Wanted = BinaryPreambleLength };
        }

        var (version, command) = (received[SignatureLength] >> 4, received[SignatureLength] & 0xf);
        if (version != 2 || command > 1)
        {
            return Malformed(BinaryRule, "version 2 with the command LOCAL or PROXY", $"version {version} with command {command}");
        }

        var size = BinaryPrimitives.ReadUInt16BigEndian(received[(BinaryPreambleLength - 2)..]);
        if (size > maxLength)
        {
            return Malformed(BinaryRule, $"at most {maxLength} octets of addresses and fields", $"{size} octets");
        }

        var isLocal = command == 0;
        var (family, transport) = (received[SignatureLength + 1] >> 4, received[SignatureLength + 1] & 0xf);

        // Unspecified, IPv4, IPv6, Unix. The source's address comes first, the ports behind both addresses.
        ReadOnlySpan<int> leastOf = [0, 12, 36, 216];
        if (!isLocal && (family >= leastOf.Length || transport > 1))
        {
            return Malformed(
                BinaryRule, "the family unspecified, IPv4, IPv6 or Unix, over a stream", $"family {family} with transport {transport}");
        }

        if (!isLocal && size < leastOf[family])
        {
            return Malformed(BinaryRule, $"at least {leastOf[family]} octets for two addresses of family {family}", $"{size} octets");
        }

        if (received.Length < BinaryPreambleLength + size)
        {
            return new ProxyHeader { Wanted = BinaryPreambleLength + size };
        }

        var addresses = received[BinaryPreambleLength..];
        var source = isLocal ? null : family switch
        {
            1 => new IPEndPoint(new IPAddress(addresses[..4]), BinaryPrimitives.ReadUInt16BigEndian(addresses[8..])),
            2 => new IPEndPoint(new IPAddress(addresses[..16]), BinaryPrimitives.ReadUInt16BigEndian(addresses[32..])),
            _ => null,
        };
        return new ProxyHeader { Length = BinaryPreambleLength + size, Source = source };
    }

    private static ProxyHeader Malformed(string rule, string expected, string presented) => new()
    {
        Problem = new Rejection(RejectionReason.ProxyHeaderMalformed, expected, presented)
        {
            Rule = rule,
            Hint = "See what runs at this address: only load balancers belong into "
                + $"{nameof(ProxyProtocol)}.{nameof(ProxyProtocol.TrustedProxies)}.",
        },
    };
}
