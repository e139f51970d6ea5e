namespace MutualAuth.Audit;

/// <summary>Reads lines of octets from a stream, in memory that is bounded by the longest line.</summary>
internal sealed class AuditLines(Stream stream)
{
    private readonly byte[] _buffer = new byte[AuditChain.MaxLineLength];
    private int _start;
    private int _end;

    /// <summary>Where the next line begins, counted from where this reader began.</summary>
    internal long Position { get; private set; }

    /// <summary>The next line, without its end, valid until the next call.</summary>
    /// <param name="line">The line, or what stands where a line should be.</param>
    /// <returns>True for a complete line; false at the end, and where there is no end of a line within the longest one.</returns>
    internal bool TryRead(out ReadOnlySpan<byte> line)
    {
        while (true)
        {
            var rest = _buffer.AsSpan(_start, _end - _start);
            if (rest.IndexOf((byte)'\n') is >= 0 and var length)
            {
                line = rest[..length];
                _start += length + 1;
                Position += length + 1;
                return true;
            }

            rest.CopyTo(_buffer);
            (_start, _end) = (0, rest.Length);
            var read = stream.Read(_buffer, _end, _buffer.Length - _end);
            if (read == 0)
            {
                line = _buffer.AsSpan(0, _end);
                return false;
            }

            _end += read;
        }
    }
}
