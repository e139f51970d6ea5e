namespace MutualAuth.Hosting;

/// <summary>Serves the connections of a listener, each in a dependency injection scope of its own.</summary>
/// <example>
/// <code>
/// internal sealed class Echo : IMutualTlsHandler
/// {
///     public async Task HandleAsync(MutualTlsConnection connection, CancellationToken draining)
///     {
///         var buffer = new byte[1024];
///         int count;
///         while ((count = await connection.Stream.ReadAsync(buffer, draining)) &gt; 0)
///         {
///             await connection.Stream.WriteAsync(buffer.AsMemory(0, count), CancellationToken.None);
///         }
///     }
/// }
/// </code>
/// </example>
public interface IMutualTlsHandler
{
    /// <summary>Serves one connection. When the task ends, the connection is closed and the scope is disposed of.</summary>
    /// <param name="connection">The connection, on which both ends are authenticated. The host owns it.</param>
    /// <param name="draining">
    /// Cancelled when the host stops, or when the peer is no longer accepted: finish what is in progress, and begin nothing new
    /// (<see cref="MutualTlsConnection.DrainRequested"/>). An <see cref="OperationCanceledException"/> after it is no fault.
    /// </param>
    /// <remarks>Whatever it throws is logged and aborts this connection alone; the listener and the host go on.</remarks>
    Task HandleAsync(MutualTlsConnection connection, CancellationToken draining);
}
