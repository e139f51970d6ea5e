using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace MutualAuth.Handshake;

/// <summary>
/// Closes so that what we said last arrives: ends TLS, ends sending, and takes in a bounded amount of what is still under way. Closing a
/// socket with unread bytes makes the kernel send a reset, which may overtake, and then erases, the reason at the other end.
/// </summary>
internal static class PoliteClose
{
    private const int MaxDrainedBytes = 64 * 1024;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    internal static async ValueTask RunAsync(SslStream? tls, HandshakeTransport transport, Socket? socket, TimeProvider time)
    {
        using var deadline = new CancellationTokenSource(s_patience, time);
        await EndTlsAsync(tls, deadline.Token).ConfigureAwait(false);
        var buffer = ArrayPool<byte>.Shared.Rent(4096);
        try
        {
            await transport.ReleaseAsync(deadline.Token).ConfigureAwait(false);
            socket?.Shutdown(SocketShutdown.Send);

            // Through TLS where there is one: two sides that refuse each other both end sending, and neither waits for the other to hang up.
            Stream source = tls is { IsAuthenticated: true } ? tls : transport;
            for (var drained = 0; drained < MaxDrainedBytes;)
            {
                var count = await source.ReadAsync(buffer, deadline.Token).ConfigureAwait(false);
                if (count == 0)
                {
                    break;
                }

                drained += count;
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or InvalidOperationException or OperationCanceledException or NotSupportedException or CryptographicException)
        {
            // The peer is gone, has broken TLS off, or does not go: either way there is nothing left to wait for.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Lets go of what is still held, and waits for nothing else.</summary>
    internal static async ValueTask ReleaseAsync(HandshakeTransport transport, TimeProvider time)
    {
        using var deadline = new CancellationTokenSource(s_patience, time);
        try
        {
            await transport.ReleaseAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            // The peer is gone, or takes nothing.
        }
    }

    private static async ValueTask EndTlsAsync(SslStream? tls, CancellationToken cancellationToken)
    {
        try
        {
            if (tls is { IsAuthenticated: true })
            {
                await tls.ShutdownAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException or CryptographicException)
        {
            // TLS is over in any case; the transport's own end follows.
        }
    }
}
