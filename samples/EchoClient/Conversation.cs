namespace MutualAuth.Samples;

/// <summary>Sends an input as it arrives, and prints the answer as it arrives, at the same time.</summary>
internal sealed class Conversation(MutualTlsConnection connection, Stream input, Stream output)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private readonly TaskCompletionSource _allBack = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _sent;
    private long _received;
    private bool _inputEnded;

    /// <summary>Runs until the input has ended and as many bytes have come back.</summary>
    /// <returns>False when the peer closed earlier.</returns>
    /// <exception cref="IOException">The transport failed, or the peer refused us only after the handshake.</exception>
    internal async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        var sending = SendAsync(cancellationToken);
        var receiving = ReceiveAsync(cancellationToken);
        if (await Task.WhenAny(_allBack.Task, receiving, sending) == sending)
        {
            // A failed write says less than the read beside it, which may find the reason.
            await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Task.WhenAny(_allBack.Task, receiving).WaitAsync(sending.IsFaulted ? s_patience : Timeout.InfiniteTimeSpan, cancellationToken);
        }

        if (!_allBack.Task.IsCompleted)
        {
            await receiving;
            return _allBack.Task.IsCompleted;
        }

        if (_sent == 0 && !connection.IsConfirmed)
        {
            await ListenForRefusalAsync(receiving, cancellationToken);
        }

        return true;
    }

    private async Task SendAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        while (await input.ReadAsync(buffer, cancellationToken) is > 0 and var count)
        {
            Interlocked.Add(ref _sent, count);
            await connection.Stream.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
        }

        Volatile.Write(ref _inputEnded, true);
        Check();
    }

    private async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        while (await connection.Stream.ReadAsync(buffer, cancellationToken) is > 0 and var count)
        {
            await output.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
            await output.FlushAsync(cancellationToken);
            Interlocked.Add(ref _received, count);
            Check();
        }
    }

    private void Check()
    {
        if (Volatile.Read(ref _inputEnded) && Interlocked.Read(ref _received) >= Interlocked.Read(ref _sent))
        {
            _allBack.TrySetResult();
        }
    }

    /// <summary>A plain TLS peer reports a refusal only after the handshake, if at all. Sends our end, and reads the peer's answer.</summary>
    private async Task ListenForRefusalAsync(Task receiving, CancellationToken cancellationToken)
    {
        try
        {
            await connection.CompleteWritesAsync(cancellationToken);
        }
        catch (IOException)
        {
            // The peer ended first; reading says how.
        }

        try
        {
            await receiving.WaitAsync(s_patience, cancellationToken);
        }
        catch (Exception exception) when (exception is TimeoutException || (exception is IOException && !connection.TryGetRefusal(exception, out _)))
        {
            // The peer sends nothing.
        }
    }
}
