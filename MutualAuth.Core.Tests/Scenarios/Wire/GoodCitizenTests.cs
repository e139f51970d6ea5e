using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Revalidation;
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
        _world = new World { CloseTimeout = World.Moment };
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
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var client = new MutualTlsClient(_world.ClientOptions);
        var server = new MutualTlsServer(_world.ServerOptions);

        var accepting = onStreams ? server.AcceptAsync(wire.Server) : server.AcceptAsync(serverSocket);
        Activity.Current.Should().BeSameAs(callers);
        var upgrading = onStreams ? client.UpgradeAsync(wire.Client, "server.test") : client.UpgradeAsync(clientSocket, "server.test");
        Activity.Current.Should().BeSameAs(callers);
        await using var ends = await ConnectedPair.ShakeAsync(upgrading, accepting);

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
            await using var connection =
                await new MutualTlsClient(_world.ClientOptions).ConnectAsync(listener.LocalEndPoint, "server.test").WaitAsync(ConnectedPair.Deadline);
            await using var accepted = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);

            (await seen.Task.WaitAsync(ConnectedPair.Deadline)).Should().BeNull();
            _started.Should().ContainSingle(activity => activity.Kind == ActivityKind.Server).Which.ParentId.Should().BeNull();
        }
    }

    /// <summary>Who replaces a rule, or turns a clock, does not lend its context to what becomes of connections.</summary>
    [Test]
    public async Task What_ends_live_connections_keeps_nothing_of_whoever_set_it_off([Values] bool byTimer)
    {
        var seen = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var rule = new ReloadableRule(Authorize.Dns("client.test"));
        var policy = new RevalidationPolicy { MaximumAge = TimeSpan.FromHours(1), OnInvalidated = _ => seen.TrySetResult(s_ambient.Value) };
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions, _world.ServerOptions with { Authorization = Authorize.From(rule), Revalidation = policy, TimeProvider = clock });

        s_ambient.Value = "caller";
        if (byTimer)
        {
            clock.Advance(TimeSpan.FromHours(1));
        }
        else
        {
            rule.Replace(Authorize.Dns("other.test"));
        }

        s_ambient.Value = null;
        (await seen.Task.WaitAsync(ConnectedPair.Deadline)).Should().BeNull();
    }

    [Test]
    public async Task A_stop_lends_nothing_of_whoever_asked_for_it_to_what_others_hear_of()
    {
        var seen = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var listener = MutualTlsListener.Start(new()
        {
            Server = new MutualTlsServer(_world.ServerOptions),
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0)
        });
        await using var client = await new MutualTlsClient(_world.ClientOptions).ConnectAsync(listener.LocalEndPoint, "server.test")
            .WaitAsync(ConnectedPair.Deadline);
        await using var accepted = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
        accepted.DrainRequested.UnsafeRegister(_ => seen.TrySetResult(s_ambient.Value), null);

        s_ambient.Value = "caller";
        var stopping = listener.StopAsync(TimeSpan.Zero);
        s_ambient.Value = null;

        (await seen.Task.WaitAsync(ConnectedPair.Deadline)).Should().BeNull();
        await stopping.WaitAsync(ConnectedPair.Deadline);
    }

    [Test]
    public async Task Whoever_lets_nothing_flow_already_can_call_everything()
    {
        var flow = ExecutionContext.SuppressFlow();
        var listener = MutualTlsListener.Start(new()
        {
            Server = new MutualTlsServer(_world.ServerOptions),
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0)
        });
        var connecting = new MutualTlsClient(_world.ClientOptions).ConnectAsync(listener.LocalEndPoint, "server.test");
        var accepting = listener.AcceptAsync().AsTask();
        flow.Undo();
        await using var client = await connecting.WaitAsync(ConnectedPair.Deadline);
        await using var accepted = await accepting.WaitAsync(ConnectedPair.Deadline);
        flow = ExecutionContext.SuppressFlow();
        var stopping = listener.StopAsync(TimeSpan.Zero);
        flow.Undo();

        await stopping.WaitAsync(ConnectedPair.Deadline);
    }

    /// <summary>Every timer of a listener's life, from its start to its stop.</summary>
    [Test]
    public async Task No_timer_of_ours_keeps_the_context_of_whoever_was_there_when_it_was_set()
    {
        var time = new Watched();
        var policy = new RevalidationPolicy { MaximumAge = TimeSpan.FromHours(1), IdleTimeout = TimeSpan.FromHours(1) };
        var listener = MutualTlsListener.Start(new()
        {
            Server = new MutualTlsServer(_world.ServerOptions with { TimeProvider = time, Revalidation = policy }),
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
        });
        using var foreign = _world.Foreign.IssueClient("client.test");
        (await End.OfAsync(new MutualTlsClient(_world.ClientOptions with { Identity = World.ToIdentity(foreign), TimeProvider = time })
            .ConnectAsync(listener.LocalEndPoint, "server.test")))
            .Connection.Should().BeNull();
        await using (await new MutualTlsClient(_world.ClientOptions with { TimeProvider = time }).ConnectAsync(listener.LocalEndPoint, "server.test")
            .WaitAsync(ConnectedPair.Deadline))
        {
        }

        await listener.StopAsync(World.Moment).WaitAsync(ConnectedPair.Deadline);

        time.WasSuppressed.Should().HaveCountGreaterThan(5).And.AllBeEquivalentTo(true);
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
            lock (WasSuppressed)
            {
                WasSuppressed.Add(ExecutionContext.IsFlowSuppressed());
            }

            return base.CreateTimer(callback, state, dueTime, period);
        }
    }
}
