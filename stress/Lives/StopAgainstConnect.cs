using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using MutualAuth.Stress.Support;

namespace MutualAuth.Stress.Lives;

/// <summary>Listeners that are stopped at random moments while clients connect: nothing stays open, no stop takes long, none throws.</summary>
internal static class StopAgainstConnect
{
    private const int MostStops = 1000;
    private const int Clients = 12;

    private static readonly TimeSpan s_drain = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_slow = TimeSpan.FromSeconds(2);

    internal static Scenario Scenario { get; } = new(
        "stop-against-connect", "StopAsync at random moments, once or twice, while twelve clients connect", RunAsync);

    private static async Task RunAsync(Run run)
    {
        var figures = run.Figures;
        figures.Forbid("stops-threw", "slow-stops", "accepting-threw", "never-closed", "sockets-left", "registry-left");
        using var lab = new Lab();
        var client = new MutualTlsClient(lab.ClientOptions);
        var slowest = TimeSpan.Zero;
        while (!run.IsOver && figures.Of("stops") < MostStops)
        {
            var listener = MutualTlsListener.Start(Lab.Listening(lab.ServerOptions));
            var accepting = Applications.EchoAllAsync(listener);
            using var over = new CancellationTokenSource();
            var connecting = Enumerable.Range(0, Clients).Select(_ => Task.Run(() => ConnectAsync(client, listener, figures, over.Token))).ToArray();
            await Task.Delay(RandomNumberGenerator.GetInt32(0, 120));
            var took = await StopAsync(listener, figures);
            slowest = took > slowest ? took : slowest;
            await over.CancelAsync();
            await Task.WhenAll(connecting);
            await accepting.WaitAsync(Lab.Patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            figures.Fault("accepting-threw", accepting.IsCompletedSuccessfully ? 0 : 1);
            await lab.DemandRestAsync(figures, Lab.PortOf(listener));
            figures.Count("stops");
        }

        figures.Note("slowest-stop", string.Create(CultureInfo.InvariantCulture, $"{slowest.TotalMilliseconds:F0} ms"));
    }

    private static async Task<TimeSpan> StopAsync(MutualTlsListener listener, Figures figures)
    {
        var began = Stopwatch.GetTimestamp();
        try
        {
            var second = RandomNumberGenerator.GetInt32(2) == 0 ? Task.CompletedTask : listener.DisposeAsync().AsTask();
            await Task.WhenAll(listener.StopAsync(s_drain), second).WaitAsync(Lab.Patience);
        }
        catch (Exception exception)
        {
            figures.Fault("stops-threw");
            figures.Note("stop", exception.GetType().Name);
        }

        var took = Stopwatch.GetElapsedTime(began);
        figures.Fault("slow-stops", took > s_slow ? 1 : 0);
        return took;
    }

    private static async Task ConnectAsync(MutualTlsClient client, MutualTlsListener listener, Figures figures, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            try
            {
                await using var connection = await client.ConnectAsync(listener.LocalEndPoint, Lab.ServerName, CancellationToken.None);
                figures.Count("connections");
                using var patience = new CancellationTokenSource(Lab.Patience);
                while (await connection.Stream.ReadAsync(new byte[1], patience.Token) > 0)
                {
                }
            }
            catch (OperationCanceledException)
            {
                figures.Fault("never-closed");
            }
            catch (Exception exception) when (exception is HandshakeException or IOException or SocketException)
            {
                figures.Count("cut");
            }
        }
    }
}
