using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MutualAuth.Asn1;

namespace MutualAuth.Revocation;

/// <summary>Finds the entry of a serial number in the encoded entries of a list, in constant time.</summary>
/// <remarks>
/// The entries stay in the signed encoding; this is an open-addressing table of their offsets, so that a million entries cost eight
/// megabytes beside the list itself, and no object each. Immutable once built.
/// </remarks>
internal sealed class SerialNumberSet
{
    // So many hashes are computed before their slots are visited, so that the processor waits for many slots at once and not for each.
    private const int Together = 64;

    // New in each process, so that no one can choose serial numbers that share a slot.
    private static readonly UInt128 s_key = BinaryPrimitives.ReadUInt128LittleEndian(RandomNumberGenerator.GetBytes(16));

    private readonly ReadOnlyMemory<byte> _entries;

    // One more than the offset, so that zero means a free slot. At least a third of the slots is free.
    private readonly int[] _slots;

    private SerialNumberSet(ReadOnlyMemory<byte> entries, int[] slots, int count, bool hasDuplicates)
    {
        _entries = entries;
        _slots = slots;
        Count = count;
        HasDuplicates = hasDuplicates;
    }

    internal static SerialNumberSet None { get; } = new(default, new int[1], 0, hasDuplicates: false);

    /// <summary>The number of different serial numbers.</summary>
    internal int Count { get; }

    /// <summary>Whether a serial number occurs twice; the first entry is found.</summary>
    internal bool HasDuplicates { get; }

    /// <summary>Indexes entries that have been checked for their form.</summary>
    /// <param name="entries">The contents of <c>revokedCertificates</c>.</param>
    /// <param name="offsets">The offset of each entry.</param>
    internal static SerialNumberSet Build(ReadOnlyMemory<byte> entries, List<int> offsets)
    {
        var slots = new int[BitOperations.RoundUpToPowerOf2((uint)(offsets.Count + (offsets.Count / 2) + 1))];
        var count = 0;
        var span = entries.Span;
        Span<ulong> hashes = stackalloc ulong[Together];
        for (var first = 0; first < offsets.Count; first += Together)
        {
            var some = CollectionsMarshal.AsSpan(offsets).Slice(first, Math.Min(Together, offsets.Count - first));
            for (var i = 0; i < some.Length; i++)
            {
                hashes[i] = HashOf(SerialAt(span, some[i]));
            }

            for (var i = 0; i < some.Length; i++)
            {
                var slot = SlotOf(span, slots, SerialAt(span, some[i]), hashes[i]);
                if (slots[slot] == 0)
                {
                    slots[slot] = some[i] + 1;
                    count++;
                }
            }
        }

        return new SerialNumberSet(entries, slots, count, count < offsets.Count);
    }

    /// <summary>The entry of a serial number, given as its contents octets.</summary>
    internal bool TryFind(ReadOnlySpan<byte> serial, out RevokedEntry entry)
    {
        var entries = _entries.Span;
        var offset = _slots[SlotOf(entries, _slots, serial, HashOf(serial))] - 1;
        if (offset < 0)
        {
            entry = default;
            return false;
        }

        var reader = new DerReader(_entries[offset..]);
        entry = RevokedEntry.Read(reader.ReadSequence());
        return true;
    }

    /// <summary>The contents octets of every serial number, in no order.</summary>
    internal IEnumerable<ReadOnlyMemory<byte>> Serials()
    {
        foreach (var slot in _slots)
        {
            if (slot != 0)
            {
                yield return SerialAt(slot - 1);
            }
        }
    }

    /// <summary>The slot that holds the serial number, or the free slot where it belongs.</summary>
    private static int SlotOf(ReadOnlySpan<byte> entries, int[] slots, ReadOnlySpan<byte> serial, ulong hash)
    {
        var slot = (int)hash & (slots.Length - 1);
        while (slots[slot] != 0 && !SerialAt(entries, slots[slot] - 1).SequenceEqual(serial))
        {
            slot = (slot + 1) & (slots.Length - 1);
        }

        return slot;
    }

    private static ulong HashOf(ReadOnlySpan<byte> serial)
    {
        var hash = (ulong)s_key ^ (uint)serial.Length;
        while (serial.Length >= sizeof(ulong))
        {
            hash = Mix(hash, BinaryPrimitives.ReadUInt64LittleEndian(serial));
            serial = serial[sizeof(ulong)..];
        }

        ulong rest = 0;
        foreach (var octet in serial)
        {
            rest = (rest << 8) | octet;
        }

        return Mix(hash, rest);
    }

    /// <summary>Both halves of a product, of which each bit depends on all bits of both factors.</summary>
    private static ulong Mix(ulong hash, ulong word)
    {
        var high = Math.BigMul(hash ^ word, (ulong)(s_key >> 64) | 1, out var low);
        return high ^ low;
    }

    private static ReadOnlySpan<byte> SerialAt(ReadOnlySpan<byte> entries, int offset)
    {
        var (start, length) = SerialRangeAt(entries, offset);
        return entries.Slice(start, length);
    }

    /// <summary>The position of the contents octets of the serial number, which is the first value of an entry and shorter than 128 octets.</summary>
    private static (int Start, int Length) SerialRangeAt(ReadOnlySpan<byte> entries, int offset)
    {
        var length = entries[offset + 1];
        var integer = offset + 2 + (length > 0x80 ? length & 0x7f : 0);
        return (integer + 2, entries[integer + 1]);
    }

    private ReadOnlyMemory<byte> SerialAt(int offset)
    {
        var (start, length) = SerialRangeAt(_entries.Span, offset);
        return _entries.Slice(start, length);
    }
}
