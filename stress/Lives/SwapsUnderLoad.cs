using System.Security.Cryptography;
using MutualAuth.Identities;
using MutualAuth.Stress.Support;
using MutualAuth.Trust;

namespace MutualAuth.Stress.Lives;

/// <summary>Identity and trust are replaced by others as good, all the time: no handshake and no connection notices.</summary>
internal static class SwapsUnderLoad
{
    private const int Clients = 8;
    private const int MostConnections = 10_000;

    internal static Scenario Scenario { get; } = new(
        "swaps-under-load", "identity and anchors replaced by others as good every 2 ms, under handshakes and echo", RunAsync);

    private static async Task RunAsync(Run run)
    {
        var figures = run.Figures;
        figures.Forbid("handshakes-failed", "echoes-failed", "wrong-echoes", "sockets-left", "registry-left");
        using var lab = new Lab();
        using var second = lab.Authority.IssueServer(Lab.ServerName);
        Identity[] identities = [lab.ServerIdentity, second.ToIdentity()];
        var identity = new ReplaceableIdentity(identities[0]);
        var trust = new ReplaceableTrustAnchors(lab.Trust);
        var listener = MutualTlsListener.Start(Lab.Listening(lab.ServerOptions with { Identity = identity, Trust = trust }));
        var accepting = Applications.EchoAllAsync(listener);
        var client = new MutualTlsClient(lab.ClientOptions with { Trust = trust });
        using var over = new CancellationTokenSource();
        var swapping = Task.Run(async () =>
        {
            for (var count = 0; !over.IsCancellationRequested; count++)
            {
                identity.Replace(identities[count % 2]);
                trust.Replace(lab.Authority.ToTrustAnchors());
                figures.Count("swaps");
                await Task.Delay(2, CancellationToken.None);
            }
        });
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            while (!run.IsOver && figures.Of("connections") < MostConnections)
            {
                await TalkAsync(client, listener, figures);
            }
        })));
        await over.CancelAsync();
        await swapping;
        await listener.StopAsync(TimeSpan.FromSeconds(1)).WaitAsync(Lab.Patience);
        await accepting;
        await lab.DemandRestAsync(figures, Lab.PortOf(listener));
    }

    private static async Task TalkAsync(MutualTlsClient client, MutualTlsListener listener, Figures figures)
    {
        try
        {
            await using var connection = await client.ConnectAsync(listener.LocalEndPoint, Lab.ServerName);
            figures.Count("connections");
            var (sent, received) = (new byte[300], new byte[300]);
            for (var count = 0; count < 5; count++)
            {
                RandomNumberGenerator.Fill(sent);
                await connection.Stream.WriteAsync(sent);
                await connection.Stream.ReadExactlyAsync(received);
                figures.Fault("wrong-echoes", sent.AsSpan().SequenceEqual(received) ? 0 : 1);
                figures.Count("echoes");
            }
        }
        catch (HandshakeException exception)
        {
            figures.Fault("handshakes-failed");
            figures.Note("handshake", exception.Reason.ToString());
        }
        catch (IOException exception)
        {
            figures.Fault("echoes-failed");
            figures.Note("echo", exception.Message);
        }
    }
}
