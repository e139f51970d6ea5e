namespace MutualAuth.Stress.Support;

/// <summary>What a server does with its connections in scenarios that are not about that.</summary>
internal static class Applications
{
    /// <summary>Disposes of each at once, until the listener ends.</summary>
    internal static async Task DisposeOfAllAsync(MutualTlsListener listener)
    {
        await foreach (var connection in listener.AcceptAllAsync())
        {
            _ = Task.Run(async () => await connection.DisposeAsync());
        }
    }

    /// <summary>Sends back what comes on each, until the listener ends.</summary>
    internal static async Task EchoAllAsync(MutualTlsListener listener)
    {
        await foreach (var connection in listener.AcceptAllAsync())
        {
            _ = Task.Run(() => EchoAsync(connection, new byte[4096]));
        }
    }

    /// <summary>Sends back what comes, until the connection ends.</summary>
    internal static async Task EchoAsync(MutualTlsConnection connection, byte[] buffer)
    {
        try
        {
            await using (connection)
            {
                int count;
                while ((count = await connection.Stream.ReadAsync(buffer)) > 0)
                {
                    await connection.Stream.WriteAsync(buffer.AsMemory(0, count));
                }
            }
        }
        catch (IOException)
        {
            // The peer has gone, or the connection was ended.
        }
    }
}
