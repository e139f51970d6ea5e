using System.Buffers.Binary;
using System.Security.Cryptography;

namespace MutualAuth.Stress.Roles;

/// <summary>ClientHellos made by hand (RFC 8446 §4.1.2), octet for octet: complete, and of whatever kind an attack needs.</summary>
internal static class Hellos
{
    private const int X25519 = 0x001d;
    private const int Secp256r1 = 0x0017;
    private const int Ffdhe8192 = 0x0104;

    /// <summary>TLS 1.3 with a key share of x25519: what every client sends.</summary>
    internal static byte[] Tls13() => Hello(0x0303, [0x1302, 0x1301, 0xc02c, 0xc02b], [X25519, Secp256r1], (X25519, 32), versions: [0x0304, 0x0303]);

    /// <summary>TLS 1.1: no extension of versions, and the suites of that time.</summary>
    internal static byte[] Tls11() => Hello(0x0302, [0xc00a, 0xc009, 0xc014, 0xc013, 0x0035, 0x002f], [X25519, Secp256r1], null, versions: []);

    /// <summary>TLS 1.3 with a key share of ffdhe8192 alone, whose 1,024 octets are random: cheap to send, dear to answer (CVE-2002-20001).</summary>
    internal static byte[] FiniteField() => Hello(0x0303, [0x1302, 0x1301], [Ffdhe8192], (Ffdhe8192, 1024), versions: [0x0304]);

    private static byte[] Hello(int version, int[] suites, int[] groups, (int Group, int Length)? share, int[] versions)
    {
        List<byte> extensions =
            [.. Extension(10, Vector(Numbers(groups))), .. Extension(11, [1, 0]), .. Extension(13, Vector(Numbers(0x0403, 0x0503, 0x0804, 0x0401)))];
        byte[] name = [.. "server.test"u8];
        extensions.AddRange(Extension(0, Vector([0, .. Vector(name)])));
        if (versions.Length > 0)
        {
            extensions.AddRange(Extension(43, [(byte)(2 * versions.Length), .. Numbers(versions)]));
        }

        if (share is { } key)
        {
            // A finite-field share is a number between 1 and the prime less 1: a first octet of nought keeps it below.
            byte[] octets = RandomNumberGenerator.GetBytes(key.Length);
            octets[0] = 0;
            extensions.AddRange(Extension(51, Vector([.. Numbers(key.Group), .. Vector(octets)])));
        }

        byte[] body =
        [
            .. Numbers(version), .. RandomNumberGenerator.GetBytes(32), 32, .. RandomNumberGenerator.GetBytes(32),
            .. Vector(Numbers(suites)), 1, 0, .. Vector([.. extensions]),
        ];
        byte[] message = [1, 0, .. Numbers(body.Length), .. body];
        return [22, 3, 1, .. Vector(message)];
    }

    private static byte[] Extension(int type, byte[] data) => [.. Numbers(type), .. Vector(data)];

    private static byte[] Vector(byte[] content) => [.. Numbers(content.Length), .. content];

    private static byte[] Numbers(params ReadOnlySpan<int> values)
    {
        var octets = new byte[2 * values.Length];
        for (var at = 0; at < values.Length; at++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(octets.AsSpan(2 * at), (ushort)values[at]);
        }

        return octets;
    }
}
