using System.Globalization;
using System.Text;

namespace MutualAuth.Testing.Responders;

/// <summary>Reads one request of HTTP/1.1 after the other from a connection (RFC 9112), each within bounds.</summary>
internal sealed class HttpRequestReader(Stream stream)
{
    private const int MaxHead = 32 * 1024;
    private const int MaxBody = 1 << 20;
    private const int MaxChunkLine = 4096;

    // Chunks of one octet each, with what stands around them, are six times as long as the body.
    private const int MaxChunkedBody = 8 * MaxBody;

    private byte[] _buffer = new byte[4096];
    private int _start;
    private int _end;

    /// <summary>Whether octets are here already that have not been read.</summary>
    internal bool HasMore => _start < _end;

    /// <summary>The request that is being read, or was the last one; null before its request line is through.</summary>
    internal HttpRequestHead? Head { get; private set; }

    /// <summary>Reads request line and fields.</summary>
    /// <returns>Null when the connection has ended, and nothing of a request has come.</returns>
    /// <exception cref="HttpRefusedException">They are wrong or too long.</exception>
    /// <exception cref="EndOfStreamException">The connection ended in the middle.</exception>
    internal async Task<HttpRequestHead?> ReadHeadAsync(CancellationToken token)
    {
        Head = null;
        var left = MaxHead;
        string line;
        do
        {
            if (!HasMore && !await FillAsync(token).ConfigureAwait(false))
            {
                return null;
            }

            RefuseWhatIsNoText();
            line = await ReadLineAsync(left, HttpRefusal.TooLarge($"the request line is longer than {MaxHead} octets", 414), token)
                .ConfigureAwait(false);
            left -= line.Length + 2;
        }
        while (line.Length == 0);

        Head = new HttpRequestHead(line);
        var tooLong = HttpRefusal.TooLarge($"the head is longer than {MaxHead} octets", 431);
        while ((line = await ReadLineAsync(left, tooLong, token).ConfigureAwait(false)).Length > 0)
        {
            left -= line.Length + 2;
            Head.Add(line);
        }

        Head.Complete(MaxBody);
        return Head;
    }

    /// <summary>Reads the body that belongs to <paramref name="head"/>.</summary>
    /// <exception cref="HttpRefusedException">It is wrong or too long.</exception>
    /// <exception cref="EndOfStreamException">The connection ended in the middle.</exception>
    internal async Task<ReadOnlyMemory<byte>> ReadBodyAsync(HttpRequestHead head, CancellationToken token)
    {
        using var body = new MemoryStream();
        if (head.IsChunked)
        {
            await ReadChunksAsync(body, token).ConfigureAwait(false);
        }
        else
        {
            await ReadExactlyAsync(body, (int)head.Length, token).ConfigureAwait(false);
        }

        return body.ToArray();
    }

    /// <summary>Takes what is here already and belongs to no request that was read.</summary>
    internal ReadOnlyMemory<byte> TakeRest()
    {
        var rest = _buffer.AsMemory(_start, _end - _start);
        _start = _end;
        return rest;
    }

    private static HttpRefusedException Malformed(string reason) => new(HttpRefusal.Malformed(reason));

    // A client that speaks TLS waits for an answer, and would never send the end of a line.
    private void RefuseWhatIsNoText()
    {
        var first = (char)_buffer[_start];
        if (first is not ('\r' or '\n') && !HttpRequestHead.IsToken([first]))
        {
            throw Malformed(first == '\x16'
                ? "this is TLS, and a responder speaks HTTP without it: the URI begins with http"
                : string.Create(CultureInfo.InvariantCulture, $"no request begins with the octet 0x{(int)first:x2}"));
        }
    }

    private async Task ReadChunksAsync(MemoryStream body, CancellationToken token)
    {
        var left = MaxChunkedBody;
        var tooLong = HttpRefusal.TooLarge($"a chunk's size and extensions are longer than {MaxChunkLine} octets");
        while (true)
        {
            var line = await ReadLineAsync(MaxChunkLine, tooLong, token).ConfigureAwait(false);
            var digits = line.Split(';')[0].TrimEnd(' ', '\t');
            if (digits.Length is 0 or > 16 || !ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var size))
            {
                throw Malformed($"a chunk does not begin with its size: {HttpRequestHead.Quote(line)}");
            }

            HttpRequestHead.RefuseControls(line, "the extension of a chunk");
            if (size == 0)
            {
                break;
            }

            left -= line.Length + 4;
            if (size > (ulong)(MaxBody - body.Length) || (left -= (int)size) < 0)
            {
                throw new HttpRefusedException(HttpRefusal.TooLarge($"the chunks have more than {MaxBody} octets"));
            }

            await ReadExactlyAsync(body, (int)size, token).ConfigureAwait(false);
            if ((await ReadLineAsync(0, HttpRefusal.Malformed("a chunk is longer than its size"), token).ConfigureAwait(false)).Length > 0)
            {
                throw Malformed("a chunk is longer than its size");
            }
        }

        var trailers = MaxHead;
        tooLong = HttpRefusal.TooLarge($"the fields after the chunks are longer than {MaxHead} octets", 431);
        while (await ReadLineAsync(trailers, tooLong, token).ConfigureAwait(false) is { Length: > 0 } trailer)
        {
            _ = HttpRequestHead.FieldIn(trailer);
            trailers -= trailer.Length + 2;
        }
    }

    private async Task ReadExactlyAsync(MemoryStream into, int count, CancellationToken token)
    {
        while (count > 0)
        {
            if (!HasMore && !await FillAsync(token).ConfigureAwait(false))
            {
                throw new EndOfStreamException($"the connection ended {count} octets before the end of the body");
            }

            var part = Math.Min(count, _end - _start);
            into.Write(_buffer, _start, part);
            _start += part;
            count -= part;
        }
    }

    /// <param name="limit">How many octets the line may have, its end not counted.</param>
    /// <param name="tooLong">What to say when it has more.</param>
    /// <param name="token">Stops waiting.</param>
    private async Task<string> ReadLineAsync(int limit, HttpRefusal tooLong, CancellationToken token)
    {
        var seen = 0;
        while (true)
        {
            var end = _buffer.AsSpan(_start + seen, _end - _start - seen).IndexOf((byte)'\n');
            var length = end < 0 ? _end - _start : seen + end;
            if (length > limit + 1)
            {
                throw new HttpRefusedException(tooLong);
            }

            RefuseBareCr(_buffer.AsSpan(_start, end < 0 ? length : length + 1));

            if (end >= 0)
            {
                var line = Encoding.Latin1.GetString(_buffer, _start, length);
                _start += length + 1;
                return line.EndsWith('\r') ? line[..^1] : throw Malformed($"a line ends with LF alone: {HttpRequestHead.Quote(line)}");
            }

            seen = length;
            if (!await FillAsync(token).ConfigureAwait(false))
            {
                throw new EndOfStreamException("the connection ended in the middle of a line");
            }
        }
    }

    // Who ends lines with it waits for an answer, and would never send the end of a line (RFC 9112 §2.2).
    private static void RefuseBareCr(ReadOnlySpan<byte> line)
    {
        var cr = line.IndexOf((byte)'\r');
        if (cr >= 0 && cr + 1 < line.Length && line[cr + 1] != '\n')
        {
            throw Malformed($"there is a CR without LF in a line: {HttpRequestHead.Quote(Encoding.Latin1.GetString(line))}");
        }
    }

    private async Task<bool> FillAsync(CancellationToken token)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        var count = await stream.ReadAsync(_buffer.AsMemory(_end), token).ConfigureAwait(false);
        _end += count;
        return count > 0;
    }
}
