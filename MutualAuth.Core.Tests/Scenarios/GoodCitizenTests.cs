using System.Diagnostics;
using System.Net;
using MutualAuth.Connections;
using MutualAuth.Telemetry;
using MutualAuth.Testing.Transports;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>Nothing of ours leaks into the context of whoever calls us, and nothing of theirs into what outlives the call.</summary>
[CancelAfter(60000)]
[NonParallelizable] // activity sources belong to the process
public sealed class GoodCitizenTests
{
    private static readonly AsyncLocal<string?> s_ambient = new();

    private readonly List<Activity> _started = [];
    private World _world = null!;
    private ActivityListener _listener = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new World();
        _started.Clear();
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == MutualAuthTelemetry.SourceName,
            Sample = (ref _) => ActivitySamplingResult.AllData,
            ActivityStarted = activity =>
            {
                lock (_started)
                {
                    _started.Add(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    [TearDown]
    public void TearDown()
    {
        _listener.Dispose();
        _world.Dispose();
    }

    [Test]
    public async Task A_handshake_is_a_child_of_the_callers_activity_and_leaves_it_current([Values] bool onStreams)
    {
        using var callers = new Activity("caller").Start();
        await using var wire = new DuplexPair();
        var (clientSocket, serverSocket) = await Ends.SocketPairAsync();
        var client = new MutualTlsClient(_world.ClientOptions);
        var server = new MutualTlsServer(_world.ServerOptions);

        var accepting = onStreams ? server.AcceptAsync(wire.Server) : server.AcceptAsync(serverSocket);
        Activity.Current.Should().BeSameAs(callers);
        var upgrading = onStreams ? client.UpgradeAsync(wire.Client, "server.test") : client.UpgradeAsync(clientSocket, "server.test");
        Activity.Current.Should().BeSameAs(callers);
        await using var ends = await Ends.ShakeAsync(upgrading, accepting);

        ends.Client.Accepted.IsConfirmed.Should().BeTrue();
        Activity.Current.Should().BeSameAs(callers);
        _started.Select(activity => activity.Parent).Should().Equal(callers, callers);
        clientSocket.Dispose();
        serverSocket.Dispose();
    }

    [Test]
    public async Task A_listener_keeps_nothing_of_whoever_started_it()
    {
        var seen = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var server = new MutualTlsServer(_world.ServerOptions with
        {
            SelectServer = (_, front, _) =>
            {
                seen.TrySetResult(s_ambient.Value);
                return new(front);
            },
        });
        MutualTlsListener listener;
        using (var startup = new Activity("startup").Start())
        {
            s_ambient.Value = "startup";
            listener = MutualTlsListener.Start(new MutualTlsListenerOptions { Server = server, EndPoint = new IPEndPoint(IPAddress.Loopback, 0) });
            s_ambient.Value = null;
        }

        await using (listener)
        {
            await using var connection = await new MutualTlsClient(_world.ClientOptions).ConnectAsync(listener.LocalEndPoint, "server.test").WaitAsync(Ends.Deadline);
            await using var accepted = await listener.AcceptAsync().AsTask().WaitAsync(Ends.Deadline);

            (await seen.Task.WaitAsync(Ends.Deadline)).Should().BeNull();
            _started.Should().ContainSingle(activity => activity.Kind == ActivityKind.Server).Which.ParentId.Should().BeNull();
        }
    }

    [Test]
    public void Timers_that_outlive_the_call_keep_nothing_of_the_caller()
    {
        var time = new Watched();

        _ = new DueTimer(time, () => { });

        time.WasSuppressed.Should().Equal(true);
    }

    private sealed class Watched : TimeProvider
    {
        internal List<bool> WasSuppressed { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            WasSuppressed.Add(ExecutionContext.IsFlowSuppressed());
            return base.CreateTimer(callback, state, dueTime, period);
        }
    }
}
