using System.Net;
using System.Net.Sockets;

namespace MutualAuth.Collections;

/// <summary>What counts as one address where something is bounded for each. Pure.</summary>
internal static class AddressKey
{
    // RFC 6052 §2.1: 64:ff9b::/96.
    private static ReadOnlySpan<byte> WellKnownPrefix => [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>The key of an end point; null where it has no address, as on Unix domain sockets: what has no address is not counted by it.</summary>
    internal static IPAddress? Of(EndPoint? endPoint) => Of((endPoint as IPEndPoint)?.Address);

    /// <summary>
    /// The address, of which an IPv6 host has a whole /64 to itself. A host of IPv4 is one, however its address is written: mapped, or by a
    /// translator (RFC 6052),
    /// of whose one prefix all hosts of IPv4 would otherwise be. Null where there is none.
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

    /// <summary>The /48 of an IPv6 address: whoever has one /64 of it usually has many of the others. Null for every other.</summary>
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
