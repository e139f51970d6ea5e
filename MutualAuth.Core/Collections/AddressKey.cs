using System.Net;
using System.Net.Sockets;

namespace MutualAuth.Collections;

/// <summary>The key by which addresses are counted where there is a bound for each address. Pure.</summary>
internal static class AddressKey
{
    // RFC 6052 §2.1: 64:ff9b::/96.
    private static ReadOnlySpan<byte> WellKnownPrefix => [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>The key of an end point; null when it has no address, as on Unix domain sockets: such peers are not counted by address.</summary>
    internal static IPAddress? Of(EndPoint? endPoint) => Of((endPoint as IPEndPoint)?.Address);

    /// <summary>
    /// The address, where an IPv6 host counts as its whole /64. An IPv4 host counts as one, however its address is written: also if it is
    /// mapped, or comes from a translator (RFC 6052), because all IPv4 hosts behind a translator share one prefix. Null when there is none.
    /// </summary>
    internal static IPAddress? Of(IPAddress? address)
    {
        if (address is not { AddressFamily: AddressFamily.InterNetworkV6 })
        {
            return address;
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        if (address.IsIPv4MappedToIPv6 || bytes.StartsWith(WellKnownPrefix))
        {
            return new IPAddress(bytes[12..]);
        }

        bytes[8..].Clear();
        return new IPAddress(bytes);
    }

    /// <summary>The /48 of an IPv6 address: the owner of one /64 usually has many others in the same /48. Null for every other address.</summary>
    internal static string? NetworkOf(IPAddress? address)
    {
        if (Of(address) is not { AddressFamily: AddressFamily.InterNetworkV6 } key)
        {
            return null;
        }

        Span<byte> bytes = stackalloc byte[16];
        key.TryWriteBytes(bytes, out _);
        bytes[6..].Clear();
        return $"{new IPAddress(bytes)}/48";
    }
}
