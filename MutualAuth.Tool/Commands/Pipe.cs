using MutualAuth.Samples;

namespace MutualAuth.Tool;

/// <summary>Stdin and stdout over a connection, both ways at once.</summary>
internal static class Pipe
{
    private const int BufferLength = 16 * 1024;

    /// <summary>How long the end of a connection may take once both sides have ended.</summary>
    private static readonly TimeSpan s_refusalWait = TimeSpan.FromSeconds(1);

    /// <summary>Sends stdin and its end, and prints what comes until the peer ends.</summary>
    /// <returns>The exit code; when it is not 0, the last line of stderr says why.</returns>
    internal static async Task<int> RunAsync(MutualTlsConnection connection, CancellationToken stop)
    {
        try
        {
            var receiving = ReceiveAsync(connection, stop);
            var sending = SendAsync(connection, stop);
            if (await Task.WhenAny(receiving, sending) == sending && sending.IsFaulted)
            {
                // A failed write says less than the read beside it, which may find the reason.
                await receiving.WaitAsync(s_refusalWait, stop);
                await sending;
            }

            // The peer has ended: no one reads what stdin still has.
            await receiving;
            return 0;
        }
        catch (IOException exception) when (connection.TryGetRefusal(exception, out var refusal))
        {
            return HandshakeExit.Fail(refusal);
        }
        catch (Exception exception) when (exception is IOException or TimeoutException)
        {
            return CommandLine.Fail(HandshakeExit.NoAgreement, "connection_lost", $"The connection broke: {exception.Message}");
        }
    }

    private static async Task SendAsync(MutualTlsConnection connection, CancellationToken stop)
    {
        await using var input = Console.OpenStandardInput();
        var buffer = new byte[BufferLength];
        while (await input.ReadAsync(buffer, stop) is > 0 and var count)
        {
            await connection.Stream.WriteAsync(buffer.AsMemory(0, count), stop);
        }

        await connection.CompleteWritesAsync(stop);
    }

    private static async Task ReceiveAsync(MutualTlsConnection connection, CancellationToken stop)
    {
        await using var output = Console.OpenStandardOutput();
        var buffer = new byte[BufferLength];
        while (await connection.Stream.ReadAsync(buffer, stop) is > 0 and var count)
        {
            await output.WriteAsync(buffer.AsMemory(0, count), stop);
            await output.FlushAsync(stop);
        }
    }
}
