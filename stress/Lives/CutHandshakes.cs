using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using MutualAuth.Stress.Support;

namespace MutualAuth.Stress.Lives;

/// <summary>Handshakes that are cut at random octets of what the client sends: each has one outcome, and nothing is left of it.</summary>
internal static class CutHandshakes
{
    private const int Most = 5000;
    private const int AtOnce = 32;
    private const int LongestHandshake = 3000; // octets that a client sends, more or less

    private static readonly TimeSpan s_handshakeTimeout = TimeSpan.FromSeconds(3);

    internal static Scenario Scenario { get; } = new("handshakes-cut",
        "handshakes that end at a random octet: reset, end, close, garbage, a flipped bit, silence", RunAsync)
    { Seconds = 600, Whole = Most };

    private static async Task RunAsync(Run run)
    {
        var figures = run.Figures;
        figures.Forbid("too-few", "sockets-left", "registry-left", "outcomes-missing", "faults-of-ours", "unobserved-exceptions", "honest-refused",
            "hung");
        using var lab = new Lab();
        EventHandler<UnobservedTaskExceptionEventArgs> unobserved = (_, exception) => Unobserved(figures, exception);
        TaskScheduler.UnobservedTaskException += unobserved;
        var listener = MutualTlsListener.Start(Lab.Listening(lab.ServerOptions with { HandshakeTimeout = s_handshakeTimeout }));
        var accepting = Applications.DisposeOfAllAsync(listener);
        MutualTlsClient[] clients = [lab.ClientOf(tls13: false), lab.ClientOf(tls13: true)];
        var least = run.Least(Most, seconds: 400, least: 2 * AtOnce);
        var begun = 0;
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(worker => Task.Run(async () =>
        {
            while (run.GoesOn(Interlocked.Increment(ref begun) - 1, Most, least))
            {
                await CutAsync(clients[worker % 2], listener, figures);
            }
        })));

        figures.RequiredCheck(figures.Of("handshakes") >= least, "too-few");
        await HonestAsync(clients[1], listener, figures);
        await listener.StopAsync(TimeSpan.FromSeconds(3)).WaitAsync(Lab.Patience);
        await accepting;
        await lab.DemandRestAsync(figures, Lab.PortOf(listener));
        GC.Collect();
        GC.WaitForPendingFinalizers();
        TaskScheduler.UnobservedTaskException -= unobserved;

        // One of each side. A socket that was reset before the server took it up has none there.
        figures.Count("outcomes", lab.Meters.Outcomes);
        figures.RequiredCheck(
            lab.Meters.Outcomes >= figures.Of("handshakes") && lab.Meters.Outcomes <= 2 * (figures.Of("handshakes") + 1), "outcomes-missing");
        figures.Fault("faults-of-ours", lab.Log.Of(1202));
    }

    private static async Task CutAsync(MutualTlsClient client, MutualTlsListener listener, Figures figures)
    {
        figures.Count("handshakes");
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(listener.LocalEndPoint);
            var cut = (Cut)RandomNumberGenerator.GetInt32((int)Cut.Reset, (int)Cut.Silence + 1);
            using var patience = new CancellationTokenSource(s_handshakeTimeout * 2);
            await using var connection = await client.UpgradeAsync(
                new Cutter(socket, cut, RandomNumberGenerator.GetInt32(LongestHandshake)), Lab.ServerName, patience.Token).WaitAsync(Lab.Patience);
            figures.Count("connections");
        }
        catch (TimeoutException)
        {
            figures.Fault("hung");
        }
        catch (Exception exception) when (exception is HandshakeException or OperationCanceledException or SocketException)
        {
            figures.Count("failures");
        }
    }

    private static async Task HonestAsync(MutualTlsClient client, MutualTlsListener listener, Figures figures)
    {
        try
        {
            var began = TimeProvider.System.GetTimestamp();
            await using var connection = await client.ConnectAsync(listener.LocalEndPoint, Lab.ServerName);
            figures.Note(
                "honest-afterwards",
                string.Create(CultureInfo.InvariantCulture, $"{TimeProvider.System.GetElapsedTime(began).TotalMilliseconds:F0} ms"));
        }
        catch (HandshakeException exception)
        {
            figures.Fault("honest-refused");
            figures.Note("honest-afterwards", exception.Message);
        }
    }

    private static void Unobserved(Figures figures, UnobservedTaskExceptionEventArgs unobserved)
    {
        figures.Fault("unobserved-exceptions");
        figures.Note("unobserved", unobserved.Exception.InnerException?.ToString() ?? unobserved.Exception.ToString());
        unobserved.SetObserved();
    }
}
