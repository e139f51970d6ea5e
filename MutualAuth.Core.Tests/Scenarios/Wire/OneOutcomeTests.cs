using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using MutualAuth.Names;
using MutualAuth.Pinning;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>Every handshake ends in exactly one outcome: a log event, a measurement, an activity, and a typed result.</summary>
[CancelAfter(60000)]
[NonParallelizable] // meters and activity sources belong to the process
public sealed class OneOutcomeTests
{
    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World { CloseTimeout = World.Moment };

    [TearDown]
    public void TearDown() => _world.Dispose();

    [TestCase(true, "accepted", "accepted", 1000, 1000)]
    [TestCase(false, "refused_by_peer", "peer_rejected", 1002, 1001)]
    public async Task Each_side_records_its_own_outcome_once(
        bool allowed, string clientOutcome, string serverOutcome, int clientEvent, int serverEvent)
    {
        using var observed = new Observed();
        var clientLog = new FakeLogCollector();
        var serverLog = new FakeLogCollector();
        var client = _world.ClientOptions with { LoggerFactory = Factory(clientLog) };
        var server = _world.ServerOptions with
        { LoggerFactory = Factory(serverLog), Authorization = allowed ? Authorize.AnyTrustedPeer : Authorize.Dns("other.test") };

        await using var ends = await ConnectedPair.ShakeAsync(client, server);

        observed.Outcomes.Should().BeEquivalentTo([("client", clientOutcome), ("server", serverOutcome)]);
        observed.Activities.Select(activity => (activity.Kind, activity.GetTagItem("mutualauth.outcome")))
            .Should().BeEquivalentTo([(ActivityKind.Client, (object)clientOutcome), (ActivityKind.Server, serverOutcome)]);
        observed.Activities.Should().OnlyContain(activity => (string)activity.GetTagItem("network.peer.address")! == "127.0.0.1")
            .And.OnlyContain(activity => activity.GetTagItem("network.peer.port") is int);
        observed.Reasons.Should().BeEquivalentTo(
            allowed ? [("client", "no tag"), ("server", "no tag")] : new[] { ("client", "refused_by_peer"), ("server", "not_authorized") });
        Outcomes(clientLog).Should().Equal(clientEvent);
        Outcomes(serverLog).Should().Equal(serverEvent);
        observed.Active.Should().Be(0);
    }

    [Test]
    public async Task The_server_counts_nobody_as_authenticated_before_the_clients_verdict()
    {
        using var observed = new Observed();
        using var certificate = _world.Authority.IssueClient("client.test");
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var log = new FakeLogCollector();
        var accepting = End.OfAsync(new MutualTlsServer(_world.ServerOptions with { LoggerFactory = Factory(log) }).AcceptAsync(serverSocket));
        await using var peer = await ScriptedTlsPeer.AsClientAsync(new System.Net.Sockets.NetworkStream(clientSocket, ownsSocket: true), certificate);
        (await peer.HearAsync(5)).Should().Equal(1, 0, 2, 0, 0); // the server has accepted

        accepting.IsCompleted.Should().BeFalse();
        observed.Outcomes.Should().BeEmpty();
        Outcomes(log).Should().BeEmpty();

        await peer.SayAsync([1, 0, 2, 0, 40]);
        (await accepting).Refusal.Failure.Should().Be(HandshakeFailure.RefusedByPeer);
        observed.Outcomes.Should().Equal(("server", "refused_by_peer"));
    }

    [Test]
    public async Task Giving_up_and_failing_to_connect_are_outcomes_too()
    {
        using var observed = new Observed();
        using var giveUp = new CancellationTokenSource();
        var (peer, ours) = await ConnectedPair.SocketPairAsync();
        using var _ = peer;
        var accepting = End.OfAsync(new MutualTlsServer(_world.ServerOptions).AcceptAsync(ours, giveUp.Token));
        await giveUp.CancelAsync();
        await accepting;
        using var unused = new System.Net.Sockets.Socket(
            System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        unused.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));

        await End.OfAsync(new MutualTlsClient(_world.ClientOptions).ConnectAsync(unused.LocalEndPoint!, "server.test"));

