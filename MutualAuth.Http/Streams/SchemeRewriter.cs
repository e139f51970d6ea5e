using System.Buffers;

namespace MutualAuth.Http.Streams;

/// <summary>
/// Makes <c>:scheme</c> of HTTP/2 requests <c>https</c> in what the platform's handler writes to a connection that it takes for a plain one.
/// Both are entries of the static table (RFC 7541 Appendix A), so that one octet becomes another and no length changes.
/// </summary>
/// <remarks>One per connection, which sees each octet once and in order.</remarks>
internal sealed class SchemeRewriter
{
    private const byte SchemeHttp = 0x80 | 6;
    private const byte SchemeHttps = 0x80 | 7;
    private const byte Headers = 1;
    private const byte Padded = 0x08;
    private const byte Priority = 0x20;
    private const int FrameHeaderLength = 9;

    private readonly byte[] _frame = new byte[FrameHeaderLength];
    private long _pass = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".Length; // octets that pass through unread: the preface, then payloads
    private int _frameFilled;
    private int _blockLeft; // octets of the header block that is being read
    private Step _step;
    private bool _hasName;
    private ulong _number;
    private int _shift;

    private enum Step
    {
        Field,
        RestOfIndexed,
        RestOfName,
        NameLength,
        RestOfNameLength,
        ValueLength,
        RestOfValueLength,
    }

    /// <summary>What to write in the place of these octets.</summary>
    internal Rewritten Rewrite(ReadOnlyMemory<byte> octets)
    {
        var source = octets.Span;
        byte[]? copy = null;
        var at = 0;
        while (at < source.Length)
        {
            if (_pass > 0)
            {
                var passed = (int)Math.Min(_pass, source.Length - at);
                _pass -= passed;
                at += passed;
                _blockLeft = Math.Max(0, _blockLeft - passed);
            }
            else if (_blockLeft > 0)
            {
                _blockLeft--;
                if (IsScheme(source[at]))
                {
                    copy ??= Copy(source);
                    copy[at] = SchemeHttps;
                    _pass = _blockLeft;
                }

                at++;
            }
            else
            {
                _frame[_frameFilled++] = source[at++];
                if (_frameFilled == FrameHeaderLength)
                {
                    _frameFilled = 0;
                    BeginFrame();
                }
            }
        }

        return new Rewritten(copy, octets.Length);
    }

    private static byte[] Copy(ReadOnlySpan<byte> source)
    {
        var copy = ArrayPool<byte>.Shared.Rent(source.Length);
        source.CopyTo(copy);
        return copy;
    }

    private void BeginFrame()
    {
        var length = (_frame[0] << 16) | (_frame[1] << 8) | _frame[2];
        _pass = length;
        if (_frame[3] == Headers)
        {
            // RFC 9113 §6.2: a pad length of one octet, and five of priority, come before the block.
            _pass = Math.Min(length, ((_frame[4] & Padded) == 0 ? 0 : 1) + ((_frame[4] & Priority) == 0 ? 0 : 5));
            _blockLeft = length;
            _step = Step.Field;
        }
    }

    /// <summary>Reads one octet of a header block (RFC 7541 §6). True when it is the field <c>:scheme: http</c>.</summary>
    private bool IsScheme(byte octet)
    {
        switch (_step)
        {
            case Step.Field when octet == SchemeHttp:
                return true;
            case Step.Field when (octet & 0x80) != 0: // indexed
                Begin(octet, 0x7f, Step.RestOfIndexed, Step.Field);
                break;
            case Step.Field when (octet & 0xe0) == 0x20: // a table size
                Begin(octet, 0x1f, Step.RestOfIndexed, Step.Field);
                break;
            case Step.Field:
                var mask = (octet & 0x40) != 0 ? 0x3f : 0x0f;
                _hasName = (octet & mask) != 0;
                Begin(octet, mask, Step.RestOfName, _hasName ? Step.ValueLength : Step.NameLength);
                break;
            case Step.RestOfIndexed:
                Continue(octet, Step.Field);
                break;
            case Step.RestOfName:
                Continue(octet, Step.ValueLength);
                break;
            case Step.NameLength:
                if (Begin(octet, 0x7f, Step.RestOfNameLength, Step.ValueLength))
                {
                    _pass = (long)_number;
                }

                break;
            case Step.RestOfNameLength:
                if (Continue(octet, Step.ValueLength))
                {
                    _pass = (long)_number;
                }

                break;
            case Step.ValueLength:
                if (Begin(octet, 0x7f, Step.RestOfValueLength, Step.Field))
                {
                    _pass = (long)_number;
                }

                break;
            default:
                if (Continue(octet, Step.Field))
                {
                    _pass = (long)_number;
                }

                break;
        }

        // A string goes no further than its frame; what a frame leaves over is in the next, which is not read.
        _pass = Math.Min(_pass, _blockLeft);
        return false;
    }

    /// <summary>Reads the first octet of an integer (RFC 7541 §5.1).</summary>
    /// <returns>True when it is whole.</returns>
    private bool Begin(byte octet, int mask, Step rest, Step then)
    {
        _number = (ulong)(octet & mask);
        _shift = 0;
        var isWhole = _number < (ulong)mask;
        _step = isWhole ? then : rest;
        return isWhole;
    }

    private bool Continue(byte octet, Step then)
    {
        _number += (ulong)(octet & 0x7f) << Math.Min(_shift, 28);
        _shift += 7;
        if ((octet & 0x80) != 0)
        {
            return false;
        }

        _step = then;
        return true;
    }

    /// <summary>The octets to write, where they differ; returned to the pool by disposal.</summary>
    internal readonly struct Rewritten(byte[]? rented, int length) : IDisposable
    {
        internal bool IsChanged => rented is not null;

        internal ReadOnlyMemory<byte> Octets => rented.AsMemory(0, length);

        public void Dispose()
        {
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }
}
