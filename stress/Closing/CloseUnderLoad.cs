using System.Security.Cryptography;
using MutualAuth.Connections;
using MutualAuth.Errors;
using MutualAuth.Stress.Support;

namespace MutualAuth.Stress.Closing;

/// <summary>Connections that are ended in one way while both applications use them, by turns with small and large messages, TLS 1.2 and 1.3.</summary>
internal sealed class CloseUnderLoad(Run run, Lab lab, Way way, Load load)
{
    private const int MostCloses = 2000;
    private const int AtOnce = 16;
    private const int PerWorker = 2;
    private const int Small = 64;
    private const int Large = 40_000;

    private readonly Figures _figures = run.Figures;

    /// <summary>Stands in <see cref="Scenarios"/>.</summary>
    internal static Scenario Scenario(Way way, Load load)
    {
        var name = $"close-{way.ToString().ToLowerInvariant()}-{load.ToString().ToLowerInvariant()}";
        var ended = way switch
        {
            Way.Grace => "the library ends it after the grace period, the application never looks",
            Way.Drain => "the application obeys DrainRequested",
            Way.Dispose => "the application disposes of it beside its own calls",
            Way.Stop => "the listener stops",
            _ => "the application aborts it beside its own calls",
        };
        return new Scenario(name, $"a connection under load ({load.ToString().ToLowerInvariant()}): {ended}", async run =>
        {
            using var lab = new Lab();
            await new CloseUnderLoad(run, lab, way, load).RunAsync();
        });
    }

    private async Task RunAsync()
    {
        _figures.Forbid("bad-record-mac", "ssl-exceptions", "undocumented-exceptions", "never-closed", "calls-hung", "close-threw", "sockets-left", "registry-left", "ends-faulted");
        for (var turn = 0; !run.IsOver && _figures.Of("closes") < MostCloses; turn++)
        {
            await BatchAsync(lab.ClientOf(tls13: turn % 2 == 0), new byte[turn / 2 % 2 == 0 ? Small : Large]);
        }

        _figures.Fault("ends-faulted", lab.Log.Of(1456));
        if (lab.Log.LastFault is { } fault)
        {
            _figures.Note("fault", fault);
        }
    }

    private async Task BatchAsync(MutualTlsClient client, byte[] message)
    {
        var listener = MutualTlsListener.Start(Lab.Listening(lab.ServerOptions with
        {
            LiveConnections = way is Way.Grace or Way.Drain
                ? new() { MaximumAge = TimeSpan.FromMilliseconds(150), GracePeriod = way is Way.Grace ? TimeSpan.FromMilliseconds(30) : TimeSpan.FromSeconds(5) }
                : new(),
        }));
        var serving = ServeAsync(listener, message);
        var workers = Enumerable.Range(0, AtOnce).Select(_ => WorkAsync(client, listener, message)).ToArray();
        if (way is Way.Stop)
        {
            await Task.Delay(RandomNumberGenerator.GetInt32(100, 300));
            await GuardAsync(() => listener.StopAsync(TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(2) * 50)));
        }

        await Task.WhenAll(workers);
        await GuardAsync(() => listener.StopAsync(TimeSpan.FromSeconds(1)));
        await serving;
        await lab.DemandRestAsync(_figures, Lab.PortOf(listener));
    }

    /// <summary>Runs a close, which must neither throw nor hang.</summary>
    private async Task GuardAsync(Func<Task> close)
    {
        try
        {
            await close().WaitAsync(Lab.Patience);
        }
        catch (Exception exception)
        {
            _figures.Fault(exception is TimeoutException ? "calls-hung" : "close-threw");
            _figures.Note("close", exception.GetType().Name);
        }
    }

    private async Task ServeAsync(MutualTlsListener listener, byte[] message)
    {
        List<Task> applications = [];
        try
        {
            await foreach (var connection in listener.AcceptAllAsync())
            {
                applications.Add(Task.Run(() => ServeAsync(connection, message)));
            }
        }
        catch (Exception exception)
        {
            _figures.Fault("accepting-threw");
            _figures.Note("accepting", exception.GetType().Name);
        }

        await Task.WhenAll(applications);
    }

    private async Task ServeAsync(MutualTlsConnection connection, byte[] message)
    {
        var token = way is Way.Drain ? connection.DrainRequested : CancellationToken.None;
        List<Task> calls = [];
        if (load.HasFlag(Load.Writes))
        {
            calls.Add(Task.Run(() => UntilItEndsAsync(connection, message, writes: true, token))); // a write that never waits would not let us come to the end
        }

        if (load.HasFlag(Load.Reads))
        {
            calls.Add(Task.Run(() => UntilItEndsAsync(connection, new byte[Large], writes: false, token)));
        }

        var ended = Task.WhenAll(calls);
        if (way is Way.Dispose or Way.Abort)
        {
            await Task.Delay(RandomNumberGenerator.GetInt32(1, 60));
            await GuardAsync(way is Way.Dispose ? () => connection.DisposeAsync().AsTask() : () => Task.Run(connection.Abort));
        }

        await ended.WaitAsync(Lab.Patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _figures.Fault("calls-hung", ended.IsCompleted ? 0 : 1);
        await GuardAsync(() => connection.DisposeAsync().AsTask());
        _figures.Count("closes");
    }

    private async Task WorkAsync(MutualTlsClient client, MutualTlsListener listener, byte[] message)
    {
        for (var count = 0; count < (way is Way.Stop ? 1 : PerWorker); count++)
        {
            try
            {
                var connection = await client.ConnectAsync(listener.LocalEndPoint, Lab.ServerName);
                await using (connection)
                {
                    await TalkAsync(connection, message);
                }
            }
            catch (HandshakeException) when (way is Way.Stop)
            {
                _figures.Count("refused-by-stop");
            }
            catch (HandshakeException exception)
            {
                _figures.Fault("handshakes-failed");
                _figures.Note("handshake", exception.Reason.ToString());
            }
        }
    }

    private async Task TalkAsync(MutualTlsConnection connection, byte[] message)
    {
        var reading = Task.Run(() => UntilItEndsAsync(connection, new byte[Large], writes: false, CancellationToken.None));
        var writing = load.HasFlag(Load.Reads) ? Task.Run(() => UntilItEndsAsync(connection, message, writes: true, CancellationToken.None)) : Task.CompletedTask;
        var ended = Task.WhenAll(reading, writing);
        await ended.WaitAsync(Lab.Patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!ended.IsCompleted)
        {
            _figures.Fault("never-closed");
            connection.Abort();
            await ended.WaitAsync(Lab.Patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task UntilItEndsAsync(MutualTlsConnection connection, byte[] buffer, bool writes, CancellationToken cancellationToken)
    {
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                if (writes)
                {
                    await connection.Stream.WriteAsync(buffer, CancellationToken.None);
                }
                else if (await connection.Stream.ReadAsync(buffer, cancellationToken) == 0)
                {
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The application's own wish.
        }
        catch (Exception exception)
        {
            Symptoms.Count(_figures, exception);
        }
    }
}
