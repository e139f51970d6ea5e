using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MutualAuth.Hello;

/// <summary>
/// Follows the first flight of a server, octet by octet as it passes, as far as it says which key exchange was agreed on: the ServerHello of TLS 1.3
/// (RFC 8446 §4.1.3), or the ServerKeyExchange of TLS 1.2 (RFC 8422 §5.4). Both come in the clear.
/// </summary>
/// <remarks>It keeps one message at a time, and none of those that do not say it. Not for several threads.</remarks>
internal sealed class ServerFlightReader
{
    private const byte ChangeCipherSpecRecord = 20;
    private const byte AlertRecord = 21;
    private const byte ProtectedRecord = 23;
    private const byte ServerHello = 2;
    private const byte ServerKeyExchange = 12;
    private const byte ServerHelloDone = 14;
    private const int PreSharedKeyExtension = 41;
    private const int SupportedVersionsExtension = 43;
    private const int KeyShareExtension = 51;
    private const byte NamedCurve = 3;

    // What is longer than any key share or signature that is in use says nothing that we would believe.
    private const int MaxMessageLength = 32 * 1024;

    private const int RecordHeaderLength = 5;
    private const int MessageHeaderLength = 4;

    private RecordHeader _recordHeader;
    private MessageHeader _messageHeader;
    private List<byte>? _message; // of a message that did not come at once
    private int _recordHeaderLength;
    private int _recordLeft;
    private long _taken;
    private int _messageHeaderLength;
    private int _messageLeft;
    private bool _isTls12;
    private int _suite;

    /// <summary>What there is to know is known.</summary>
    internal bool IsComplete { get; private set; }

    /// <summary>
    /// The group; null before it is known, and where no named group takes part (RSA key transport, finite fields of the server's own).
    /// </summary>
    internal KeyExchangeGroup? Group { get; private set; }

    /// <summary>It is one of TLS 1.3, of which nothing behind the hello is in the clear.</summary>
    internal bool IsTls13 { get; private set; }

    /// <summary>
    /// It resumes a session: by a pre-shared key in TLS 1.3 (RFC 8446 §4.2.11), by the end of the clear part right after the hello in TLS 1.2
    /// (RFC 5246 §7.3). No certificate of either side is shown then.
    /// </summary>
    internal bool TakesUpSession { get; private set; }

    /// <summary>How many records have begun whose content is protected, in TLS 1.3 also those of the handshake (RFC 8446 §5.2).</summary>
    internal int ProtectedRecords { get; private set; }

    /// <summary>
    /// How many octets came before the first record of another type than handshake, behind which nothing is in the clear; null before that has begun.
    /// </summary>
    internal long? ClearLength { get; private set; }

    /// <summary>Takes the next octets of the flight; once it is complete, records are only counted.</summary>
    internal void Take(ReadOnlySpan<byte> octets)
    {
        while (!octets.IsEmpty)
        {
            if (_recordHeaderLength < RecordHeaderLength)
            {
                var before = octets.Length;
                Fill(_recordHeader, ref _recordHeaderLength, ref octets);
                _taken += before - octets.Length;
                if (_recordHeaderLength == RecordHeaderLength)
                {
                    BeginRecord();
                }

                continue;
            }

            var count = Math.Min(_recordLeft, octets.Length);
            if (!IsComplete && _recordHeader[0] == ClientHelloRecords.HandshakeRecord)
            {
                TakeHandshake(octets[..count]);
            }

            octets = octets[count..];
            _taken += count;
            _recordLeft -= count;
            EndRecordWhereItEnds();
        }
    }

    private void BeginRecord()
    {
        _recordLeft = (_recordHeader[3] << 8) | _recordHeader[4];
        ProtectedRecords += _recordHeader[0] == ProtectedRecord ? 1 : 0;
        ClearLength ??= _recordHeader[0] == ClientHelloRecords.HandshakeRecord ? null : _taken - RecordHeaderLength;

        // After the ServerHello of TLS 1.2 it begins an abbreviated handshake, which exchanges no keys; in TLS 1.3 it means nothing. Whatever else is
        // protected ends what can be read.
        TakesUpSession |= !IsComplete && _isTls12 && _recordHeader[0] == ChangeCipherSpecRecord;
        IsComplete |= _recordHeader[0] switch
        {
            ClientHelloRecords.HandshakeRecord or AlertRecord => false,
            ChangeCipherSpecRecord => _isTls12,
            _ => true,
        };
        EndRecordWhereItEnds();
    }

