using System.Net.Sockets;
using System.Security.Cryptography;
using MutualAuth.Stress.Support;

namespace MutualAuth.Stress.Closing;

/// <summary>
/// Connections that are ended in one way while both applications use them: by turns with small and large messages, TLS 1.2 and 1.3, over sockets
/// and over streams, by asynchronous, synchronous and APM calls.
/// </summary>
internal sealed class CloseUnderLoad(Run run, Lab lab, Way way, Load load)
{
    private const int MostCloses = 2000;
    private const int AtOnce = 64;
    private const int PerWorker = 2;
    private const int Small = 64;
    private const int Large = 40_000;

    // The applications leave few processors to those that are still shaking hands; and what hangs, hangs for longer than this.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(Lab.HasHeapChecks ? 60 : 30);

    private readonly Figures _figures = run.Figures;
    private int _served;
    private int _dialled;

    /// <summary>Stands in <see cref="Scenarios"/>.</summary>
    internal static Scenario Scenario(Way way, Load load)
    {
        var name = $"close-{way.ToString().ToLowerInvariant()}-{load.ToString().ToLowerInvariant()}";
        var ended = way switch
        {
            Way.Grace => "the library ends it after the grace period, the application never looks at DrainRequested",
            Way.Drain => "the application obeys DrainRequested",
            Way.Dispose => "the application disposes of it, or of its stream, beside its own calls",
            Way.Stop => "the listener stops",
            _ => "the application aborts it beside its own calls",
        };
        return new Scenario(name, $"a connection under load ({load.ToString().ToLowerInvariant()}): {ended}", async run =>
        {
            using var lab = new Lab();
            await new CloseUnderLoad(run, lab, way, load).RunAsync();
        })
        {
            Seconds = 600,
            Whole = MostCloses,
        };
    }

    private async Task RunAsync()
    {
        _figures.Forbid("too-few", "bad-record-mac", "ssl-exceptions", "undocumented-exceptions", "never-closed", "calls-hung", "close-threw",
            "sockets-left", "registry-left", "ends-faulted");
        _figures.Forbid("kinds-without-calls", "handshakes-failed");
        var least = run.Least(MostCloses, seconds: 600, least: AtOnce / 2);
        var turn = RandomNumberGenerator.GetInt32(8); // a short run has few turns, and should not always have the same
        for (; run.GoesOn(_figures.Of("closes"), MostCloses, least); turn++)
        {
            await BatchAsync(lab.ClientOf(tls13: turn % 2 == 0, s_patience), new byte[turn / 2 % 2 == 0 ? Small
                : Large], isStream: way is not Way.Stop && turn / 4 % 2 == 1);
        }

        _figures.RequiredCheck(_figures.Of("closes") >= least, "too-few");
        foreach (var calls in Enum.GetValues<Calls>())
        {
            _figures.RequiredCheck(_figures.Of(CountOf(calls)) > 0, "kinds-without-calls");
        }

        _figures.Fault("ends-faulted", lab.Log.Of(1456));
        if (lab.Log.LastFault is { } fault)
        {
            _figures.Note("fault", fault);
        }
    }

    private static string CountOf(Calls calls) => calls switch
    {
        Calls.Synchronous => "synchronous-calls",
        Calls.Apm => "apm-calls",
        _ => "asynchronous-calls",
    };

    private async Task BatchAsync(MutualTlsClient client, byte[] message, bool isStream)
    {
        var options = lab.ServerOptions with
        {
            HandshakeTimeout = s_patience,
            Revalidation = way is Way.Grace or Way.Drain
                ? new()
                {
                    MaximumAge = TimeSpan.FromMilliseconds(150),
                    GracePeriod = way is Way.Grace
                    ? TimeSpan.FromMilliseconds(30)
                    : TimeSpan.FromSeconds(5)
                }
                : new(),
        };
        await using var front = isStream ? Front.OverStreams(options) : Front.OverSockets(options);
        var serving = ServeAsync(front, message);
        var workers = Enumerable.Range(0, AtOnce).Select(_ => WorkAsync(client, front, message)).ToArray();
        if (way is Way.Stop)
        {
            await UntilSomeTalkAsync();
            await GuardAsync(() => front.StopAsync(TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(2) * 50)));
        }

