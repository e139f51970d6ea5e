using System.Net;
using MutualAuth.Authorization;
using MutualAuth.Reloading;
using MutualAuth.Revocation;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Revalidation;

/// <summary>A source of the application's that was closed may throw when the last connection leaves it: the end of that is not concerned.</summary>
[CancelAfter(120000)]
public sealed class ClosedSourcesTests
{
    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World { CloseTimeout = World.Moment };

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task A_connection_ends_wholly_although_its_source_throws_when_it_leaves([Values] bool throws)
    {
        var source = new Closed(throws);
        await using var listener = Listen(_world.ServerOptions with { DenyList = source });
        await using var client = await new MutualTlsClient(_world.ClientOptions).ConnectAsync(listener.LocalEndPoint, "server.test")
            .WaitAsync(ConnectedPair.Deadline);
        var served = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);

        await served.DisposeAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
        await served.DisposeAsync().AsTask().WaitAsync(ConnectedPair.Deadline);

        source.Left.Should().Be(1);
        listener.Connections.Should().BeEmpty();
        await listener.StopAsync(Timeout.InfiniteTimeSpan).WaitAsync(ConnectedPair.Deadline);
    }

    [Test]
    public async Task A_peer_that_is_rejected_is_so_for_its_own_reason_although_a_source_throws_afterwards([Values] bool throws)
    {
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions, _world.ServerOptions with { DenyList = new Closed(throws), Authorization = Authorize.Dns("another.test") });

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.NotAuthorized);
    }

    private static MutualTlsListener Listen(MutualTlsServerOptions server) => MutualTlsListener.Start(
        new MutualTlsListenerOptions { Server = new MutualTlsServer(server), EndPoint = new IPEndPoint(IPAddress.Loopback, 0) });

    private sealed class Closed(bool throws) : IDenyListSource, IReloadable
    {
        private int _left;

        public event EventHandler? Replaced
        {
            add
            {
            }

            remove
            {
                Interlocked.Increment(ref _left);
                ObjectDisposedException.ThrowIf(throws, this);
            }
        }

        public DenyList Current => DenyList.Empty;

        internal int Left => Volatile.Read(ref _left);
    }
}
