using System.Buffers.Binary;
using System.Security.Cryptography;

namespace MutualAuth.Platforms;

/// <summary>A ClientHello that asks a server one question (RFC 8446 §4.1.2). It offers what it holds, and nothing else.</summary>
/// <param name="Version">The only version.</param>
/// <param name="Suites">The cipher suites.</param>
/// <param name="Groups">The groups.</param>
/// <param name="Schemes">The signatures.</param>
internal sealed record QuestionHello(int Version, IReadOnlyList<int> Suites, IReadOnlyList<int> Groups, IReadOnlyList<int> Schemes)
{
    internal const int Tls12 = 0x0303;
    internal const int Tls13 = 0x0304;

    private const int RenegotiationInfoSignal = 0x00ff;
    private const int MaxRecord = 1 << 14;

    /// <summary>The group and key to send at once (TLS 1.3); null to leave the server to ask for the group that it wants.</summary>
    internal (int Group, byte[] Key)? Share { get; init; }

    /// <summary>The message.</summary>
    internal byte[] ToMessage()
    {
        List<byte> body = [.. Two(Math.Min(Version, Tls12)), .. RandomNumberGenerator.GetBytes(32), 0];
        body.AddRange(Vector([.. Suites.SelectMany(Two), .. Version < Tls13 ? Two(RenegotiationInfoSignal) : []]));
        body.AddRange([1, 0]);
        body.AddRange(Vector(Extensions()));
        return [1, (byte)(body.Count >> 16), .. Two(body.Count & 0xffff), .. body];
    }

    /// <summary>The records that carry it.</summary>
    internal static byte[] ToRecords(byte[] message) =>
        [.. message.Chunk(MaxRecord).SelectMany(fragment => (byte[])[22, 3, 1, .. Two(fragment.Length), .. fragment])];

    private byte[] Extensions()
    {
        var extensions = new List<byte>();
        Add(10, Vector([.. Groups.SelectMany(Two)]));
        Add(11, [1, 0]);
        Add(13, Vector([.. Schemes.SelectMany(Two)]));
        Add(23, []);
        if (Version == Tls13)
        {
            Add(43, [2, .. Two(Tls13)]);
            Add(51, Vector(Share is { } share ? [.. Two(share.Group), .. Vector(share.Key)] : []));
            Add(45, [1, 1]);
        }

        return [.. extensions];

        void Add(int type, byte[] data) => extensions.AddRange([.. Two(type), .. Vector(data)]);
    }

    private static byte[] Vector(byte[] data) => [.. Two(data.Length), .. data];

    private static byte[] Two(int value)
    {
        var octets = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(octets, checked((ushort)value));
        return octets;
    }
}
