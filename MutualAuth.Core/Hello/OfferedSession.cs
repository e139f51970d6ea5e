namespace MutualAuth.Hello;

/// <summary>Looks in a ClientHello of our own for a session that it would take up, before it goes out.</summary>
internal static class OfferedSession
{
    private const int VersionAndRandom = 2 + 32;
    private const int SessionTicketExtension = 35;
    private const int PreSharedKeyExtension = 41;

    /// <summary>
    /// Whether the hello offers a session: a pre-shared key (RFC 8446 §4.2.11), or a ticket (RFC 5077 §3.2). What cannot be read may offer one. The
    /// identifier alone says nothing: TLS 1.3 always sends one (RFC 8446 §D.4).
    /// </summary>
    /// <param name="written">The first octets that the TLS engine writes.</param>
    internal static bool IsIn(ReadOnlySpan<byte> written)
    {
        if (written.Length < ClientHelloRecords.RecordHeader + ClientHelloRecords.MessageHeader)
        {
            return true;
        }

        var reader = new WireReader(written[(ClientHelloRecords.RecordHeader + ClientHelloRecords.MessageHeader)..]);
        if (!reader.TryRead(VersionAndRandom, out _)
            || !reader.TryReadVector8(out _)
            || !reader.TryReadVector16(out _)
            || !reader.TryReadVector8(out _)
            || !reader.TryReadVector16(out var block))
        {
            return true;
        }

        var extensions = new WireReader(block);
        while (!extensions.IsAtEnd)
        {
            if (!extensions.TryReadUInt16(out var type)
                || !extensions.TryReadVector16(out var content)
                || type == PreSharedKeyExtension
                || (type == SessionTicketExtension && !content.IsEmpty))
            {
                return true;
            }
        }

        return false;
    }
}
