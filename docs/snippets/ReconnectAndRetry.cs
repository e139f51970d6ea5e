namespace MutualAuth.Snippets;

/// <summary>docs/how-to/reconnect-and-retry.md</summary>
internal static class ReconnectAndRetry
{
    internal static async Task RunAsync(MutualTlsClient client, CancellationToken cancellationToken)
    {
        await using var connection = await ConnectAsync(client, cancellationToken);

        // snippet
        static async Task<MutualTlsConnection> ConnectAsync(MutualTlsClient client, CancellationToken cancellationToken)
        {
            var delay = TimeSpan.FromSeconds(1);
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    return await client.ConnectAsync("broker.example", 8883, cancellationToken);
                }
                catch (HandshakeException failure) when (failure.IsTransient && attempt < 8)
                {
                    Console.Error.WriteLine($"attempt {attempt}: {failure.Reason.ToCode()}, again in {delay.TotalSeconds} s");
                    await Task.Delay(delay * (0.5 + Random.Shared.NextDouble()), cancellationToken);   // not all clients at the same moment
                    delay = TimeSpan.FromSeconds(Math.Min(60, delay.TotalSeconds * 2));
                }
            }
        }
        // end
    }
}
