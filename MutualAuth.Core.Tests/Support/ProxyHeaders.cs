using System.Buffers.Binary;
using System.Net;
using System.Text;
using MutualAuth.Connections;

namespace MutualAuth.Tests.Support;

/// <summary>PROXY protocol headers, as a load balancer writes them.</summary>
internal static class ProxyHeaders
{
    internal static byte[] Version1(string source, int port = 4711)
    {
        var (family, destination) = source.Contains(':') ? ("TCP6", "::1") : ("TCP4", "127.0.0.1");
        return Encoding.ASCII.GetBytes($"PROXY {family} {source} {destination} {port} 443\r\n");
    }

    internal static byte[] Version2(string source, int port = 4711, params byte[] fields) =>
        Binary(0x21, (byte)(source.Contains(':') ? 0x21 : 0x11), [.. Addresses(source, port), .. fields]);

    /// <summary>A health check of the proxy's own.</summary>
    internal static byte[] Local() => Binary(0x20, 0, []);

    internal static byte[] Binary(byte versionAndCommand, byte family, byte[] rest) =>
        [.. ProxyHeader.Signature, versionAndCommand, family, (byte)(rest.Length >> 8), (byte)rest.Length, .. rest];

    /// <summary>The source, a destination of zeros, and the ports.</summary>
    internal static byte[] Addresses(string source, int port)
    {
        var address = IPAddress.Parse(source).GetAddressBytes();
        var ports = new byte[4];
        BinaryPrimitives.WriteUInt16BigEndian(ports, (ushort)port);
        return [.. address, .. new byte[address.Length], .. ports];
    }
}
