using System.Buffers.Binary;

namespace MutualAuth.Hello;

/// <summary>
/// Follows the records of a ClientHello as they come (RFC 8446 §5.1), each once: what comes octet by octet costs no more than what comes at once.
/// </summary>
/// <remarks>A value that changes: pass it by reference.</remarks>
internal struct ClientHelloRecords
{
    internal const byte HandshakeRecord = 22;
    internal const int RecordHeader = 5;
    internal const int MessageHeader = 4;

    /// <summary>OpenSSL accepts no longer ClientHello, so that waiting for one is pointless.</summary>
    internal const int MaxOfPlatform = 131_396;

    private const byte ClientHelloMessage = 1;
    private const int MaxRecord = 1 << 14;

    // As OpenSSL does. RFC 8446 allows none, and others send them.
    private const int MaxEmptyRecordsInARow = 32;

    private int _taken;
    private int _emptyInARow;
    private int _headerLength;
    private uint _header;

    /// <summary>Begins at the record that begins there.</summary>
    internal ClientHelloRecords(int start) => End = start;

    /// <summary>The message with its header is complete.</summary>
    internal readonly bool IsComplete => _headerLength == MessageHeader && _taken == MessageLength;

    /// <summary>The octets of the message, its header included; once the header has come.</summary>
    internal readonly int MessageLength => MessageHeader + (int)(_header & 0xff_ffff);

    /// <summary>Where the last record that is complete ends.</summary>
    internal int End { get; private set; }

    /// <summary>Parses the available octets. Returns null unless they are not a ClientHello.</summary>
    /// <param name="received">Everything since the first octet.</param>
    /// <param name="maxBytes">The largest message accepted, without its header.</param>
    internal HelloReading? Advance(ReadOnlySpan<byte> received, int maxBytes)
    {
        while (!IsComplete && End < received.Length)
        {
            var record = received[End..];
            if (record[0] != HandshakeRecord)
            {
                return HelloReading.Malformed(
                    TlsAlerts.UnexpectedMessage, $"a handshake record ({HandshakeRecord})", $"a record of type {record[0]}");
            }

            if (record.Length < RecordHeader)
            {
                return null;
            }

            var size = BinaryPrimitives.ReadUInt16BigEndian(record[3..]);
            if (ProblemOf(record, size) is { } problem)
            {
                return problem;
            }

            var fragment = record.Slice(RecordHeader, Math.Min(size, record.Length - RecordHeader));
            var (header, headerLength) = (_header, _headerLength);
            for (var at = 0; at < fragment.Length && headerLength < MessageHeader; at++)
            {
                header = (header << 8) | fragment[at];
                headerLength++;
            }

            if (ProblemOf(header, headerLength, size, maxBytes) is { } wrong)
            {
                return wrong;
            }

            if (fragment.Length < size)
            {
                return null;
            }

            (_header, _headerLength) = (header, headerLength);
            _taken += size;
            _emptyInARow = size == 0 ? _emptyInARow + 1 : 0;
            End += RecordHeader + size;
        }

        return null;
    }

    private readonly HelloReading? ProblemOf(ReadOnlySpan<byte> record, int size)
    {
        if (record[1] != 3)
        {
            // In the first record it may be anything; later it is a record of another version.
            int? alert = _taken == 0 && _emptyInARow == 0 ? null : TlsAlerts.ProtocolVersion;
            return HelloReading.Malformed(alert, "a record of TLS (version 3.x)", $"one of version {record[1]}.{record[2]}");
        }

        return size > MaxRecord
            ? HelloReading.Malformed(TlsAlerts.RecordOverflow, $"a record of at most {MaxRecord} bytes", $"one of {size} bytes")
            : size == 0 && _emptyInARow == MaxEmptyRecordsInARow
            ? HelloReading.Malformed(TlsAlerts.UnexpectedMessage, $"at most {MaxEmptyRecordsInARow} empty records in a row", "more")
            : null;
    }

    /// <summary>Judges the header as far as it has come. The size is that of the record in which it does.</summary>
    private readonly HelloReading? ProblemOf(uint header, int headerLength, int size, int maxBytes)
    {
        if (headerLength > 0 && header >> (8 * (headerLength - 1)) is var type && type != ClientHelloMessage)
        {
            return HelloReading.Malformed(TlsAlerts.UnexpectedMessage, $"a ClientHello ({ClientHelloMessage})", $"handshake message type {type}");
        }

        if (headerLength < MessageHeader)
        {
            return null;
        }

        var announced = (int)(header & 0xff_ffff);
        var most = Math.Min(maxBytes, MaxOfPlatform);
        if (announced > most)
        {
            var alert = announced > MaxOfPlatform ? TlsAlerts.IllegalParameter : TlsAlerts.DecodeError;
            return HelloReading.Refused(
                alert,
                new Rejection(RejectionReason.ClientHelloTooLarge, $"a ClientHello of at most {most} bytes", $"one of {announced} bytes")
                {
                    Hint = $"The bound is {nameof(HandshakeLimits)}.{nameof(HandshakeLimits.MaxClientHelloBytes)}.",
                });
        }

        return _taken + size > MessageHeader + announced
            ? HelloReading.Malformed(
                TlsAlerts.UnexpectedMessage, "nothing after the ClientHello in its record", $"{_taken + size - MessageHeader - announced} bytes")
            : null;
    }
}
