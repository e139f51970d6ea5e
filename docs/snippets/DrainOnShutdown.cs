namespace MutualAuth.Snippets;

/// <summary>docs/how-to/drain-on-shutdown.md</summary>
internal static class DrainOnShutdown
{
    internal static async Task ServeAsync(MutualTlsListenerOptions listenerOptions)
    {
        // snippet
        await using var serving = MutualTlsListener.Start(listenerOptions);
        using var terminate = System.Runtime.InteropServices.PosixSignalRegistration.Create(System.Runtime.InteropServices.PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            _ = serving.StopAsync(TimeSpan.FromSeconds(20));
        });

        await foreach (var next in serving.AcceptAllAsync())     // ends by itself
        {
            _ = ServeOneAsync(next);
        }

        await serving.StopAsync(TimeSpan.FromSeconds(20));       // waits for the stop that is under way

        static async Task ServeOneAsync(MutualTlsConnection next)
        {
            await using (next)
            {
                var request = new byte[1024];
                while (!next.DrainRequested.IsCancellationRequested)
                {
                    int count;
                    try
                    {
                        count = await next.Stream.ReadAsync(request, next.DrainRequested);
                    }
                    catch (OperationCanceledException)
                    {
                        break;                                   // idle: nothing is lost
                    }

                    if (count == 0)
                    {
                        break;
                    }

                    await next.Stream.WriteAsync(request.AsMemory(0, count), CancellationToken.None);   // finish what was begun
                }
            }
        }
        // end
    }
}
