namespace MutualAuth.Tests.Support;

/// <summary>Closes connections at once: each waits a moment for its peer to end its side, and one after the other they would all wait.</summary>
internal sealed class Together(params MutualTlsConnection[] connections) : IAsyncDisposable
{
    public async ValueTask DisposeAsync() => await Task.WhenAll(connections.Select(connection => connection.DisposeAsync().AsTask()));
}
