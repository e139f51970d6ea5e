namespace MutualAuth.Snippets;

/// <summary>docs/how-to/roll-out-confirmation.md</summary>
internal static class RollOutConfirmation
{
    internal static void Policies(MutualTlsServerOptions serverOptions)
    {
        // snippet
        var careful = serverOptions with { Confirmation = ConfirmationPolicy.Preferred };   // the default
        var strict = serverOptions with { Confirmation = ConfirmationPolicy.Required };     // the aim
        // end
    }

    internal static void Count(MutualTlsConnection connection, ILogger logger)
    {
        // snippet
        if (!connection.IsConfirmed)
        {
            logger.LogWarning("Not confirmed yet: {Peer} at {RemoteEndPoint}", connection.Peer.Name, connection.RemoteEndPoint);
        }
        // end
    }

    internal static async Task ReadAsync(MutualTlsConnection connection, byte[] buffer, CancellationToken cancellationToken)
    {
        // snippet
        try
        {
            await connection.Stream.ReadExactlyAsync(buffer, cancellationToken);
        }
        catch (IOException exception) when (connection.TryGetRefusal(exception, out var refusal))
        {
            Console.Error.WriteLine($"refused after all: {refusal.PeerReason?.ToCode()}");
        }
        // end
    }
}
