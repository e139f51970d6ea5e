using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using MutualAuth.Errors;
using MutualAuth.Handshake;
using MutualAuth.Telemetry;
using MutualAuth.Validation;

namespace MutualAuth.Connections;

/// <summary>Makes the transport: one address, or the first of several to answer (Happy Eyeballs, RFC 8305).</summary>
internal static class Dialer
{
    // RFC 8305 §8: the recommended delay before the next address is tried beside those under way.
    private static readonly TimeSpan s_attemptDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>Finds the addresses of a host.</summary>
    internal delegate Task<IPAddress[]> Resolver(string host, AddressFamily family, CancellationToken cancellationToken);

    /// <returns>The socket, and what held the deadline, stopped, to hold the next one; null where a new one is needed.</returns>
    /// <exception cref="HandshakeException">Nothing answered in time.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> ended.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal static async ValueTask<(Socket Socket, CancellationTokenSource? Stopped)> ConnectAsync(
        EndPoint endPoint,
        TimeSpan timeout,
        TimeProvider time,
        ILoggerFactory loggerFactory,
        CancellationToken cancellationToken,
        Resolver? resolver = null)
    {
        HandshakeException outcome;
        var tried = endPoint is DnsEndPoint ? new List<IPAddress>() : null;
        try
        {
            var deadline = new CancellationTokenSource(timeout, time);
            CancellationTokenSource? stopped = null;
            try
            {
                using var either = cancellationToken.CanBeCanceled
                    ? CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken)
                    : null;
                var token = (either ?? deadline).Token;
                var socket = endPoint is DnsEndPoint dns
                    ? await ConnectToFirstAsync(
                        await ResolveAsync(dns, resolver ?? Dns.GetHostAddressesAsync, token).ConfigureAwait(false),
                        tried!,
                        time,
                        token).ConfigureAwait(false)
                    : await ConnectToOneAsync(endPoint, token).ConfigureAwait(false);
                stopped = Stop(deadline);
                return (socket, stopped);
            }
            finally
            {
                if (stopped is null)
                {
                    deadline.Dispose();
                }
            }
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var presented = (exception as SocketException)?.SocketErrorCode.ToString() ?? $"no answer within {timeout}";
            if (tried is { Count: > 0 })
            {
                presented += $" (tried {string.Join(", ", tried.Take(8))}{(tried.Count > 8 ? ", …" : string.Empty)})";
            }

            outcome = new HandshakeException(
                HandshakeFailure.Unreachable,
                new Rejection(RejectionReason.Unreachable, $"an answer from {SafeText.Quote(EndPointText.Of(endPoint))}", presented),
                exception);
        }
        catch (Exception exception)
        {
            // The clock threw, or the kind of end point is not supported.
            outcome = ApplicationCalls.Fault("a clock and an end point to dial by", exception);
        }

        outcome.RemoteEndPoint = endPoint;
        var id = ConnectionId.Next();
        outcome.ConnectionId = id.ToString();
        var logger = MutualAuthTelemetry.CreateLogger(loggerFactory, LogArea.Handshake);
        new HandshakeRecorder(logger, time, PeerRole.Client, endPoint, id).Failed(outcome);
        throw outcome;
    }

    /// <summary>
    /// Stops a deadline. Null where it has ended what it holds, or may still do so, which cannot be told of a clock of the application's.
    /// </summary>
    internal static CancellationTokenSource? Stop(CancellationTokenSource deadline) => deadline.TryReset() ? deadline : null;

    /// <summary>The addresses, families interleaved, the resolver's first choice first (RFC 8305 §4).</summary>
    private static async Task<List<IPEndPoint>> ResolveAsync(DnsEndPoint endPoint, Resolver resolver, CancellationToken cancellationToken)
    {
        // The system's resolver cannot be stopped everywhere: then it is left to itself.
        var addresses = await resolver(endPoint.Host, endPoint.AddressFamily, cancellationToken)
            .OrLeaveAsync(cancellationToken).ConfigureAwait(false);
        if (addresses.Length == 0)
        {
            throw new SocketException((int)SocketError.HostNotFound);
        }

        var first = new Queue<IPAddress>(addresses.Where(address => address.AddressFamily == addresses[0].AddressFamily));
        var second = new Queue<IPAddress>(addresses.Where(address => address.AddressFamily != addresses[0].AddressFamily));
        var order = new List<IPEndPoint>(addresses.Length);
        while (first.Count + second.Count > 0)
        {
            if (first.TryDequeue(out var next))
            {
                order.Add(new IPEndPoint(next, endPoint.Port));
            }

            (first, second) = second.Count > 0 ? (second, first) : (first, second);
        }

        return order;
    }

    private static async Task<Socket> ConnectToFirstAsync(
        List<IPEndPoint> endPoints, List<IPAddress> tried, TimeProvider time, CancellationToken cancellationToken)
    {
        using var won = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var underWay = new List<Task<Socket>>();
        Exception lastFault = new SocketException((int)SocketError.HostUnreachable);
        var next = 0;
        try
        {
            while (next < endPoints.Count || underWay.Count > 0)
            {
                if (next < endPoints.Count)
                {
                    tried.Add(endPoints[next].Address);
                    underWay.Add(ConnectToOneAsync(endPoints[next++], won.Token).AsTask());
                }

                var done = await FirstToEndAsync(underWay, next < endPoints.Count, time, won.Token).ConfigureAwait(false);
                if (done is null)
                {
                    continue;
                }

                underWay.Remove(done);
                if (done.IsCompletedSuccessfully)
                {
                    return await done.ConfigureAwait(false);
                }

                cancellationToken.ThrowIfCancellationRequested();
                lastFault = done.Exception?.InnerException ?? lastFault;
            }

            throw lastFault;
        }
        finally
        {
            await won.CancelAsync().ConfigureAwait(false);
            foreach (var loser in underWay)
            {
                _ = CloseLoserAsync(loser);
            }
        }
    }

    private static async Task<Task<Socket>?> FirstToEndAsync(
        List<Task<Socket>> underWay, bool more, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!more)
        {
            return await Task.WhenAny(underWay).ConfigureAwait(false);
        }

        var delay = Task.Delay(s_attemptDelay, time, cancellationToken);
        var ended = await Task.WhenAny([delay, .. underWay]).ConfigureAwait(false);
        return ended as Task<Socket>;
    }

    private static async Task CloseLoserAsync(Task<Socket> loser)
    {
        await ((Task)loser).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (loser.IsCompletedSuccessfully)
        {
            (await loser.ConfigureAwait(false)).Dispose();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<Socket> ConnectToOneAsync(EndPoint endPoint, CancellationToken cancellationToken)
    {
        var socket = new Socket(
            endPoint.AddressFamily, SocketType.Stream, endPoint is UnixDomainSocketEndPoint ? ProtocolType.Unspecified : ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
