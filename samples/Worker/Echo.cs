using Microsoft.Extensions.Logging;
using MutualAuth.Hosting;

namespace MutualAuth.Samples;

/// <summary>Sends back what comes. What has been read is still answered when the host stops; nothing more is read then.</summary>
internal sealed partial class Echo(ILogger<Echo> logger) : IMutualTlsHandler
{
    public async Task HandleAsync(MutualTlsConnection connection, CancellationToken draining)
    {
        Here(connection.Peer.Name, connection.IsConfirmed);
        var buffer = new byte[4096];
        int count;
        while ((count = await connection.Stream.ReadAsync(buffer, draining)) > 0)
        {
            await connection.Stream.WriteAsync(buffer.AsMemory(0, count), CancellationToken.None);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "{Peer} is here, confirmed: {IsConfirmed}")]
    private partial void Here(string peer, bool isConfirmed);
}
