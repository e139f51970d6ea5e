using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace MutualAuth.Tool;

/// <summary>
/// A ClientHello (RFC 8446 §4.1.2) that asks one question. It has no key share: a server of TLS 1.3 answers with the group that it wants, one of
/// TLS 1.2 with its flight, and neither is answered.
/// </summary>
/// <param name="Version">The only version that is offered.</param>
/// <param name="Suites">The cipher suites, the favourite first.</param>
/// <param name="Groups">The groups, the favourite first.</param>
/// <param name="ServerName">The name, where there is one.</param>
/// <param name="Protocols">The application protocols.</param>
internal sealed record ProbeHello(
    int Version, IReadOnlyList<int> Suites, IReadOnlyList<int> Groups, string? ServerName, IReadOnlyList<string> Protocols)
{
    internal const int Tls10 = 0x0301;
    internal const int Tls11 = 0x0302;
    internal const int Tls12 = 0x0303;
    internal const int Tls13 = 0x0304;

    private const int RenegotiationInfoSignal = 0x00ff;

    // ECDSA and RSA with SHA-2, PSS, EdDSA, ML-DSA, and with SHA-1 for what is old.
    private static readonly int[] s_signatures =
    [
        0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501, 0x0601, 0x0904, 0x0905, 0x0906,
        0x0203, 0x0201,
    ];

    /// <summary>The record, ready for the wire.</summary>
    internal byte[] ToRecord()
    {
        List<byte> body = [.. Two(Math.Min(Version, Tls12)), .. RandomNumberGenerator.GetBytes(32), 32, .. RandomNumberGenerator.GetBytes(32)];
        body.AddRange(Vector16([.. Suites.SelectMany(Two), .. Version == Tls13 ? [] : Two(RenegotiationInfoSignal)]));
        body.AddRange([1, 0]);
        body.AddRange(Vector16(Extensions()));
        return [22, 3, 1, .. Two(body.Count + 4), 1, 0, .. Two(body.Count), .. body];
    }

    private byte[] Extensions()
    {
        var extensions = new List<byte>();
        if (ServerName is not null)
        {
            Add(0, Vector16([0, .. Vector16(Encoding.ASCII.GetBytes(ServerName))]));
        }

        Add(10, Vector16([.. Groups.SelectMany(Two)]));
        Add(11, [1, 0]);
        Add(13, Vector16([.. s_signatures.SelectMany(Two)]));
        Add(23, []);
        if (Protocols.Count > 0)
        {
            Add(16, Vector16([.. Protocols.Select(Encoding.UTF8.GetBytes).SelectMany(text => text.Prepend((byte)text.Length))]));
        }

        if (Version == Tls13)
        {
            Add(43, [2, .. Two(Tls13)]);
            Add(51, [0, 0]);
            Add(45, [1, 1]);
        }

        return [.. extensions];

        void Add(int type, byte[] data) => extensions.AddRange([.. Two(type), .. Vector16(data)]);
    }

    private static byte[] Vector16(byte[] data) => [.. Two(data.Length), .. data];

    private static byte[] Two(int value)
    {
        var octets = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(octets, checked((ushort)value));
        return octets;
    }
}
