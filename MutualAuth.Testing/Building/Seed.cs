using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Crypto.Prng;
using Org.BouncyCastle.Security;

namespace MutualAuth.Testing.Building;

/// <summary>Octets that are always the same for the same text: HMAC-SHA-256 in counter mode over labels.</summary>
/// <remarks>For tests only: the text reveals every key.</remarks>
internal sealed class Seed
{
    private readonly byte[] _key;

    private Seed(byte[] key) => _key = key;

    internal static Seed Of(string text) => new(SHA256.HashData(Encoding.UTF8.GetBytes("MutualAuth.Testing seed 1\0" + text)));

    internal static Seed Of(ReadOnlySpan<byte> octets) => new(SHA256.HashData(octets));

    /// <summary>An independent seed for one purpose.</summary>
    internal Seed Derive(string label) => new(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes("derive\0" + label)));

    internal byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        new Generator(_key).NextBytes(bytes);
        return bytes;
    }

    internal SecureRandom ToRandom() => new(new Generator(_key));

    internal string Fingerprint => Convert.ToHexString(SHA256.HashData(_key));

    private sealed class Generator(byte[] key) : IRandomGenerator
    {
        private readonly byte[] _block = new byte[32];
        private long _counter;
        private int _used = 32;

        // BouncyCastle stirs in time and thread data of its own; the point of this generator is to have none.
        public void AddSeedMaterial(byte[] seed)
        {
        }

        public void AddSeedMaterial(ReadOnlySpan<byte> seed)
        {
        }

        public void AddSeedMaterial(long seed)
        {
        }

        public void NextBytes(byte[] bytes) => NextBytes(bytes.AsSpan());

        public void NextBytes(byte[] bytes, int start, int len) => NextBytes(bytes.AsSpan(start, len));

        public void NextBytes(Span<byte> bytes)
        {
            Span<byte> counter = stackalloc byte[8];
            for (var i = 0; i < bytes.Length; i++)
            {
                if (_used == _block.Length)
                {
                    BinaryPrimitives.WriteInt64BigEndian(counter, _counter++);
                    HMACSHA256.HashData(key, counter, _block);
                    _used = 0;
                }

                bytes[i] = _block[_used++];
            }
        }
    }
}
