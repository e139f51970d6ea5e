using Microsoft.Extensions.Time.Testing;
using MutualAuth.Testing.Transports;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>The handshake's deadline, and the caller's token, hold whatever the transport, the selector or the peer does.</summary>
[CancelAfter(120000)]
public sealed class OneDeadlineTests
{
    private World _world = null!;
    private FakeTimeProvider _clock = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new World { CloseTimeout = World.Moment };
        _clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    // A server reads first, and never comes to write to a stream of which it reads nothing.
    private static IEnumerable<TestCaseData> DeafStreams() =>
        from deafness in Enum.GetValues<Deafness>()
        from weAreServer in new[] { false, true }
        where !(weAreServer && deafness == Deafness.WritesForEver)
        select new TestCaseData(deafness, weAreServer);

    [TestCaseSource(nameof(DeafStreams))]
    public async Task A_stream_that_ignores_its_token_is_disposed_of_at_the_deadline(Deafness deafness, bool weAreServer)
    {
        var stream = new DeafStream(deafness);
        var handshake = Begin(stream, weAreServer, CancellationToken.None);
        await stream.IsWaiting.WaitAsync(ConnectedPair.Deadline);

        _clock.Advance(TimeSpan.FromSeconds(10));

        await stream.WasDisposed.WaitAsync(ConnectedPair.Deadline);
        _clock.Advance(TimeSpan.FromSeconds(2)); // a disposal that does not end is waited for a second
        (await handshake).Refusal.Failure.Should().Be(HandshakeFailure.TimedOut);
    }

    [TestCaseSource(nameof(DeafStreams))]
    public async Task A_stream_that_ignores_its_token_is_disposed_of_when_the_caller_gives_up(Deafness deafness, bool weAreServer)
    {
        using var caller = new CancellationTokenSource();
        var stream = new DeafStream(deafness);
        var handshake = Begin(stream, weAreServer, caller.Token);
        await stream.IsWaiting.WaitAsync(ConnectedPair.Deadline);

        await caller.CancelAsync();

        await stream.WasDisposed.WaitAsync(ConnectedPair.Deadline);
        _clock.Advance(TimeSpan.FromSeconds(2));
        (await handshake).Failure.Should().BeOfType<OperationCanceledException>().Which.CancellationToken.Should().Be(caller.Token);
    }

    [Test]
    public async Task A_stream_that_ignores_its_token_serves_where_the_peer_answers()
    {
        await using var wire = new DuplexPair();

        await using var ends = await ConnectedPair.ShakeAsync(
            new MutualTlsClient(_world.ClientOptions).UpgradeAsync(new DeafStream(Deafness.SynchronousOnly, wire.Client), "server.test"),
            new MutualTlsServer(_world.ServerOptions).AcceptAsync(new DeafStream(Deafness.SynchronousOnly, wire.Server)));

        ends.Client.Accepted.IsConfirmed.Should().BeTrue();
        ends.Server.Accepted.Peer.Name.Should().Be("client.test");
    }

    [Test]
    public async Task A_selector_that_blocks_its_thread_ends_with_the_deadline()
    {
        using var release = new ManualResetEventSlim();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        var server = new MutualTlsServer(_world.ServerOptions with
        {
            TimeProvider = _clock,
            SelectServer = (_, front, _) =>
            {
                asked.SetResult();
                release.Wait(CancellationToken.None); // as a selector that takes no notice
                return new(front);
            },
        });
        var client = End.OfAsync(new MutualTlsClient(_world.ClientOptions).UpgradeAsync(clientSocket, "server.test"));
        var accepting = End.OfAsync(Task.Run(() => server.AcceptAsync(serverSocket)));
        try
        {
            await asked.Task.WaitAsync(ConnectedPair.Deadline);

            _clock.Advance(TimeSpan.FromSeconds(10));

            (await accepting).Refusal.Failure.Should().Be(HandshakeFailure.TimedOut);
            (await client).Connection.Should().BeNull();
        }
        finally
        {
            release.Set();
        }
    }

    [Test]
    public async Task A_peer_that_we_reject_has_a_second_for_its_own_verdict([Values] bool weAreServer)
    {
        var (clientSocket, serverSocket) = await ConnectedPair.SocketPairAsync();
        using var certificate = weAreServer ? _world.Foreign.IssueClient("client.test") : _world.Foreign.IssueServer("server.test");
        var ours = End.OfAsync(weAreServer
            ? new MutualTlsServer(_world.ServerOptions with { TimeProvider = _clock }).AcceptAsync(serverSocket)
            : new MutualTlsClient(_world.ClientOptions with { TimeProvider = _clock }).UpgradeAsync(clientSocket, "server.test"));
        await using var peer = weAreServer
            ? await ScriptedTlsPeer.AsClientAsync(new System.Net.Sockets.NetworkStream(clientSocket, ownsSocket: true), certificate)
            : await ScriptedTlsPeer.AsServerAsync(new System.Net.Sockets.NetworkStream(serverSocket, ownsSocket: true), certificate);
        await peer.HearAsync(5); // our no; it says nothing itself, and stays

        _clock.Advance(TimeSpan.FromSeconds(1));

        (await peer.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline)).Should().Be(0, "we have closed");
        await peer.EndAsync(); // or we would wait a second more for what is still under way
        (await ours).Refusal.Reason.Should().Be(RejectionReason.UnknownAuthority);
    }

    private Task<End> Begin(Stream stream, bool weAreServer, CancellationToken cancellationToken) => End.OfAsync(Task.Run(() => weAreServer
        ? new MutualTlsServer(_world.ServerOptions with { TimeProvider = _clock }).AcceptAsync(stream, cancellationToken)
        : new MutualTlsClient(_world.ClientOptions with { TimeProvider = _clock }).UpgradeAsync(stream, "server.test", cancellationToken)));
}
