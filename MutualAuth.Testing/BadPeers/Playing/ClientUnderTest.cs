using System.Net;
using System.Net.Sockets;
using MutualAuth.Testing.Building;
using MutualAuth.Testing.Responders;
using MutualAuth.Testing.Transports;

namespace MutualAuth.Testing.BadPeers;

/// <summary>A client, to which servers are played.</summary>
internal sealed class ClientUnderTest(Func<IPEndPoint, string, CancellationToken, Task> dial, GalleryRunOptions options)
{
    /// <summary>How long an alert of a client that has thrown may still take to arrive.</summary>
    private static readonly TimeSpan s_lastWord = TimeSpan.FromMilliseconds(500);

    internal async Task<Sighting> PlayAsync(string name, TestCertificate shown, CancellationToken token)
    {
        using var listener = PublishedAddress.Listen(options.PublishedHost, 0);
        var seen = new LooseTlsRecord();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(token);
        var answering = AnswerAsync(listener, shown, seen, over.Token);
        try
        {
            await dial(EndPointOf(listener), name, token).ConfigureAwait(false);
            return seen.CertificateShown
                ? new Sighting(PeerOutcome.LetIn, "accepted")
                : Sighting.Unclear("the client was content before it was shown a certificate");
        }
        catch (Exception exception) when (!token.IsCancellationRequested)
        {
            // It has thrown already, and what it sent before that may still be under way: an alert is the better witness.
            await Task.WhenAny(answering, Task.Delay(s_lastWord, token)).ConfigureAwait(false);
            return Sighting.OfTheEnd(seen, endedByFarEnd: !IsNoJudgement(exception), $"{exception.GetType().Name}: {exception.Message}");
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await answering.ConfigureAwait(false);
        }
    }

    private async Task AnswerAsync(TcpListener listener, TestCertificate shown, LooseTlsRecord seen, CancellationToken token)
    {
        try
        {
            var socket = await listener.AcceptSocketAsync(token).ConfigureAwait(false);
            socket.NoDelay = true;
            var transport = new NetworkStream(socket, ownsSocket: true);
            using var peer = await LooseTlsPeer.AcceptAsync(transport, shown, options.Tls, seen, token).ConfigureAwait(false);
            using var closing = token.Register(transport.Dispose);
            await Task.Factory.StartNew(() => PlainAnswer.Give(peer.Stream), token, TaskCreationOptions.LongRunning, TaskScheduler.Default)
                .ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or SocketException or OperationCanceledException)
        {
            // The client has rejected the peer, or is done.
        }
    }

    /// <summary>What a client throws when it has run out of time, or broken down: no word on the peer. Others may have wrapped it.</summary>
    /// <remarks>What a refusal throws is any TLS library's own, and cannot be listed; these come of a fault in a program alone.</remarks>
    private static bool IsNoJudgement(Exception? exception) => exception switch
    {
        null => false,
        AggregateException several => several.InnerExceptions.Any(IsNoJudgement),
        OperationCanceledException or TimeoutException or SocketException { SocketErrorCode: SocketError.TimedOut } => true,
        NullReferenceException or IndexOutOfRangeException or InvalidCastException or OutOfMemoryException or NotImplementedException
            or ArgumentException or KeyNotFoundException or ArithmeticException or FormatException or ObjectDisposedException => true,
        _ => IsNoJudgement(exception.InnerException),
    };

    private IPEndPoint EndPointOf(TcpListener listener)
    {
        var bound = (IPEndPoint)listener.LocalEndpoint;
        return options.PublishedHost is { } host && IPAddress.TryParse(host, out var address) ? new IPEndPoint(address, bound.Port)
            : new IPEndPoint(IPAddress.Loopback, bound.Port);
    }
}
