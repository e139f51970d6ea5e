using Microsoft.Extensions.Time.Testing;
using MutualAuth.Testing.Transports;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Scenarios;

/// <summary>The bound on idleness, over real TLS: which calls count as use, and what the application's calls throw when it is reached.</summary>
[CancelAfter(120000)]
public sealed class IdleConnectionsTests
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromMinutes(10);

    private World _world = null!;
    private FakeTimeProvider _clock = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new World();
        _clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    public enum Use
    {
        None,
        Reads,
        Writes,
        ReadsSynchronously,
        WritesSynchronously,
        ReadsNothing,
        WritesNothing,
        Waits,
    }

    /// <summary>The last four neighbours differ from the others in that no octet moves.</summary>
    [Test]
    public async Task Only_octets_that_move_are_use([Values] Use use, [Values] bool onServer)
    {
        var log = new EventLog();
        var policy = new RevalidationPolicy { IdleTimeout = s_timeout, OnIdle = InvalidationAction.Abort };
        var server = new MutualTlsServer(onServer
            ? _world.ServerOptions with { Revalidation = policy, TimeProvider = _clock, LoggerFactory = log }
            : _world.ServerOptions);
        var client = new MutualTlsClient(onServer
            ? _world.ClientOptions
            : _world.ClientOptions with { Revalidation = policy, TimeProvider = _clock, LoggerFactory = log });
        await using var ends = await ConnectedPair.ShakeAsync(client, server);
        var (ours, peer) = onServer ? (ends.Server.Accepted, ends.Client.Accepted) : (ends.Client.Accepted, ends.Server.Accepted);
        var instant = TimeSpan.FromMilliseconds(1);
        _clock.Advance(instant);
        await using var bystanders = await ConnectedPair.ShakeAsync(client, server);
        _clock.Advance((s_timeout / 2) - instant);

        var pending = await UseAsync(ours, peer, use);
        _clock.Advance((s_timeout / 2) + instant);
        if (use is Use.Reads or Use.Writes or Use.ReadsSynchronously or Use.WritesSynchronously)
        {
            // The other one was never used. It is looked at after ours, so that ours has been looked at once that one has to go.
            await (onServer ? bystanders.Server : bystanders.Client).Accepted.NoLongerValid.WaitHandleAsync();
            ours.Invalidation.Should().BeNull();
            _clock.Advance((s_timeout / 2) - (2 * instant));
            await ConnectedPair.RoundTripAsync(ours, peer);
            return;
        }

        var call = () => pending.WaitAsync(ConnectedPair.Deadline);
        var thrown = (await call.Should().ThrowAsync<ConnectionEndedException>()).Which;
        (thrown.End, thrown.Rejection!.Reason).Should().Be((ConnectionEnd.Invalidated, RejectionReason.IdleTimeoutReached));
        ours.Invalidation!.Rejection.Reason.Should().Be(RejectionReason.IdleTimeoutReached);
        (await log.NextAsync(1450)).Values["Action"].Should().Be("Abort");
        var peers = () => peer.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline);
        await peers.Should().ThrowAsync<IOException>();
    }

    [Test]
    public async Task By_default_it_drains_and_ends_after_the_grace_period_with_a_word_to_the_peer()
    {
        var policy = new RevalidationPolicy { IdleTimeout = s_timeout };
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions with
        {
            Revalidation = policy,
            TimeProvider = _clock
        });
        var (server, client) = (ends.Server.Accepted, ends.Client.Accepted);

        _clock.Advance(s_timeout);
        await server.DrainRequested.WaitHandleAsync();
        await ConnectedPair.RoundTripAsync(server, client);
        _clock.Advance(policy.GracePeriod);

        (await client.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline)).Should().Be(0);
        client.EndedCleanly.Should().BeTrue();
        await client.DisposeAsync();
        var read = () => server.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline);
        (await read.Should().ThrowAsync<ConnectionEndedException>()).Which.Rejection!.Reason.Should().Be(RejectionReason.IdleTimeoutReached);
    }

    /// <summary>Each record that the transport takes is use, although the call of the application's is one and goes on.</summary>
    [Test]
    public async Task A_long_write_is_use_for_as_long_as_the_peer_takes_it([Values] bool takes)
    {
        await using var wire = new DuplexPair();
        var slow = new Sluice(wire.Server);
        var policy = new RevalidationPolicy { IdleTimeout = s_timeout, OnIdle = InvalidationAction.Abort };
        await using var ends = await ConnectedPair.ShakeAsync(
            new MutualTlsClient(_world.ClientOptions).UpgradeAsync(wire.Client, "server.test"),
            new MutualTlsServer(_world.ServerOptions with { Revalidation = policy, TimeProvider = _clock }).AcceptAsync(slow));
        var (server, client) = (ends.Server.Accepted, ends.Client.Accepted);
        slow.Shut();
        var message = new byte[400_000];
        var writing = server.Stream.WriteAsync(message).AsTask();
        var reading = client.Stream.ReadExactlyAsync(new byte[message.Length]).AsTask();
        await slow.OneWaitsAsync();
        for (var record = 0; record < 4; record++)
        {
            _clock.Advance(s_timeout * 0.6);
            if (takes)
            {
                await slow.PassOneAsync();
            }
        }

        if (takes)
        {
            slow.Open();
            await writing.WaitAsync(ConnectedPair.Deadline);
            await reading.WaitAsync(ConnectedPair.Deadline);
            server.NoLongerValid.IsCancellationRequested.Should().BeFalse();
            return;
        }

        var write = () => writing.WaitAsync(ConnectedPair.Deadline);
        (await write.Should().ThrowAsync<ConnectionEndedException>()).Which.Rejection!.Reason.Should().Be(RejectionReason.IdleTimeoutReached);
        var read = () => reading.WaitAsync(ConnectedPair.Deadline);
        await read.Should().ThrowAsync<IOException>();
    }

    /// <summary>Gives a call that is pending, or is made afterwards.</summary>
    private static async Task<Task> UseAsync(MutualTlsConnection ours, MutualTlsConnection peer, Use use)
    {
        switch (use)
        {
            case Use.Reads or Use.ReadsSynchronously:
                await peer.Stream.WriteAsync(new byte[1]);
                (use is Use.Reads
                    ? await ours.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline)
                    : ours.Stream.Read(new byte[1]))
                    .Should().Be(1);
                break;
            case Use.Writes:
                await ours.Stream.WriteAsync(new byte[1]);
                await peer.Stream.ReadExactlyAsync(new byte[1]);
                break;
            case Use.WritesSynchronously:
                ours.Stream.Write(new byte[1]);
                await peer.Stream.ReadExactlyAsync(new byte[1]);
                break;
            case Use.WritesNothing:
                await ours.Stream.WriteAsync(ReadOnlyMemory<byte>.Empty);
                ours.Stream.Write([]);
                break;
            case Use.ReadsNothing:
                await peer.Stream.WriteAsync(new byte[1]);
                await ours.Stream.ReadAsync(Memory<byte>.Empty).AsTask().WaitAsync(ConnectedPair.Deadline);
                return UntilItEndsAsync(ours);
        }

        return use is Use.None or Use.Waits or Use.WritesNothing ? ours.Stream.ReadAsync(new byte[1]).AsTask() : Task.CompletedTask;
    }

    private static async Task UntilItEndsAsync(MutualTlsConnection connection)
    {
        await connection.NoLongerValid.WaitHandleAsync();
        while (await connection.Stream.ReadAsync(new byte[1]) > 0)
        {
        }
    }

    /// <summary>A stream that can be told to take no more, and then to take one write at a time.</summary>
    private sealed class Sluice(Stream inner) : Stream
    {
        private readonly SemaphoreSlim _passes = new(0);
        private readonly SemaphoreSlim _waits = new(0);
        private volatile bool _isShut;

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_isShut)
            {
                _waits.Release();
                await _passes.WaitAsync(cancellationToken).ConfigureAwait(false);
            }

            await inner.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            inner.ReadAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        internal void Shut() => _isShut = true;

        internal void Open()
        {
            _isShut = false;
            _passes.Release(100);
        }

        /// <summary>Returns when the write after that one waits.</summary>
        internal async Task PassOneAsync()
        {
            _passes.Release();
            await OneWaitsAsync();
        }

        internal async Task OneWaitsAsync() => (await _waits.WaitAsync(ConnectedPair.Deadline)).Should().BeTrue();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _passes.Release(100);
                inner.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
