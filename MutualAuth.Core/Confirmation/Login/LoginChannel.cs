using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using MutualAuth.Credentials;

namespace MutualAuth.Confirmation;

/// <summary>One frame of a login, or what came instead.</summary>
/// <param name="Type">The type of the frame; 0 when there is none.</param>
/// <param name="Payload">The payload.</param>
/// <param name="Problem">Why the received data is not such a frame.</param>
/// <param name="Fault">The exception of the transport.</param>
internal readonly record struct LoginFrame(FrameType Type, byte[] Payload, Rejection? Problem, Exception? Fault)
{
    /// <summary>The verdict or outcome in it; only of those two types.</summary>
    internal Verdict Verdict => Frame.DecodeVerdict(Payload.AsSpan(0, Frame.VerdictPayloadLength));

    /// <summary>Whether the other side refused.</summary>
    internal bool IsRefusal => Type is FrameType.Verdict or FrameType.Outcome && !Verdict.IsAccepted;
}

/// <summary>Carries the frames of one login over the TLS stream, in lockstep, and computes the digest of all messages.</summary>
internal sealed class LoginChannel(Stream stream, CancellationToken cancellationToken) : IDisposable
{
    // A name that no mechanism has and that every client ignores; 18 of 32 characters are 90 bits.
    private const string NoncePrefix = "N-";
    private const string NonceCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    private const int NonceLength = 18;
    private const int NextHeadLength = 3;

    private readonly IncrementalHash _transcript = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private Exception? _writeFault;

    /// <summary>
    /// SHA-256 over the frames of the exchange from MECHANISMS to OUTCOME, as both sides know it. It is unique to each connection, because
    /// of the server's nonce in SCRAM or in MECHANISMS.
    /// </summary>
    internal ImmutableArray<byte> TakeTranscript() => [.. _transcript.GetHashAndReset()];

