using System.Net.Sockets;

namespace MutualAuth.Testing.Responders;

/// <summary>Accepts connections until it is stopped, whatever becomes of a single one.</summary>
internal static class Accepting
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    /// <param name="listener">Where they come in.</param>
    /// <param name="accepted">Owns the connection, and throws nothing.</param>
    /// <param name="failed">Hears of a connection that could not be accepted.</param>
    /// <param name="stop">Ends it, without an exception.</param>
    internal static async Task RunAsync(
        TcpListener listener, Func<Socket, Task> accepted, Action<SocketException> failed, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await accepted(await listener.AcceptSocketAsync(stop).ConfigureAwait(false)).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                // Stopped.
            }
            catch (SocketException exception)
            {
                // The system has no socket left, or the client was gone again: the next one may fare better, in a while.
                failed(exception);
                await Task.Delay(s_pause, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
