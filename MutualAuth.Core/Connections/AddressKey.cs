using System.Net;
using System.Net.Sockets;

namespace MutualAuth.Connections;

/// <summary>What counts as one address where something is bounded for each.</summary>
internal static class AddressKey
{
    /// <summary>The address, of which an IPv6 host has a whole /64 to itself; null where there is none, as on Unix domain sockets: what has no address is not counted by it.</summary>
    internal static IPAddress? Of(EndPoint? endPoint)
    {
        if (endPoint is not IPEndPoint { Address: var address })
        {
            return null;
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new IPAddress(bytes);
    }
}
