using System.Collections.Concurrent;
using System.Text;
using MutualAuth.Certificates;
using MutualAuth.Connections;
using MutualAuth.Names;
using MutualAuth.Trust;

namespace MutualAuth.Samples;

/// <summary>The conversation: what we say goes to everybody who is connected, what they say is printed with their name.</summary>
internal sealed class Chat(Identity own, KnownPeerStore known)
{
    private const int MaxLine = 4096;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<MutualTlsConnection, bool> _connections = new();

    /// <summary>Listens to one peer until it leaves.</summary>
    internal async Task JoinAsync(MutualTlsConnection connection)
    {
        await using var owned = connection;
        var peer = known.Peers[connection.Peer.Name];
        var both = PeerFingerprint.OfBoth(SpkiPin.OfSubjectPublicKeyInfo(own.Certificate.SubjectPublicKeyInfo.Span), peer.Key);
        Console.WriteLine($"joined {peer.Name}, known since {peer.FirstSeen:yyyy-MM-dd HH:mm:ss}Z. To be sure, read to each other: {both}");
        _connections[connection] = true;
        try
        {
            await foreach (var line in ReadLinesAsync(connection.Stream, connection.DrainRequested))
            {
                Console.WriteLine($"<{peer.Name}> {line}");
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // It left without a word, said too much at once, or we are leaving.
        }

        _connections.TryRemove(connection, out _);
        Console.WriteLine($"left {peer.Name}");
    }

    internal async Task SayAsync(string line)
    {
        var bytes = Encoding.UTF8.GetBytes(line + "\n");
        foreach (var connection in _connections.Keys)
        {
            try
            {
                using var patience = new CancellationTokenSource(s_patience);
                await connection.Stream.WriteAsync(bytes, patience.Token);
            }
            catch (Exception exception) when (exception is IOException or ObjectDisposedException or OperationCanceledException)
            {
                connection.Abort();
            }
        }
    }

    internal async Task LeaveAsync()
    {
        foreach (var connection in _connections.Keys)
        {
            await connection.DisposeAsync();
        }
    }

    /// <summary>Lines of bounded length, safe to print: nobody's words move our cursor.</summary>
    private static async IAsyncEnumerable<string> ReadLinesAsync(Stream stream, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxLine];
        var filled = 0;
        while (true)
        {
            for (var end = Array.IndexOf(buffer, (byte)'\n', 0, filled); end >= 0; end = Array.IndexOf(buffer, (byte)'\n', 0, filled))
            {
                yield return new string([.. Encoding.UTF8.GetString(buffer, 0, end).Select(character => char.IsControl(character) ? '\uFFFD' : character)]);
                filled -= end + 1;
                Buffer.BlockCopy(buffer, end + 1, buffer, 0, filled);
            }

            var count = filled < MaxLine ? await stream.ReadAsync(buffer.AsMemory(filled), cancellationToken) : throw new IOException($"A line has more than {MaxLine} octets.");
            if (count == 0)
            {
                yield break;
            }

            filled += count;
        }
    }
}
