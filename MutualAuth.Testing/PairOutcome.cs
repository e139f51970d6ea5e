namespace MutualAuth.Testing;

/// <summary>How a handshake ended on both sides: a connection or a failure each.</summary>
public sealed class PairOutcome : IAsyncDisposable
{
    internal PairOutcome(
        MutualTlsConnection? client, HandshakeException? clientFailure, MutualTlsConnection? server, HandshakeException? serverFailure) =>
        (Client, ClientFailure, Server, ServerFailure) = (client, clientFailure, server, serverFailure);

    /// <summary>The client's connection; null when it has none.</summary>
    public MutualTlsConnection? Client { get; }

    /// <summary>Why the client has no connection; null when it has one.</summary>
    public HandshakeException? ClientFailure { get; }

    /// <summary>The server's connection; null when it has none.</summary>
    public MutualTlsConnection? Server { get; }

    /// <summary>Why the server has no connection; null when it has one.</summary>
    public HandshakeException? ServerFailure { get; }

    /// <summary>Both sides, on one line each.</summary>
    public override string ToString() =>
        $"client: {ClientFailure?.Message ?? $"connected to {Client!.Peer.Name}"}{Environment.NewLine}server: "
            + $"{ServerFailure?.Message ?? $"connected to {Server!.Peer.Name}"}";

    /// <summary>Closes what connections there are.</summary>
    public async ValueTask DisposeAsync()
    {
        // The two goodbyes go out together: each side may wait for the other's.
        await Task.WhenAll(CloseAsync(Client), CloseAsync(Server)).ConfigureAwait(false);

        static Task CloseAsync(MutualTlsConnection? connection) => connection is null ? Task.CompletedTask : connection.DisposeAsync().AsTask();
    }
}