        observed.Outcomes.Should().BeEquivalentTo([("server", "cancelled"), ("client", "unreachable")]);
        observed.Active.Should().Be(0);
    }

    [Test]
    public async Task Pins_on_trial_let_in_and_say_what_they_would_have_done()
    {
        var log = new FakeLogCollector();
        var pins = PinSet.Of(SpkiPin.OfSubjectPublicKeyInfo("a"u8), SpkiPin.OfSubjectPublicKeyInfo("b"u8)).ReportOnly();

        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions, _world.ServerOptions with { Pins = pins, LoggerFactory = Factory(log) });

        ends.Server.Accepted.Peer.Name.Should().Be("client.test");
        log.GetSnapshot().Should().ContainSingle(record => record.Id.Id == 1102 && record.Message.Contains("pin_mismatch"));
    }

    [Test]
    public async Task Without_confirmation_a_refused_client_believes_that_it_is_in_and_its_connection_says_so()
    {
        // What plain TLS cannot do better on this platform, and why IsConfirmed exists.
        var client = _world.ClientOptions with { Confirmation = ConfirmationPolicy.Never };
        var server = _world.ServerOptions with { Authorization = Authorize.Dns("other.test") };

        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var refusing = End.OfAsync(new MutualTlsServer(server).AcceptAsync(serverSocket));
        await using (var connection = await new MutualTlsClient(client).UpgradeAsync(clientSocket, "server.test").WaitAsync(ConnectedPair.Deadline))
        {
            connection.IsConfirmed.Should().BeFalse();
            var read = () => connection.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline);
            if (Platform.JudgesWithinTheHandshake)
            {
                (await read.Should().ThrowAsync<IOException>()).WithInnerException<Exception>("the alert of the refusal has come");
            }
            else
            {
                (await read()).Should().Be(0, "a clean end and no reset is as clear as it gets");
            }
        }

        (await refusing).Refusal.Reason.Should().Be(RejectionReason.NotAuthorized);
    }

    private static IEnumerable<int> Outcomes(FakeLogCollector log) =>
        log.GetSnapshot().Select(record => record.Id.Id).Where(id => id is >= 1000 and < 1100);

    private static LoggerFactory Factory(FakeLogCollector collector) => new([new FakeLoggerProvider(collector)]);

    private sealed class Observed : IDisposable
    {
        private readonly MeterListener _meters = new();
        private readonly ActivityListener _activities;
        private readonly ConcurrentQueue<(string, string)> _outcomes = new();
        private readonly ConcurrentQueue<(string, string)> _reasons = new();
        private int _active;

        internal Observed()
        {
            _activities = new ActivityListener
            {
                ShouldListenTo = source => source.Name == MutualAuthTelemetry.SourceName,
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
                ActivityStopped = Activities.Enqueue,
            };
            ActivitySource.AddActivityListener(_activities);
            _meters.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == MutualAuthTelemetry.SourceName)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _meters.SetMeasurementEventCallback<double>((instrument, _, tags, _) =>
            {
                if (instrument.Name == "mutualauth.handshake.duration")
                {
                    _outcomes.Enqueue((Tag(tags, "mutualauth.role"), Tag(tags, "mutualauth.outcome")));
                    _reasons.Enqueue((Tag(tags, "mutualauth.role"), Tag(tags, "mutualauth.reason")));
                }
            });
            _meters.SetMeasurementEventCallback<int>((instrument, value, _, _) =>
            {
                if (instrument.Name == "mutualauth.handshake.active")
                {
                    Interlocked.Add(ref _active, value);
                }
            });
            _meters.Start();
        }

        internal ConcurrentQueue<Activity> Activities { get; } = new();

        internal (string Role, string Outcome)[] Outcomes => [.. _outcomes];

        internal (string Role, string Reason)[] Reasons => [.. _reasons];

        internal int Active => Volatile.Read(ref _active);

        public void Dispose()
        {
            _meters.Dispose();
            _activities.Dispose();
        }

        private static string Tag(ReadOnlySpan<KeyValuePair<string, object?>> tags, string key)
        {
            foreach (var tag in tags)
            {
                if (tag.Key == key)
                {
                    return (string?)tag.Value ?? "null";
                }
            }

            return "no tag";
        }
    }
}