    /// <summary>Writes a frame. A failure is reported by the next read, which may find the other side's reason for it.</summary>
    /// <exception cref="OperationCanceledException">The deadline passed.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    internal async ValueTask WriteAsync(FrameType type, ReadOnlyMemory<byte> payload)
    {
        var frame = Frame.Encode(type, payload.Span);
        Record(type, frame, []);
        try
        {
            if (_writeFault is null)
            {
                await stream.WriteAsync(frame, cancellationToken).ConfigureAwait(false);
                await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            _writeFault = exception;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(frame);
        }
    }

    /// <summary>Writes our last frame.</summary>
    /// <returns>The exception of the transport, if any.</returns>
    internal async ValueTask<Exception?> WriteLastAsync(Verdict verdict)
    {
        await WriteAsync(FrameType.Verdict, ToPayload(verdict)).ConfigureAwait(false);
        return _writeFault;
    }

    /// <summary>Reads a frame of one of these types.</summary>
    /// <exception cref="OperationCanceledException">The deadline passed.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal async ValueTask<LoginFrame> ReadAsync(params FrameType[] expected)
    {
        try
        {
            var (type, payload, problem) = await FrameReader.ReadAsync(stream, expected, cancellationToken).ConfigureAwait(false);
            if (problem is null)
            {
                Record(type, Frame.EncodeHeader(type, payload.Length), payload);
            }

            var frame = new LoginFrame(type, payload, problem, null);

            // A message that the other side sent before it read ours counts only if it is a refusal.
            return _writeFault is not null && !frame.IsRefusal ? new LoginFrame(default, [], null, _writeFault) : frame;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return new LoginFrame(default, [], null, _writeFault ?? exception);
        }
    }

    public void Dispose() => _transcript.Dispose();

    internal static byte[] ToPayload(Verdict verdict)
    {
        var payload = new byte[Frame.VerdictPayloadLength];
        BinaryPrimitives.WriteUInt16BigEndian(payload, verdict.Code);
        return payload;
    }

    internal static byte[] OutcomePayload(Verdict verdict, ReadOnlyMemory<byte>? additionalData) =>
        [.. ToPayload(verdict), additionalData is null ? (byte)0 : (byte)1, .. additionalData is { } data ? data.Span : default];

    /// <summary>The message in an outcome; null when there is none.</summary>
    internal static bool TryReadOutcome(byte[] payload, out ReadOnlyMemory<byte>? additionalData)
    {
        additionalData = WhenThere(payload[2], payload.AsMemory(3));
        return payload[2] == 1 || (payload[2] == 0 && payload.Length == 3);
    }

    internal static byte[] StartPayload(string mechanism, ReadOnlyMemory<byte>? message) =>
        [
            (byte)mechanism.Length,
            .. Encoding.ASCII.GetBytes(mechanism),
            message is null ? (byte)0 : (byte)1,
            .. message is { } text ? text.Span : default,
        ];

    /// <summary>The mechanism's name, and the first message; null when the client waits for a challenge.</summary>
    internal static (string Mechanism, ReadOnlyMemory<byte>? Message)? ReadStart(byte[] payload)
    {
        var nameLength = payload[0];
        if (payload.Length < 1 + nameLength + 1)
        {
            return null;
        }

        var name = Encoding.Latin1.GetString(payload, 1, nameLength);
        var presence = payload[1 + nameLength];
        var message = payload.AsMemory(1 + nameLength + 1);
        return SaslLimits.IsMechanismName(name) && message.Length <= SaslLimits.MaxMessageLength
            && (presence == 1 || (presence == 0 && message.IsEmpty))
            ? (name, WhenThere(presence, message))
            : null;
    }

    /// <summary>
    /// The names. Unless each mechanism has a server nonce in its messages, one more name is a nonce, so that no two logins have the same
    /// transcript.
    /// </summary>
    internal static byte[] MechanismsPayload(ImmutableArray<string> offered)
    {
        var names = string.Join(' ', offered);
        return Encoding.ASCII.GetBytes(offered.All(name => name.StartsWith(ScramMechanisms.Prefix, StringComparison.Ordinal))
            ? names
            : $"{names} {NoncePrefix}{RandomNumberGenerator.GetString(NonceCharacters, NonceLength)}");
    }

    /// <summary>The names of the mechanisms, without the server's nonce among them.</summary>
    internal static ImmutableArray<string>? ReadMechanisms(byte[] payload)
    {
        ImmutableArray<string> names = [.. Encoding.Latin1.GetString(payload).Split(' ')];
        return names.Length <= SaslLimits.MaxMechanisms && names.All(name => SaslLimits.IsMechanismName(name))
            ? [.. names.Where(name => !name.StartsWith(NoncePrefix, StringComparison.Ordinal))]
            : null;
    }

    /// <summary>Whether there is a last message, its length, it, and the names of the next mechanisms.</summary>
    internal static byte[] NextPayload(ReadOnlyMemory<byte>? additionalData, ImmutableArray<string> offered)
    {
        var message = additionalData ?? ReadOnlyMemory<byte>.Empty;
        var head = new byte[NextHeadLength];
        head[0] = additionalData is null ? (byte)0 : (byte)1;
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(1), checked((ushort)message.Length));
        return [.. head, .. message.Span, .. Encoding.ASCII.GetBytes(string.Join(' ', offered))];
    }

    /// <summary>The last message of the finished exchange, null when there is none, and the names; null for something else.</summary>
    internal static (ReadOnlyMemory<byte>? AdditionalData, ImmutableArray<string> Offered)? ReadNext(byte[] payload)
    {
        var length = BinaryPrimitives.ReadUInt16BigEndian(payload.AsSpan(1));
        var isFormed = payload[0] == 1 || (payload[0] == 0 && length == 0);
        return isFormed && length <= SaslLimits.MaxMessageLength && NextHeadLength + length < payload.Length
            && payload.Length - NextHeadLength - length <= Frame.LengthsOf(FrameType.Mechanisms).Longest
            && ReadMechanisms(payload[(NextHeadLength + length)..]) is { } offered
            ? (WhenThere(payload[0], payload.AsMemory(NextHeadLength, length)), offered)
            : null;
    }

    // Not a conditional expression of a memory and null: that null would become an empty memory.
    private static ReadOnlyMemory<byte>? WhenThere(byte presence, ReadOnlyMemory<byte> message)
    {
        if (presence == 1)
        {
            return message;
        }

        return null;
    }

    // In parts, so that a frame with a password in it is not copied.
    private void Record(FrameType type, ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail)
    {
        if (type is not (FrameType.Verdict or FrameType.Login))
        {
            _transcript.AppendData(head);
            _transcript.AppendData(tail);
        }
    }
}
