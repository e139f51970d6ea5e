using System.Buffers.Binary;

namespace MutualAuth.Tests.Support;

/// <summary>Reads, off the wire, whether a client offered a session and whether the server took it up.</summary>
internal static class SessionTap
{
    private const byte HandshakeRecord = 22;
    private const byte ClientHello = 1;
    private const byte ServerHello = 2;
    private const byte CertificateMessage = 11;
    private const int SessionTicket = 35;
    private const int PreSharedKey = 41;
    private const int SupportedVersions = 43;

    /// <summary>
    /// A pre-shared key (RFC 8446 §4.2.11), a ticket that is not empty (RFC 5077 §3.2), or the identifier of a session where it means that (RFC 5246
    /// §7.4.1.2).
    /// </summary>
    internal static bool OffersSession(byte[] fromClient)
    {
        var hello = Messages(fromClient).First(message => message.Type == ClientHello).Body;
        var at = 34;
        var hasIdentifier = hello[at] > 0;
        at += 1 + hello[at];                                                       // session id
        at += 2 + BinaryPrimitives.ReadUInt16BigEndian(hello.AsSpan(at));          // cipher suites
        at += 1 + hello[at];                                                       // compression methods
        var extensions = Extensions(hello[at..]).ToArray();
        return extensions.Any(extension => extension.Type == PreSharedKey || (extension.Type == SessionTicket && extension.Length > 0))
            || (hasIdentifier && extensions.All(extension => extension.Type != SupportedVersions));
    }

    /// <summary>TLS 1.3: the server chose a pre-shared key. TLS 1.2: it sent no certificate.</summary>
    internal static bool IsResumed(byte[] fromServer)
    {
        var messages = Messages(fromServer).ToArray();
        if (messages.FirstOrDefault(message => message.Type == ServerHello).Body is not { } hello)
        {
            return false; // it was refused before
        }

        var extensions = Extensions(hello[(35 + hello[34] + 3)..]).ToArray();
        var isTls13 = extensions.Any(extension => extension.Type == SupportedVersions);
        return isTls13 ? extensions.Any(extension => extension.Type == PreSharedKey) : messages.All(message => message.Type != CertificateMessage);
    }

    /// <summary>The handshake messages that go in the clear.</summary>
    private static IEnumerable<(byte Type, byte[] Body)> Messages(byte[] wire)
    {
        var clear = new List<byte>();
        for (var at = 0; at + 5 <= wire.Length && wire[at] == HandshakeRecord;)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(wire.AsSpan(at + 3));
            clear.AddRange(wire.AsSpan(at + 5, length));
            at += 5 + length;
        }

        var all = clear.ToArray();
        for (var at = 0; at + 4 <= all.Length;)
        {
            var length = (all[at + 1] << 16) | BinaryPrimitives.ReadUInt16BigEndian(all.AsSpan(at + 2));
            yield return (all[at], all[(at + 4)..(at + 4 + length)]);
            at += 4 + length;
        }
    }

    private static IEnumerable<(int Type, int Length)> Extensions(byte[] block)
    {
        for (var at = 2; at + 4 <= block.Length;)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(block.AsSpan(at + 2));
            yield return (BinaryPrimitives.ReadUInt16BigEndian(block.AsSpan(at)), length);
            at += 4 + length;
        }
    }
}
