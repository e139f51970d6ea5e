using System.Text;

namespace MutualAuth.Testing.BadPeers;

/// <summary>
/// What a server that is played says to a client that took it for good: 200 to a request of HTTP/1, and to everything else the same again.
/// </summary>
internal static class PlainAnswer
{
    private const int MaxHead = 64 * 1024;

    /// <summary>Answers until the client ends the stream. It blocks, as BouncyCastle's streams do.</summary>
    internal static void Give(Stream stream)
    {
        var octets = new byte[MaxHead];
        var count = stream.Read(octets);
        if (!IsRequest(octets.AsSpan(0, count)))
        {
            stream.Write(octets, 0, count);
            stream.CopyTo(stream);
            return;
        }

        while (octets.AsSpan(0, count).IndexOf("\r\n\r\n"u8) < 0 && count < MaxHead && stream.Read(octets.AsSpan(count)) is > 0 and var more)
        {
            count += more;
        }

        stream.Write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8);
        stream.CopyTo(Stream.Null); // whatever else the request has
    }

    /// <summary>Whether it begins with a request line (RFC 9112 §3). Clients write it at once.</summary>
    private static bool IsRequest(ReadOnlySpan<byte> octets)
    {
        var end = octets.IndexOf("\r\n"u8);
        return end > 0
            && Encoding.ASCII.GetString(octets[..end]).Split(' ') is [{ Length: > 0 } method, { Length: > 0 }, "HTTP/1.1" or "HTTP/1.0"]
            && method.All(char.IsAsciiLetterUpper);
    }
}