        await Task.WhenAll(workers);
        await GuardAsync(() => front.StopAsync(TimeSpan.FromSeconds(1)));
        await serving;
        await lab.DemandRestAsync(_figures, front.Port);
    }

    /// <summary>A stop before anything is under way would show nothing.</summary>
    private async Task UntilSomeTalkAsync()
    {
        var before = lab.Meters.Connections;
        var until = DateTime.UtcNow + s_patience;
        while (lab.Meters.Connections - before < AtOnce && DateTime.UtcNow < until)
        {
            await Task.Delay(10);
        }

        await Task.Delay(RandomNumberGenerator.GetInt32(0, 200));
    }

    /// <summary>Runs a close, which must neither throw nor hang.</summary>
    private async Task GuardAsync(Func<Task> close)
    {
        try
        {
            await close().WaitAsync(s_patience);
        }
        catch (Exception exception)
        {
            _figures.Fault(exception is TimeoutException ? "calls-hung" : "close-threw");
            _figures.Note("close",
                $"{exception.GetType().Name} with {ThreadPool.ThreadCount} threads and {ThreadPool.PendingWorkItemCount} waiting for one");
        }
    }

    private async Task ServeAsync(Front front, byte[] message)
    {
        List<Task> applications = [];
        try
        {
            await foreach (var connection in front.AcceptAllAsync())
            {
                _figures.Count(front.IsStream ? "server-streams" : "server-sockets");
                var calls = (Calls)(_served++ % 3);
                applications.Add(Task.Run(() => ServeAsync(connection, message, calls)));
            }
        }
        catch (Exception exception)
        {
            _figures.Fault("accepting-threw");
            _figures.Note("accepting", exception.GetType().Name);
        }

        await Task.WhenAll(applications);
    }

    private async Task ServeAsync(MutualTlsConnection connection, byte[] message, Calls calls)
    {
        var token = way is Way.Drain ? connection.DrainRequested : CancellationToken.None;
        List<Task> loops = [];
        if (load.HasFlag(Load.Writes))
        {
            loops.Add(UntilItEndsAsync(connection, message, calls, writes: true, token));
        }

        if (load.HasFlag(Load.Reads))
        {
            loops.Add(UntilItEndsAsync(connection, new byte[Large], calls, writes: false, token));
        }

        var ended = Task.WhenAll(loops);
        if (way is Way.Dispose or Way.Abort)
        {
            await Task.Delay(RandomNumberGenerator.GetInt32(1, 60));
            await GuardAsync(() => way is Way.Dispose ? DisposeAsync(connection) : Task.Run(connection.Abort));
        }

        await ended.WaitAsync(s_patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _figures.Fault("calls-hung", ended.IsCompleted ? 0 : 1);
        await GuardAsync(() => connection.DisposeAsync().AsTask());
        _figures.Count("closes");
    }

    /// <summary>In one of the ways in which an application can.</summary>
    private async Task DisposeAsync(MutualTlsConnection connection)
    {
        switch (RandomNumberGenerator.GetInt32(4))
        {
            case 0:
                await Task.Run(connection.Stream.Dispose);
                break;
            case 1:
                await connection.Stream.DisposeAsync();
                break;
            case 2:
                await Task.WhenAll(CompleteAsync(connection), connection.DisposeAsync().AsTask());
                break;
            default:
                await connection.DisposeAsync();
                break;
        }
    }

    private async Task CompleteAsync(MutualTlsConnection connection)
    {
        try
        {
            await connection.CompleteWritesAsync();
        }
        catch (Exception exception)
        {
            Symptoms.Count(_figures, exception);
        }
    }

    private async Task WorkAsync(MutualTlsClient client, Front front, byte[] message)
    {
        for (var count = 0; count < (way is Way.Stop ? 1 : PerWorker); count++)
        {
            var number = Interlocked.Increment(ref _dialled);
            try
            {
                var connection = await front.ConnectAsync(client, overStream: number % 2 == 0);
                _figures.Count(number % 2 == 0 ? "client-streams" : "client-sockets");
                await using (connection)
                {
                    await TalkAsync(connection, message, (Calls)(number / 2 % 3));
                }
            }
            catch (Exception exception) when (way is Way.Stop && (exception is HandshakeException or SocketException))
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

    private async Task TalkAsync(MutualTlsConnection connection, byte[] message, Calls calls)
    {
        var reading = UntilItEndsAsync(connection, new byte[Large], calls, writes: false, CancellationToken.None);
        var writing = load.HasFlag(Load.Reads) ? UntilItEndsAsync(connection, message, calls, writes: true, CancellationToken.None)
            : Task.CompletedTask;
        var ended = Task.WhenAll(reading, writing);
        await ended.WaitAsync(s_patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!ended.IsCompleted)
        {
            _figures.Fault("never-closed");
            connection.Abort();
            await ended.WaitAsync(s_patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task UntilItEndsAsync(MutualTlsConnection connection, byte[] buffer, Calls calls, bool writes, CancellationToken cancellationToken)
    {
        var moved = 0L;
        try
        {
            await Task.Yield();
            await (writes ? Talk.WriteUntilItEndsAsync(connection.Stream, calls, buffer, () => moved++, cancellationToken)
                : Talk.ReadUntilItEndsAsync(connection.Stream, calls, buffer, () => moved++, cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The application's own wish.
        }
        catch (Exception exception)
        {
            Symptoms.Count(_figures, exception);
        }

        _figures.Count(CountOf(calls), moved);
    }
}
