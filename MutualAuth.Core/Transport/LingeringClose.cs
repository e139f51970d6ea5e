using System.Buffers;
using System.Net.Sockets;

namespace MutualAuth.Transport;

/// <summary>
/// Closes so that what we said last arrives: ends TLS, ends sending, and takes in a bounded amount of what is still under way. Closing a
/// socket with unread bytes makes the kernel send a reset, which may overtake, and then erases, what the peer has not read yet.
/// </summary>
/// <remarks>Its bounds are of real time: a clock of the application's that stands still must not keep a socket open.</remarks>
internal static class LingeringClose
{
    /// <summary>What an authenticated peer may still be sending is taken in for as long as closing may take.</summary>
    internal const long MaxDrainedFromPeer = 64 * 1024 * 1024;

    /// <summary>What a peer that has proven nothing may still be sending.</summary>
    internal const long MaxDrainedFromStranger = 64 * 1024;

    /// <summary>How long a peer that has proven nothing may take.</summary>
    internal static readonly TimeSpan StrangersPatience = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A moment that a peer that has proven nothing may take, by the clock of the options, or by the system's where that one fails.
    /// </summary>
    internal static CancellationTokenSource ForAMoment(TimeProvider time)
    {
        try
        {
            return new CancellationTokenSource(StrangersPatience, time);
        }
        catch (Exception)
        {
            return new CancellationTokenSource(StrangersPatience);
        }
    }

    /// <summary>
    /// Never throws, and never takes longer: a stream of the application's that heeds no token, or holds the thread
    /// that calls it, is left at the end.
    /// </summary>
    /// <returns>True when all that we had to say, the end of TLS included, was handed to the transport in time.</returns>
    internal static async ValueTask<bool> RunAsync(
        GuardedSslStream? tls, HandshakeTransport transport, Socket? socket, TimeSpan patience, long maxDrained)
    {
        if (tls is { PeerEndedCleanly: not null, IsBeingRead: false } && !transport.HoldsSomething && tls.ShutdownAsync().IsCompletedSuccessfully)
        {
            return true; // the peer has ended: nothing is under way, and to close the transport says all that is left to say
        }

        if (transport.HeedsTokens)
        {
            return await CloseAsync(tls, transport, socket, patience, maxDrained).ConfigureAwait(false);
        }

        try
        {
            return await CloseAsideAsync(tls, transport, socket, patience, maxDrained).WaitAsync(patience).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private static Task<bool> CloseAsideAsync(
        GuardedSslStream? tls, HandshakeTransport transport, Socket? socket, TimeSpan patience, long maxDrained) =>
        Task.Run(() => CloseAsync(tls, transport, socket, patience, maxDrained).AsTask());

    private static async ValueTask<bool> CloseAsync(
        GuardedSslStream? tls, HandshakeTransport transport, Socket? socket, TimeSpan patience, long maxDrained)
    {
        var isSaid = false;
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            using var deadline = new CancellationTokenSource(patience);
            isSaid = await EndTlsAsync(tls, deadline.Token).ConfigureAwait(false);
            await transport.ReleaseAsync(deadline.Token).ConfigureAwait(false);
            socket?.Shutdown(SocketShutdown.Send);

            // Through TLS where there is one: two sides that refuse each other both end sending, and neither waits for the other to hang up.
            if (tls is { IsAuthenticated: true })
            {
                await tls.DrainAsync(buffer, maxDrained, deadline.Token).ConfigureAwait(false);
            }
            else
            {
                await DrainAsync(transport, buffer, maxDrained, deadline.Token).ConfigureAwait(false);
            }
        }
        catch (Exception)
        {
            // The peer is gone, has broken TLS off, or does not go: there is nothing left to wait for.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return isSaid;
    }

    /// <summary>Says a last word in the clear, where TLS has not begun. Never throws.</summary>
    internal static async ValueTask SayAsync(HandshakeTransport transport, byte[] record)
    {
        try
        {
            using var deadline = new CancellationTokenSource(StrangersPatience);
            await transport.WriteAsync(record, deadline.Token).ConfigureAwait(false);
            await transport.ReleaseAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // It was a courtesy; the reason stands without it.
        }
    }

    /// <summary>Lets go of what is still held, and waits for nothing else. Never throws.</summary>
    internal static async ValueTask ReleaseAsync(HandshakeTransport transport)
    {
        try
        {
            using var deadline = new CancellationTokenSource(StrangersPatience);
            await transport.ReleaseAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The peer is gone, or takes nothing.
        }
    }

    /// <returns>True when TLS was ended, or there was none.</returns>
    private static async ValueTask<bool> EndTlsAsync(GuardedSslStream? tls, CancellationToken cancellationToken)
    {
        try
        {
            if (tls is { IsAuthenticated: true })
            {
                await tls.ShutdownAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            }

            return true;
        }
        catch (Exception)
        {
            // An alert has ended it, or the peer takes nothing; the transport's own end follows.
            return false;
        }
    }

    private static async ValueTask DrainAsync(HandshakeTransport transport, Memory<byte> buffer, long maxDrained, CancellationToken cancellationToken)
    {
        while (maxDrained > 0)
        {
            var count = await transport.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                return;
            }

            maxDrained -= count;
        }
    }
}
