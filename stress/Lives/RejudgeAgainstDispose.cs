using System.Security.Cryptography;
using MutualAuth.Stress.Support;
using MutualAuth.Testing;
using MutualAuth.Trust;

namespace MutualAuth.Stress.Lives;

/// <summary>
/// Trust is taken away and given back every few milliseconds while connections are made and disposed of: whoever is open in the end is trusted.
/// </summary>
internal static class RejudgeAgainstDispose
{
    private const int Clients = 12;
    private const int MostConnections = 10_000;

    internal static Scenario Scenario { get; } = new(
        "rejudge-against-dispose", "anchors swapped every 3 ms while clients connect and both sides dispose", RunAsync);

    private static async Task RunAsync(Run run)
    {
        var figures = run.Figures;
        figures.Forbid("dispose-threw", "ends-faulted", "outlived-their-ground", "sockets-left", "registry-left");
        using var lab = new Lab();
        using var other = new TestAuthority();
        var trust = new ReplaceableTrustAnchors(lab.Trust);
        var listener = MutualTlsListener.Start(Lab.Listening(lab.ServerOptions with { Trust = trust }));
        var accepting = Applications.EchoAllAsync(listener);
        var client = new MutualTlsClient(lab.ClientOptions);
        using var over = new CancellationTokenSource();
        var swapping = Task.Run(() => SwapAsync(trust, lab.Trust, other.ToTrustAnchors(), figures, over.Token));
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            while (!run.IsOver && figures.Of("connections") < MostConnections)
            {
                await ConnectAsync(client, listener, figures);
            }
        })));
        await over.CancelAsync();
        await swapping;

        await LoseAllAsync(client, listener, trust, lab.Trust, other.ToTrustAnchors(), figures);
        await listener.StopAsync(TimeSpan.FromSeconds(1)).WaitAsync(Lab.Patience);
        await accepting;
        await lab.DemandRestAsync(figures, Lab.PortOf(listener));
        figures.Fault("ends-faulted", lab.Log.Of(1456));
    }

    private static async Task SwapAsync(
        ReplaceableTrustAnchors trust, TrustAnchors ours, TrustAnchors others, Figures figures, CancellationToken over)
    {
        for (var count = 0; !over.IsCancellationRequested; count++)
        {
            // Ours three times of four, so that most handshakes succeed.
            trust.Replace(count % 4 == 3 ? others : ours);
            figures.Count("swaps");
            await Task.Delay(3, CancellationToken.None);
        }
    }

    private static async Task ConnectAsync(MutualTlsClient client, MutualTlsListener listener, Figures figures)
    {
        try
        {
            var connection = await client.ConnectAsync(listener.LocalEndPoint, Lab.ServerName);
            figures.Count("connections");
            await Task.Delay(RandomNumberGenerator.GetInt32(4));
            await connection.DisposeAsync();
        }
        catch (HandshakeException)
        {
            figures.Count("refused");
        }
        catch (Exception exception)
        {
            figures.Fault("dispose-threw");
            figures.Note("dispose", exception.GetType().Name);
        }
    }

    /// <summary>A last swap, against connections that are open: every one of them ends.</summary>
    private static async Task LoseAllAsync(
        MutualTlsClient client, MutualTlsListener listener, ReplaceableTrustAnchors trust, TrustAnchors ours, TrustAnchors others, Figures figures)
    {
        trust.Replace(ours);
        List<Task> ends = [];
        for (var count = 0; count < Clients; count++)
        {
            var connection = await client.ConnectAsync(listener.LocalEndPoint, Lab.ServerName);
            ends.Add(Task.Run(async () =>
            {
                await using (connection)
                {
                    using var patience = new CancellationTokenSource(Lab.Patience);
                    while (await connection.Stream.ReadAsync(new byte[1], patience.Token) > 0)
                    {
                    }
                }
            }));
        }

        trust.Replace(others);
        foreach (var end in ends)
        {
            await end.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            figures.Fault("outlived-their-ground", end.Exception?.InnerException is OperationCanceledException || end.IsCanceled ? 1 : 0);
        }
    }
}
