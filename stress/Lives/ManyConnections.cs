using System.Globalization;
using MutualAuth.Stress.Support;

namespace MutualAuth.Stress.Lives;

/// <summary>20,000 connections are opened, used and closed: memory, descriptors and timers come back to where they were.</summary>
internal static class ManyConnections
{
    private const int Whole = 20_000;
    private const int WarmUp = 300;
    private const int AtOnce = 16;
    private const long MostMemory = 2L << 20;
    private const int MostDescriptors = 48; // threads of the pool hold some of their own
    private const int MostTimers = 4;

    internal static Scenario Scenario { get; } = new("twenty-thousand", "20,000 connections opened, used and closed: what is left of them",
        RunAsync)
    { Seconds = 900, Share = 3, Whole = Whole };

    private static async Task RunAsync(Run run)
    {
        var figures = run.Figures;
        figures.Forbid("too-few", "failed", "memory-grew", "descriptors-grew", "timers-grew", "sockets-left", "registry-left");
        using var lab = new Lab();
        var listener = MutualTlsListener.Start(Lab.Listening(lab.ServerOptions));
        var accepting = Applications.EchoAllAsync(listener);
        var client = new MutualTlsClient(lab.ClientOptions);
        await ConnectAsync(client, listener, figures, "warm-up", done => done < WarmUp);
        var before = await AtRest.MeasureAsync(lab);
        var least = run.Least(Whole, seconds: 1200, least: 50);
        await ConnectAsync(client, listener, figures, "connections", done => run.GoesOn(done, Whole, least));
        figures.RequiredCheck(figures.Of("connections") >= least, "too-few");
        var after = await AtRest.MeasureAsync(lab);
        figures.Note("before", before.ToString());
        figures.Note("after", after.ToString());
        figures.RequiredCheck(after.Memory - before.Memory <= MostMemory, "memory-grew");
        figures.RequiredCheck(after.Descriptors - before.Descriptors <= MostDescriptors, "descriptors-grew");
        figures.RequiredCheck(after.Timers - before.Timers <= MostTimers, "timers-grew");
        await listener.StopAsync(TimeSpan.FromSeconds(1)).WaitAsync(Lab.Patience);
        await accepting;
        await lab.DemandRestAsync(figures, Lab.PortOf(listener));
    }

    private static async Task ConnectAsync(MutualTlsClient client, MutualTlsListener listener, Figures figures, string counted, Func<int,
        bool> goesOn)
    {
        var begun = 0;
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Task.Run(async () =>
        {
            while (goesOn(Interlocked.Increment(ref begun) - 1))
            {
                try
                {
                    await using var connection = await client.ConnectAsync(listener.LocalEndPoint, Lab.ServerName);
                    await EchoAsync(connection);
                    figures.Count(counted);
                }
                catch (Exception exception) when (exception is HandshakeException or IOException)
                {
                    figures.Fault("failed");
                    figures.Note("failure", exception.Message);
                }
            }
        })));
    }

    private static async Task EchoAsync(MutualTlsConnection connection)
    {
        var octets = new byte[100];
        await connection.Stream.WriteAsync(octets);
        await connection.Stream.ReadExactlyAsync(octets);
    }

    /// <summary>What a process holds when nothing is under way.</summary>
    private readonly record struct AtRest(long Memory, int Descriptors, long Timers)
    {
        internal static async Task<AtRest> MeasureAsync(Lab lab)
        {
            await lab.Meters.LeftAsync(Lab.Patience);
            var best = new AtRest(long.MaxValue, int.MaxValue, long.MaxValue);
            for (var count = 0; count < 5; count++)
            {
                // What finalizers and timers that are due leave behind is no leak: the least of several looks counts.
                await Task.Delay(100);
                var memory = GC.GetTotalMemory(forceFullCollection: true);
                best = new AtRest(
                    Math.Min(best.Memory, memory),
                    Math.Min(best.Descriptors, Directory.GetFiles("/proc/self/fd").Length),
                    Math.Min(best.Timers, Timer.ActiveCount));
            }

            return best;
        }

        public override string ToString() =>
            string.Create(CultureInfo.InvariantCulture, $"{Memory / 1024} KiB {Descriptors} descriptors {Timers} timers");
    }
}
