using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace MutualAuth.Testing.Tests.Support;

/// <summary>A client that sends the octets of a test, and reads answers as RFC 9112 §6.3 says.</summary>
internal sealed class RawHttp : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp);
    private readonly List<byte> _received = [];

    private RawHttp()
    {
    }

    internal static async Task<RawHttp> ConnectAsync(Uri server, CancellationToken token)
    {
        var client = new RawHttp();
        await client._socket.ConnectAsync(server.Host, server.Port, token);
        return client;
    }

    /// <summary>One exchange on a connection of its own.</summary>
    internal static async Task<RawAnswer> AskAsync(Uri server, string request, CancellationToken token)
    {
        using var client = await ConnectAsync(server, token);
        await client.SendAsync(request, token);
        return await client.ReceiveAsync(token, toHead: request.StartsWith("HEAD", StringComparison.Ordinal));
    }

    internal Task SendAsync(string text, CancellationToken token) => SendAsync(Encoding.Latin1.GetBytes(text), token);

    internal async Task SendAsync(byte[] octets, CancellationToken token)
    {
        for (var sent = 0; sent < octets.Length;)
        {
            sent += await _socket.SendAsync(octets.AsMemory(sent), token);
        }
    }

    internal void EndSending() => _socket.Shutdown(SocketShutdown.Send);

    internal async Task<RawAnswer> ReceiveAsync(CancellationToken token, bool toHead = false)
    {
        int end;
        while ((end = Encoding.Latin1.GetString([.. _received]).IndexOf("\r\n\r\n", StringComparison.Ordinal)) < 0)
        {
            if (!await FillAsync(token))
            {
                throw new InvalidOperationException($"The connection ended in the head of an answer: '{Encoding.Latin1.GetString([.. _received])}'");
            }
        }

        var answer = new RawAnswer(Encoding.Latin1.GetString([.. _received[..end]]), []);
        var length = toHead || answer.Status < 200 ? 0 : int.Parse(answer.Field("Content-Length")!, CultureInfo.InvariantCulture);
        while (_received.Count < end + 4 + length)
        {
            if (!await FillAsync(token))
            {
                throw new InvalidOperationException("The connection ended in the body of an answer.");
            }
        }

        answer = answer with { Body = [.. _received.GetRange(end + 4, length)] };
        _received.RemoveRange(0, end + 4 + length);
        return answer;
    }

    /// <summary>What else comes until the far end has nothing more to say.</summary>
    internal async Task<byte[]> ReceiveRestAsync(CancellationToken token)
    {
        while (await FillAsync(token))
        {
        }

        return [.. _received];
    }

    public void Dispose() => _socket.Dispose();

    private async Task<bool> FillAsync(CancellationToken token)
    {
        var buffer = new byte[8192];
        var count = await _socket.ReceiveAsync(buffer, token);
        _received.AddRange(buffer.AsSpan(0, count));
        return count > 0;
    }
}

/// <param name="Head">Status line and fields.</param>
/// <param name="Body">What followed.</param>
internal sealed record RawAnswer(string Head, byte[] Body)
{
    internal int Status => int.Parse(Head.Split(' ')[1], CultureInfo.InvariantCulture);

    internal string Text => Encoding.Latin1.GetString(Body);

    internal string? Field(string name) => Head.Split("\r\n").Skip(1)
        .Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))
        .Select(line => line[(name.Length + 1)..].Trim())
        .SingleOrDefault();
}
