using System.Collections.Concurrent;
using System.Text;
using MutualAuth.Names;
using MutualAuth.Trust;

namespace MutualAuth.Samples;

/// <summary>All connected peers: input goes to all of them, and messages are printed under the proven name of their sender.</summary>
internal sealed class ChatRoom(KnownPeersFile known, Identity identity)
{
    internal const string Protocol = "peerchat/1";

    private const string Drop = "/drop ";
    private const int MaxLineBytes = 4096;

    private readonly SpkiPin _own = SpkiPin.OfSubjectPublicKeyInfo(identity.Certificate.SubjectPublicKeyInfo.Span);
    private readonly HashSet<PeerName> _metBefore = [.. known.Peers.Keys.Select(PeerName.Parse)];
    private readonly ConcurrentDictionary<MutualTlsConnection, string> _connections = new();
    private int _exitCode;

    internal int ExitCode => _exitCode;

    internal string OwnFingerprint => PeerFingerprint.Of(_own).ToString();

    internal void Join(MutualTlsConnection connection)
    {
        var peer = connection.Peer;
        bool isNew;
        lock (_metBefore)
        {
            isNew = _metBefore.Add(peer.ProvenName);
        }

        var both = PeerFingerprint.OfBoth(_own, SpkiPin.OfSubjectPublicKeyInfo(peer.Certificate!.SubjectPublicKeyInfo.Span));
        Console.WriteLine(isNew
            ? $"met {peer.Name} for the first time; both of you must read: {both}"
            : $"connected to {peer.Name}; both of you read: {both}");
        _connections.TryAdd(connection, peer.Name);
        _ = PrintLinesAsync(connection);
    }

    /// <summary>Says why there is no connection; a changed key, on either side, so that it cannot be overlooked.</summary>
    internal void Report(HandshakeException failure, bool dialled = false)
    {
        switch (failure)
        {
            case { Failure: HandshakeFailure.PeerRejected, Reason: RejectionReason.PeerKeyChanged }:
                Interlocked.CompareExchange(ref _exitCode, 10, 0);
                Shout($"THE KEY OF {failure.PeerName} HAS CHANGED. No connection was made.", failure.Rejection.ToString());
                break;
            case { Failure: HandshakeFailure.RefusedByPeer }:
                Interlocked.CompareExchange(ref _exitCode, 11, 0);
                Shout(
                    $"{failure.PeerName ?? "A PEER"} HAS REFUSED US. Perhaps it knows another key of ours.",
                    $"It said {(failure.PeerReason ?? PublicReason.Refused).ToCode()}. Our key: {OwnFingerprint}");
                break;
            default:
                if (dialled)
                {
                    Interlocked.CompareExchange(ref _exitCode, 12, 0);
                }

                CommandLine.Note(failure.Message);
                break;
        }
    }

    /// <summary>Sends each line to every peer once, also to one with two connections, until the input ends; then closes them.</summary>
    internal async Task SendLinesAsync(StreamReader input, CancellationToken stop)
    {
        try
        {
            // Reading a console cannot be cancelled; a signal abandons it.
            while (await input.ReadLineAsync(CancellationToken.None).AsTask().WaitAsync(stop) is { } line)
            {
                if (line.StartsWith(Drop, StringComparison.Ordinal))
                {
                    await DropAsync(line[Drop.Length..].Trim(), stop);
                    continue;
                }

                var message = Encoding.UTF8.GetBytes(line + '\n');
                foreach (var ofOnePeer in _connections.GroupBy(connected => connected.Value))
                {
                    await SendAsync(ofOnePeer.First().Key, message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // A signal ends the input.
        }

        foreach (var connection in _connections.Keys)
        {
            await connection.DisposeAsync();
        }
    }

    /// <summary>Forgets a peer's key. The library ends the connections that stand on it.</summary>
    private async Task DropAsync(string name, CancellationToken stop)
    {
        if (!await known.ForgetAsync(name, stop))
        {
            CommandLine.Note($"nobody is known as {name}.");
        }
    }

    private static async Task SendAsync(MutualTlsConnection connection, byte[] message)
    {
        if (message.Length > MaxLineBytes)
        {
            CommandLine.Note($"a line has at most {MaxLineBytes} bytes; this one was not sent.");
            return;
        }

        try
        {
            await connection.Stream.WriteAsync(message);
        }
        catch (IOException exception)
        {
            CommandLine.Note($"{connection.Peer.Name} did not get it: {exception.Message}");
        }
    }

    private async Task PrintLinesAsync(MutualTlsConnection connection)
    {
        await using var owned = connection;
        var buffer = new byte[MaxLineBytes];
        var filled = 0;
        try
        {
            // Text without a line end may have been truncated, and is not shown.
            while (filled < buffer.Length && await connection.Stream.ReadAsync(buffer.AsMemory(filled)) is > 0 and var count)
            {
                filled += count;
                for (int end; (end = buffer.AsSpan(0, filled).IndexOf((byte)'\n')) >= 0;)
                {
                    Console.WriteLine($"{connection.Peer.Name}> {Printable(buffer.AsSpan(0, end))}");
                    buffer.AsSpan(end + 1, filled - end - 1).CopyTo(buffer);
                    filled -= end + 1;
                }
            }
        }
        catch (IOException)
        {
            // The peer has disconnected, or we are closing.
        }

        _connections.TryRemove(connection, out _);
        Console.WriteLine(connection.Invalidation is { } lost
            ? $"{connection.Peer.Name} was put out: {lost.Rejection.Reason.ToCode()}"
            : $"{connection.Peer.Name} has left");
    }

    /// <summary>A peer's text must not control our terminal.</summary>
    private static string Printable(ReadOnlySpan<byte> utf8)
    {
        var text = new StringBuilder(utf8.Length);
        foreach (var rune in Encoding.UTF8.GetString(utf8).EnumerateRunes())
        {
            var isPlain = !Rune.IsControl(rune) && Rune.GetUnicodeCategory(rune) is not System.Globalization.UnicodeCategory.Format;
            text.Append(isPlain ? rune.ToString() : "�");
        }

        return text.ToString();
    }

    private static void Shout(string headline, string details)
    {
        var line = new string('!', 78);
        Console.Error.WriteLine($"{line}\n{headline}\n{details}\n{line}");
    }
}
