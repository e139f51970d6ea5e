using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net.Security;
using System.Net.Sockets;

namespace MutualAuth.Tool;

/// <summary>What a server answers a hello with: bounded in octets and time.</summary>
internal abstract record ServerAnswer
{
    private const int MaxOctets = 128 * 1024;
    private const int MaxText = 256;
    private const int RecordHeader = 5;
    private const int MessageHeader = 4;
    private const byte AlertRecord = 21;
    private const byte HandshakeRecord = 22;

    // What stands in place of a random in a HelloRetryRequest (RFC 8446 §4.1.3) needs no look: both kinds of hello name the group.
    private const int RandomLength = 32;

    /// <summary>It chose. Before TLS 1.3 its certificates come in the clear.</summary>
    internal sealed record Chose(int Version, int Suite, int? Group) : ServerAnswer
    {
        internal ImmutableArray<ReadOnlyMemory<byte>> Certificates { get; init; } = [];
    }

    /// <summary>A TLS alert.</summary>
    internal sealed record Alert(int Description) : ServerAnswer;

    /// <summary>Something that is not TLS.</summary>
    internal sealed record NotTls(byte[] Octets) : ServerAnswer;

    /// <summary>It closed without an answer.</summary>
    internal sealed record Closed(bool ByReset) : ServerAnswer;

    /// <summary>Nothing came in time.</summary>
    internal sealed record Silent : ServerAnswer;

    /// <summary>Sends octets and reads the answer.</summary>
    internal static async Task<ServerAnswer> ToAsync(NetworkStream stream, byte[] octets, TimeSpan timeout, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(timeout);
        var received = new List<byte>();
        try
        {
            await stream.WriteAsync(octets, deadline.Token);
            var buffer = new byte[8 * 1024];
            while (received.Count < MaxOctets)
            {
                var count = await stream.ReadAsync(buffer, deadline.Token);
                received.AddRange(buffer.AsSpan(0, count));
                if (Read([.. received], isWhole: count == 0) is { } answer)
                {
                    return answer;
                }
            }

            return new NotTls([.. received.Take(MaxText)]);
        }
        catch (IOException)
        {
            return Read([.. received], isWhole: true) ?? new Closed(ByReset: true);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // Text without an end is still an answer.
            return received.Count == 0 ? new Silent() : Read([.. received], isWhole: true) ?? new Silent();
        }
    }

    private static ServerAnswer? Read(ReadOnlySpan<byte> octets, bool isWhole)
    {
        if (octets.IsEmpty)
        {
            return isWhole ? new Closed(ByReset: false) : null;
        }

        if (octets[0] is not (AlertRecord or HandshakeRecord) || (octets.Length > 1 && octets[1] != 3))
        {
            return isWhole || octets.Length >= 8 ? new NotTls([.. octets[..Math.Min(octets.Length, MaxText)]]) : null;
        }

        var messages = new List<byte>();
        for (var rest = octets; rest.Length >= RecordHeader;)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(rest[3..]);
            if (rest.Length < RecordHeader + length)
            {
                break;
            }

            var content = rest.Slice(RecordHeader, length);
            if (rest[0] == AlertRecord)
            {
                return (ServerAnswer?)Messages([.. messages], isWhole: true) ?? new Alert(content.Length == 2 ? content[1] : -1);
            }

            if (rest[0] != HandshakeRecord)
            {
                break;
            }

            messages.AddRange(content);
            rest = rest[(RecordHeader + length)..];
        }

        return (ServerAnswer?)Messages([.. messages], isWhole) ?? (isWhole ? new Closed(ByReset: false) : null);
    }

    /// <summary>The hello says all for TLS 1.3; for what is older, the key exchange that follows says the group.</summary>
    private static Chose? Messages(ReadOnlySpan<byte> messages, bool isWhole)
    {
        Chose? hello = null;
        for (var rest = messages; rest.Length >= MessageHeader;)
        {
            var length = (rest[1] << 16) | (rest[2] << 8) | rest[3];
            if (rest.Length < MessageHeader + length)
            {
                break;
            }

            var body = rest.Slice(MessageHeader, length);
            switch (rest[0])
            {
                case 2 when hello is null:
                    hello = Hello(body);
                    if (hello is null or { Version: ProbeHello.Tls13 })
                    {
                        return hello;
                    }

                    break;
                case 11 when hello is not null:
                    hello = hello with { Certificates = CertificatesOf(body) };
                    break;
                case 12 when hello is not null && IsEphemeralCurve(hello.Suite) && body is [3, ..] && body.Length > 3:
                    return hello with { Group = BinaryPrimitives.ReadUInt16BigEndian(body[1..]) };
                case 14:
                    return hello;
            }

            rest = rest[(MessageHeader + length)..];
        }

        return isWhole ? hello : null;
    }

    /// <summary>Of RFC 5246 §7.4.2: a list, and in it lengths of three octets each.</summary>
    private static ImmutableArray<ReadOnlyMemory<byte>> CertificatesOf(ReadOnlySpan<byte> body)
    {
        var certificates = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>();
        for (var rest = body.Length > 3 ? body[3..] : []; rest.Length > 3;)
        {
            var length = (rest[0] << 16) | (rest[1] << 8) | rest[2];
            if (rest.Length < 3 + length)
            {
                break;
            }

            certificates.Add(rest.Slice(3, length).ToArray());
            rest = rest[(3 + length)..];
        }

        return certificates.ToImmutable();
    }

    private static bool IsEphemeralCurve(int suite) => ((TlsCipherSuite)suite).ToString().StartsWith("TLS_ECDHE_", StringComparison.Ordinal);

    private static Chose? Hello(ReadOnlySpan<byte> body)
    {
        if (body.Length < 2 + RandomLength + 1 || body.Length < 2 + RandomLength + 1 + body[2 + RandomLength] + 3)
        {
            return null;
        }

        int version = BinaryPrimitives.ReadUInt16BigEndian(body);
        var rest = body[(2 + RandomLength + 1 + body[2 + RandomLength])..];
        int suite = BinaryPrimitives.ReadUInt16BigEndian(rest);
        int? group = null;
        rest = rest[3..];
        if (rest.Length > 2)
        {
            for (rest = rest[2..]; rest.Length >= 4;)
            {
                var type = BinaryPrimitives.ReadUInt16BigEndian(rest);
                var length = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
                if (rest.Length < 4 + length)
                {
                    break;
                }

                var data = rest.Slice(4, length);
                if (type == 43 && length == 2)
                {
                    version = BinaryPrimitives.ReadUInt16BigEndian(data);
                }
                else if (type == 51 && length >= 2)
                {
                    group = BinaryPrimitives.ReadUInt16BigEndian(data);
                }

                rest = rest[(4 + length)..];
            }
        }

        return new Chose(version, suite, group);
    }
}
