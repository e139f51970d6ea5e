using System.Buffers.Binary;
using System.Net.Security;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Hello;

namespace MutualAuth.Platforms;

/// <summary>
/// Reads what a server of TLS 1.3 says under the keys of the handshake (RFC 8446 §7.1, §7.3), in a handshake in memory whose client we play.
/// </summary>
internal static class Tls13Secrets
{
    private const byte ApplicationRecord = 23;
    private const byte HandshakeContent = 22;
    private const int RecordHeader = 5;
    private const int TagLength = 16;

    /// <summary>The messages after the ServerHello, as far as they can be read.</summary>
    /// <param name="hello">The message of our hello.</param>
    /// <param name="flight">What the server answered.</param>
    /// <param name="suite">The suite that it chose.</param>
    /// <param name="agreed">The shared secret of the key exchange.</param>
    internal static List<(byte Type, byte[] Body)> Open(ReadOnlySpan<byte> hello, ReadOnlySpan<byte> flight, int suite, ReadOnlySpan<byte> agreed)
    {
        if (HashOf(suite) is not { } hash || !flight.StartsWith([HandshakeContent]))
        {
            return [];
        }

        var first = RecordHeader + BinaryPrimitives.ReadUInt16BigEndian(flight[3..]);
        byte[] transcript = [.. hello, .. flight[RecordHeader..first]];
        var secret = HandshakeSecret(hash, CryptographicOperations.HashData(hash, transcript), agreed);
        var key = Expand(hash, secret, "key", [], suite == (int)TlsCipherSuite.TLS_AES_128_GCM_SHA256 ? 16 : 32);
        var iv = Expand(hash, secret, "iv", [], 12);
        var content = new List<byte>();
        ulong sequence = 0;
        var records = new WireReader(flight[first..]);
        while (records.TryRead(3, out var header) && records.TryReadVector16(out var fragment))
        {
            if (header[0] == ApplicationRecord)
            {
                content.AddRange(Decrypt(suite, key, iv, sequence++, header, fragment));
            }
        }

        return TlsMessages.Split([.. content]);
    }

    private static HashAlgorithmName? HashOf(int suite) => (TlsCipherSuite)suite switch
    {
        TlsCipherSuite.TLS_AES_256_GCM_SHA384 => HashAlgorithmName.SHA384,
        TlsCipherSuite.TLS_AES_128_GCM_SHA256 or TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256 => HashAlgorithmName.SHA256,
        _ => null,
    };

    private static byte[] HandshakeSecret(HashAlgorithmName hash, byte[] transcriptHash, ReadOnlySpan<byte> agreed)
    {
        var nothing = new byte[transcriptHash.Length];
        var early = HKDF.Extract(hash, nothing, nothing);
        var salt = Expand(hash, early, "derived", CryptographicOperations.HashData(hash, []), nothing.Length);
        var handshake = HKDF.Extract(hash, agreed.ToArray(), salt);
        return Expand(hash, handshake, "s hs traffic", transcriptHash, nothing.Length);
    }

    // Length, label and context, each with its own length (RFC 8446 §7.1).
    private static byte[] Expand(HashAlgorithmName hash, byte[] secret, string label, byte[] context, int length)
    {
        var full = Encoding.ASCII.GetBytes($"tls13 {label}");
        return HKDF.Expand(
            hash, secret, length, [(byte)(length >> 8), (byte)length, (byte)full.Length, .. full, (byte)context.Length, .. context]);
    }

    private static byte[] Decrypt(
        int suite, byte[] key, byte[] iv, ulong sequence, ReadOnlySpan<byte> header, ReadOnlySpan<byte> fragment)
    {
        if (fragment.Length <= TagLength)
        {
            return [];
        }

        var nonce = (byte[])iv.Clone();
        for (var at = 0; at < sizeof(ulong); at++)
        {
            nonce[^(at + 1)] ^= (byte)(sequence >> (8 * at));
        }

        byte[] data = [.. header, (byte)(fragment.Length >> 8), (byte)fragment.Length];
        var plain = new byte[fragment.Length - TagLength];
        if (suite == (int)TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256)
        {
            using var chacha = new ChaCha20Poly1305(key);
            chacha.Decrypt(nonce, fragment[..^TagLength], fragment[^TagLength..], plain, data);
        }
        else
        {
            using var aes = new AesGcm(key, TagLength);
            aes.Decrypt(nonce, fragment[..^TagLength], fragment[^TagLength..], plain, data);
        }

        // Padding of zeros, then the type of the content.
        var end = plain.AsSpan().LastIndexOfAnyExcept((byte)0);
        return end >= 0 && plain[end] == HandshakeContent ? plain[..end] : [];
    }
}
