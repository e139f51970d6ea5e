using System.Buffers.Binary;

namespace MutualAuth.Names;

/// <summary>A SHA-256 digest stored inline in 32 bytes, so that a million of them are one array.</summary>
internal readonly struct SpkiDigest : IEquatable<SpkiDigest>, IComparable<SpkiDigest>
{
    internal const int Size = 32;

    private readonly ulong _first;
    private readonly ulong _second;
    private readonly ulong _third;
    private readonly ulong _fourth;

    internal SpkiDigest(ReadOnlySpan<byte> sha256)
    {
        _first = BinaryPrimitives.ReadUInt64BigEndian(sha256);
        _second = BinaryPrimitives.ReadUInt64BigEndian(sha256[8..]);
        _third = BinaryPrimitives.ReadUInt64BigEndian(sha256[16..]);
        _fourth = BinaryPrimitives.ReadUInt64BigEndian(sha256[24..]);
    }

    /// <summary>Compares in constant time.</summary>
    public bool Equals(SpkiDigest other) =>
        ((_first ^ other._first) | (_second ^ other._second) | (_third ^ other._third) | (_fourth ^ other._fourth)) == 0;

    public override bool Equals(object? obj) => obj is SpkiDigest other && Equals(other);

    // A digest is already evenly distributed.
    public override int GetHashCode() => _first.GetHashCode();

    public int CompareTo(SpkiDigest other) =>
        _first != other._first ? _first.CompareTo(other._first)
        : _second != other._second ? _second.CompareTo(other._second)
        : _third != other._third ? _third.CompareTo(other._third)
        : _fourth.CompareTo(other._fourth);

    public override string ToString()
    {
        Span<byte> sha256 = stackalloc byte[Size];
        CopyTo(sha256);
        return Convert.ToBase64String(sha256);
    }

    internal void CopyTo(Span<byte> sha256)
    {
        BinaryPrimitives.WriteUInt64BigEndian(sha256, _first);
        BinaryPrimitives.WriteUInt64BigEndian(sha256[8..], _second);
        BinaryPrimitives.WriteUInt64BigEndian(sha256[16..], _third);
        BinaryPrimitives.WriteUInt64BigEndian(sha256[24..], _fourth);
    }
}
