using System.Net;
using System.Net.Sockets;
using MutualAuth.Testing.Building;
using MutualAuth.Testing.Transports;

namespace MutualAuth.Testing.BadPeers;

/// <summary>A server, to which clients are played.</summary>
internal sealed class ServerUnderTest(Func<CancellationToken, Task<Stream>> connect, GalleryRunOptions options)
{
    internal static async Task<Stream> DialAsync(EndPoint server, CancellationToken token)
    {
        var socket = server is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(server, token).ConfigureAwait(false);

            // TLS talks in turns of several records, which else wait for each other's acknowledgement.
            socket.NoDelay = socket.ProtocolType == ProtocolType.Tcp;
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    internal async Task<Sighting> PlayAsync(TestCertificate? shown, CancellationToken token)
    {
        Stream connected;
        try
        {
            connected = await connect(token).ConfigureAwait(false);
        }
        catch (Exception exception) when (!token.IsCancellationRequested)
        {
            return Sighting.Unclear($"no connection: {exception.Message}");
        }

        var transport = new WatchedTransport(connected);
        await using (transport.ConfigureAwait(false))
        {
            var seen = new LooseTlsRecord();
            AnswerStream? answer = null;
            try
            {
                using var peer = await LooseTlsPeer.ConnectAsync(transport, shown, options.Tls, seen, token).ConfigureAwait(false);
                using var closing = token.Register(transport.Dispose);
                var (outcome, detail) = await options.Probe.AskAsync(answer = new AnswerStream(peer.Stream), token).ConfigureAwait(false);
                token.ThrowIfCancellationRequested();
                return outcome is { } judged ? new Sighting(judged, detail) : Sighting.OfTheEnd(seen, endedByFarEnd: true, detail, answer.Received);
            }
            catch (Exception) when (token.IsCancellationRequested && answer is not null)
            {
                return Sighting.Unclear(
                    $"the handshake went through, and then the time was over: {answer.Received} octets came that the probe takes for no answer; "
                    + $"a server that answers otherwise needs another {nameof(options.Probe)}");
            }
            catch (Exception exception) when (!token.IsCancellationRequested)
            {
                // What a probe of the user's throws says nothing of the server, unless the connection ended too.
                var isOfTheConnection = exception is IOException or ObjectDisposedException or SocketException;
                var isClosed = isOfTheConnection && transport.EndedByFarEnd;
                return Sighting.OfTheEnd(
                    seen,
                    isClosed,
                    isClosed ? "the server closed the connection"
                        : isOfTheConnection ? exception.Message : $"{exception.GetType().Name}: {exception.Message}",
                    answer?.Received ?? 0);
            }
        }
    }
}
