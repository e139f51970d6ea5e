using System.Buffers.Binary;
using System.Text;

namespace MutualAuth.Tests.Support;

/// <summary>Builds ClientHello messages byte by byte, right and wrong.</summary>
internal static partial class HelloBytes
{
    internal static byte[] Message(params (int Type, byte[] Data)[] extensions) => Message(0x0303, extensions);

    internal static byte[] Message(int legacyVersion, params (int Type, byte[] Data)[] extensions)
    {
        byte[] block = [.. extensions.SelectMany(extension => Concat(UInt16(extension.Type), Vector16(extension.Data)))];
        byte[] body = Concat(UInt16(legacyVersion), new byte[32], [0], Vector16([0x13, 0x01]), [1, 0], extensions.Length == 0 ? [] : Vector16(block));
        return Concat([1, 0, (byte)(body.Length >> 8), (byte)body.Length], body);
    }

    /// <summary>The message in records of at most <paramref name="fragment"/> bytes.</summary>
    internal static byte[] Records(byte[] message, int fragment = 16384) =>
        [.. message.Chunk(fragment).SelectMany(chunk => Concat([22, 3, 1], UInt16(chunk.Length), chunk))];

    internal static (int Type, byte[] Data) ServerName(string name) => (0, Vector16(Concat([0], Vector16(Encoding.Latin1.GetBytes(name)))));

    internal static (int Type, byte[] Data) Alpn(params string[] protocols) =>
        (16, Vector16([.. protocols.SelectMany(protocol => Vector8(Encoding.Latin1.GetBytes(protocol)))]));

    internal static (int Type, byte[] Data) Versions(params int[] versions) => (43, Vector8([.. versions.SelectMany(UInt16)]));

    internal static byte[] Concat(params byte[][] parts) => [.. parts.SelectMany(part => part)];

    internal static byte[] UInt16(int value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)value);
        return bytes;
    }

    internal static byte[] Vector16(byte[] content) => Concat(UInt16(content.Length), content);

    internal static byte[] Vector8(byte[] content) => Concat([(byte)content.Length], content);
}