    private void EndRecordWhereItEnds()
    {
        if (_recordLeft == 0)
        {
            _recordHeaderLength = 0;
        }
    }

    private void TakeHandshake(ReadOnlySpan<byte> octets)
    {
        while (!IsComplete && (!octets.IsEmpty || (_messageHeaderLength == MessageHeaderLength && _messageLeft == 0)))
        {
            if (_messageHeaderLength < MessageHeaderLength)
            {
                Fill(_messageHeader, ref _messageHeaderLength, ref octets);
                if (_messageHeaderLength == MessageHeaderLength)
                {
                    _messageLeft = (_messageHeader[1] << 16) | (_messageHeader[2] << 8) | _messageHeader[3];
                    IsComplete |= IsWanted && _messageLeft > MaxMessageLength;
                }

                continue;
            }

            var count = Math.Min(_messageLeft, octets.Length);
            var part = octets[..count];
            var isFirst = _message is null or { Count: 0 };
            octets = octets[count..];
            _messageLeft -= count;
            if (_messageLeft > 0 || !isFirst)
            {
                Keep(part);
            }

            if (_messageLeft == 0)
            {
                Read(_messageHeader[0], isFirst ? part : CollectionsMarshal.AsSpan(_message));
                _message?.Clear();
                _messageHeaderLength = 0;
            }
        }
    }

    private void Keep(ReadOnlySpan<byte> part)
    {
        if (IsWanted)
        {
            (_message ??= []).AddRange(part);
        }
    }

    private bool IsWanted => _messageHeader[0] is ServerHello or ServerKeyExchange;

    private void Read(byte type, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case ServerHello when !_isTls12:
                ReadHello(body);
                break;
            case ServerKeyExchange when _isTls12:
                Group = ReadCurve(body);
                IsComplete = true;
                break;
            case ServerHelloDone:
                IsComplete = true;
                break;
        }
    }

    private void ReadHello(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        if (!reader.TryRead(2, out _)
            || !reader.TryRead(32, out var random)
            || !reader.TryReadVector8(out _)
            || !reader.TryReadUInt16(out _suite)
            || !reader.TryRead(1, out _))
        {
            IsComplete = true;
            return;
        }

        var isTls13 = false;
        var hasPreSharedKey = false;
        KeyExchangeGroup? group = null;
        if (reader.TryReadVector16(out var block))
        {
            var extensions = new WireReader(block);
            while (extensions.TryReadUInt16(out var type) && extensions.TryReadVector16(out var data))
            {
                var content = new WireReader(data);
                if (type == SupportedVersionsExtension)
                {
                    isTls13 = content.TryReadUInt16(out var version) && version >= ClientHello.Tls13;
                }
                else if (type == PreSharedKeyExtension)
                {
                    hasPreSharedKey = true;
                }
                else if (type == KeyShareExtension && content.TryReadUInt16(out var number))
                {
                    group = (KeyExchangeGroup)number;
                }
            }
        }

        if (!isTls13)
        {
            _isTls12 = true;
        }
        else if (!HelloAfterRetry.IsRetry(random))
        {
            Group = group;
            TakesUpSession = hasPreSharedKey;
            IsTls13 = IsComplete = true;
        }
    }

    /// <summary>curve type, named curve, point and signature (RFC 8422 §5.4); only where the suite says that it is one.</summary>
    private KeyExchangeGroup? ReadCurve(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        return ((TlsCipherSuite)_suite).ToString().StartsWith("TLS_ECDHE_", StringComparison.Ordinal)
            && reader.TryRead(1, out var type)
            && type[0] == NamedCurve
            && reader.TryReadUInt16(out var curve)
            ? (KeyExchangeGroup)curve
            : null;
    }

    private static void Fill(Span<byte> header, ref int length, ref ReadOnlySpan<byte> octets)
    {
        var count = Math.Min(header.Length - length, octets.Length);
        octets[..count].CopyTo(header[length..]);
        length += count;
        octets = octets[count..];
    }

    [InlineArray(RecordHeaderLength)]
    private struct RecordHeader
    {
        private byte _first;
    }

    [InlineArray(MessageHeaderLength)]
    private struct MessageHeader
    {
        private byte _first;
    }
}
