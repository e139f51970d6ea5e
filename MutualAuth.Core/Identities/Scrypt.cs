using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace MutualAuth.Identities;

/// <summary>The key derivation function scrypt (RFC 7914), which the framework does not have, over the framework's PBKDF2.</summary>
/// <remarks>For keys of our own, which are opened once: memory and time depend on what the operator's file says, up to a bound.</remarks>
internal static class Scrypt
{
    internal const int MaxMemory = 256 * 1024 * 1024;

    private const int BlockWords = 16;

    /// <returns>The key; null when the parameters are not allowed.</returns>
    internal static byte[]? DeriveKey(byte[] password, ReadOnlySpan<byte> salt, int cost, int blockSize, int parallelization, int length)
    {
        if (cost < 2 || !BitOperations.IsPow2(cost) || blockSize < 1 || parallelization < 1
            || 128L * cost > MaxMemory / blockSize || 128L * parallelization > MaxMemory / blockSize)
        {
            return null;
        }

        var size = 128 * blockSize;
        var blocks = Rfc2898DeriveBytes.Pbkdf2(password, salt, 1, HashAlgorithmName.SHA256, parallelization * size);
        for (var i = 0; i < parallelization; i++)
        {
            Mix(blocks.AsSpan(i * size, size), cost);
        }

        return Rfc2898DeriveBytes.Pbkdf2(password, blocks, 1, HashAlgorithmName.SHA256, length);
    }

    /// <summary>The memory-hard mixing of one block (RFC 7914 §5).</summary>
    private static void Mix(Span<byte> block, int cost)
    {
        var words = block.Length / 4;
        var x = new uint[words];
        for (var i = 0; i < words; i++)
        {
            x[i] = BinaryPrimitives.ReadUInt32LittleEndian(block[(4 * i)..]);
        }

        var scratch = new uint[words];
        var table = new uint[(long)cost * words];
        for (var i = 0; i < cost; i++)
        {
            x.CopyTo(table.AsSpan(i * words));
            MixBlocks(x, scratch);
        }

        for (var i = 0; i < cost; i++)
        {
            var chosen = (int)(x[words - BlockWords] & (uint)(cost - 1));
            Xor(x, table.AsSpan(chosen * words, words));
            MixBlocks(x, scratch);
        }

        for (var i = 0; i < words; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(block[(4 * i)..], x[i]);
        }
    }

    /// <summary>The mixing of a row of blocks (RFC 7914 §4): the even blocks come first, then the odd ones.</summary>
    private static void MixBlocks(Span<uint> blocks, Span<uint> scratch)
    {
        Span<uint> x = stackalloc uint[BlockWords];
        blocks[^BlockWords..].CopyTo(x);
        var count = blocks.Length / BlockWords;
        for (var i = 0; i < count; i++)
        {
            Xor(x, blocks.Slice(i * BlockWords, BlockWords));
            Salsa(x);
            x.CopyTo(scratch[(((i / 2) + ((i & 1) * (count / 2))) * BlockWords)..]);
        }

        scratch.CopyTo(blocks);
    }

    private static void Xor(Span<uint> left, ReadOnlySpan<uint> right)
    {
        for (var i = 0; i < left.Length; i++)
        {
            left[i] ^= right[i];
        }
    }

    /// <summary>Salsa20/8 (RFC 7914 §3): four times the columns and the rows.</summary>
    private static void Salsa(Span<uint> block)
    {
        Span<uint> x = stackalloc uint[BlockWords];
        block.CopyTo(x);
        for (var round = 0; round < 4; round++)
        {
            Quarter(x, 0, 4, 8, 12);
            Quarter(x, 5, 9, 13, 1);
            Quarter(x, 10, 14, 2, 6);
            Quarter(x, 15, 3, 7, 11);
            Quarter(x, 0, 1, 2, 3);
            Quarter(x, 5, 6, 7, 4);
            Quarter(x, 10, 11, 8, 9);
            Quarter(x, 15, 12, 13, 14);
        }

        for (var i = 0; i < BlockWords; i++)
        {
            block[i] += x[i];
        }
    }

    private static void Quarter(Span<uint> x, int a, int b, int c, int d)
    {
        x[b] ^= BitOperations.RotateLeft(x[a] + x[d], 7);
        x[c] ^= BitOperations.RotateLeft(x[b] + x[a], 9);
        x[d] ^= BitOperations.RotateLeft(x[c] + x[b], 13);
        x[a] ^= BitOperations.RotateLeft(x[d] + x[c], 18);
    }
}
