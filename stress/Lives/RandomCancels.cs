using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using MutualAuth.Stress.Support;

namespace MutualAuth.Stress.Lives;

/// <summary>
/// Connects that are cancelled at random moments, before the call included: the outcome is the caller's, soon, and nothing is left.
/// </summary>
internal static class RandomCancels
{
    private const int Most = 5000;
    private const int AtOnce = 8;

    private static readonly TimeSpan s_late = TimeSpan.FromSeconds(1);

    internal static Scenario Scenario { get; } = new("random-cancels", "ConnectAsync cancelled at random moments", RunAsync)
    {
        Seconds = 300,
        Whole = Most
    };

    private static async Task RunAsync(Run run)
    {
        var figures = run.Figures;
        figures.Forbid("too-few", "other-outcomes", "foreign-tokens", "late", "sockets-left", "registry-left");
        using var lab = new Lab();
        var listener = MutualTlsListener.Start(Lab.Listening(lab.ServerOptions));
        var accepting = Applications.DisposeOfAllAsync(listener);
        var client = new MutualTlsClient(lab.ClientOptions);
        var least = run.Least(Most, seconds: 200, least: 5 * AtOnce);
        var (begun, latest) = (0, 0L);
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Task.Run(async () =>
        {
            while (run.GoesOn(Interlocked.Increment(ref begun) - 1, Most, least))
            {
                var late = await CancelAsync(client, listener, figures);
                for (long seen; late > (seen = Interlocked.Read(ref latest)) && Interlocked.CompareExchange(ref latest, late, seen) != seen;)
                {
                }
            }
        })));
        figures.RequiredCheck(figures.Of("cancels") + figures.Of("connections") >= least, "too-few");
        figures.RequiredCheck(figures.Of("cancels") > 0, "no-cancels");
        await listener.StopAsync(TimeSpan.FromSeconds(1)).WaitAsync(Lab.Patience);
        await accepting;
        await lab.DemandRestAsync(figures, Lab.PortOf(listener));
        figures.Note("latest", string.Create(CultureInfo.InvariantCulture, $"{TimeSpan.FromTicks(latest).TotalMilliseconds:F0} ms"));
    }

    /// <summary>How long after its cancel the call came back, in ticks.</summary>
    private static async Task<long> CancelAsync(MutualTlsClient client, MutualTlsListener listener, Figures figures)
    {
        using var cancel = new CancellationTokenSource();
        var cancelled = 0L;
        using var registration = cancel.Token.Register(() => Interlocked.Exchange(ref cancelled, Stopwatch.GetTimestamp()));
        var after = RandomNumberGenerator.GetInt32(-1, 30);
        if (after < 0)
        {
            await cancel.CancelAsync();
        }
        else
        {
            cancel.CancelAfter(after);
        }

        try
        {
            await using var connection = await client.ConnectAsync(listener.LocalEndPoint, Lab.ServerName, cancel.Token);
            figures.Count("connections");
            return 0;
        }
        catch (OperationCanceledException exception)
        {
            figures.Count("cancels");
            figures.Fault("foreign-tokens", exception.CancellationToken == cancel.Token ? 0 : 1);

            // The outcome may be there before our own callback, which is called last, has looked at the clock.
            var at = Interlocked.Read(ref cancelled);
            var late = at == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(at);
            figures.Fault("late", late > s_late ? 1 : 0);
            return late.Ticks;
        }
        catch (Exception exception)
        {
            figures.Fault("other-outcomes");
            figures.Note("other", exception is HandshakeException handshake ? handshake.Reason.ToString() : exception.GetType().Name);
            return 0;
        }
    }
}
