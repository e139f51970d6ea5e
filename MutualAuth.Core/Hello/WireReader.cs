using System.Buffers.Binary;

namespace MutualAuth.Hello;

/// <summary>Reads the presentation language of TLS (RFC 8446 §3) without ever stepping outside its bytes.</summary>
internal ref struct WireReader
{
    private ReadOnlySpan<byte> _rest;

    internal WireReader(ReadOnlySpan<byte> bytes) => _rest = bytes;

    internal readonly bool IsAtEnd => _rest.IsEmpty;

    internal bool TryRead(int count, out ReadOnlySpan<byte> bytes)
    {
        if (_rest.Length < count)
        {
            bytes = default;
            return false;
        }

        bytes = _rest[..count];
        _rest = _rest[count..];
        return true;
    }

    internal bool TryReadUInt16(out int value)
    {
        var read = TryRead(2, out var bytes);
        value = read ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : 0;
        return read;
    }

    internal bool TryReadVector8(out ReadOnlySpan<byte> content)
    {
        content = default;
        return TryRead(1, out var length) && TryRead(length[0], out content);
    }

    internal bool TryReadVector16(out ReadOnlySpan<byte> content)
    {
        content = default;
        return TryReadUInt16(out var length) && TryRead(length, out content);
    }
}
