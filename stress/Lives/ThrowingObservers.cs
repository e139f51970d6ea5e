using MutualAuth.Stress.Support;
using MutualAuth.Testing;

namespace MutualAuth.Stress.Lives;

/// <summary>Every logger and every observer throws, at every event: no outcome, no close and no accept loop is another for it.</summary>
internal static class ThrowingObservers
{
    private const int MostRounds = 1000;

    internal static Scenario Scenario { get; } = new("throwing-observers", "loggers and observers that throw at everything they are told", RunAsync);

    private static async Task RunAsync(Run run)
    {
        var figures = run.Figures;
        figures.Forbid("honest-failed", "strangers-let-in", "observer-not-told", "stop-threw", "sockets-left", "registry-left");
        using var lab = new Lab();
        var isUp = false;
        using var log = new CountingLog { Throws = _ => isUp };
        using var foreign = new TestAuthority();
        using var foreignCertificate = foreign.IssueClient("client.test");
        var told = 0;
        var listener = MutualTlsListener.Start(Lab.Listening(lab.ServerOptions with
        {
            LoggerFactory = log,
            Revalidation = new()
            { MaximumAge = TimeSpan.FromMilliseconds(100), GracePeriod = TimeSpan.Zero, OnInvalidated = _ => throw new IOException("observer") },
        }) with
        {
            OnHandshakeFailed = _ =>
            {
                Interlocked.Increment(ref told);
                throw new IOException("observer");
            },
        });
        var accepting = Applications.EchoAllAsync(listener);
        var honest = new MutualTlsClient(lab.ClientOptions with { LoggerFactory = log });
        isUp = true; // a program whose logger fails while it starts does not start
        var stranger =
            new MutualTlsClient(new() { Identity = foreignCertificate.ToIdentity(), Trust = lab.Trust, Authorization = Authorize.ServerName });
        while (!run.IsOver && figures.Of("rounds") < MostRounds)
        {
            await HonestAsync(honest, listener, figures);
            await StrangerAsync(stranger, listener, figures);
            figures.Count("rounds");
        }

        try
        {
            await listener.StopAsync(TimeSpan.FromSeconds(1)).WaitAsync(Lab.Patience);
            await accepting.WaitAsync(Lab.Patience);
        }
        catch (Exception exception)
        {
            figures.Fault("stop-threw");
            figures.Note("stop", exception.GetType().Name);
        }

        await lab.DemandRestAsync(figures, Lab.PortOf(listener));
        figures.Fault("observer-not-told", Math.Max(0, figures.Of("strangers") - told));
    }

    private static async Task HonestAsync(MutualTlsClient client, MutualTlsListener listener, Figures figures)
    {
        try
        {
            await using var connection = await client.ConnectAsync(listener.LocalEndPoint, Lab.ServerName).WaitAsync(Lab.Patience);
            await connection.Stream.WriteAsync(new byte[10]);
            await connection.Stream.ReadExactlyAsync(new byte[10]);
            figures.Count("honest");
        }
        catch (Exception exception)
        {
            figures.Fault("honest-failed");
            figures.Note("honest", $"{exception.GetType().Name} {(exception as HandshakeException)?.Reason}");
        }
    }

    private static async Task StrangerAsync(MutualTlsClient client, MutualTlsListener listener, Figures figures)
    {
        try
        {
            await using var connection = await client.ConnectAsync(listener.LocalEndPoint, Lab.ServerName).WaitAsync(Lab.Patience);
            figures.Fault("strangers-let-in");
        }
        catch (Exception exception) when (exception is HandshakeException or TimeoutException)
        {
            figures.Count("strangers");
        }
    }
}
