using System.Security.Authentication;
using System.Security.Cryptography;
using MutualAuth.Connections;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Transport;

/// <summary>What each kind of call on a connection's stream does with its arguments, and what is left of it afterwards.</summary>
[CancelAfter(60000)]
public sealed class CallsOnAStreamTests
{
    private World _world = null!;
    private ConnectedPair _pair = null!;

    [SetUp]
    public async Task SetUp()
    {
        _world = new World();
        _pair = await ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions);
    }

    [TearDown]
    public async Task TearDown()
    {
        await _pair.DisposeAsync();
        _world.Dispose();
    }

    [Test]
    public void Arguments_that_make_no_sense_are_named()
    {
        var stream = _pair.Server.Accepted.Stream;

        stream.Invoking(each => each.Read(null!, 0, 1)).Should().Throw<ArgumentNullException>();
        stream.Invoking(each => each.Read(new byte[1], 0, 2)).Should().Throw<ArgumentOutOfRangeException>();
        stream.Invoking(each => each.Write(null!, 0, 1)).Should().Throw<ArgumentNullException>();
        stream.Invoking(each => each.Write(new byte[1], 0, 2)).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Test]
    public async Task An_empty_call_carries_nothing_and_says_nothing_of_the_peers_end(CancellationToken cancellationToken)
    {
        var (server, client) = (_pair.Server.Accepted, _pair.Client.Accepted);
        await client.Stream.WriteAsync(new byte[1], cancellationToken);
        (await server.Stream.ReadAsync(Memory<byte>.Empty, cancellationToken)).Should().Be(0);
        server.Stream.Read([]).Should().Be(0);
        server.EndedCleanly.Should().BeNull();

        (await server.Stream.ReadAsync(new byte[2], cancellationToken)).Should().Be(1);
    }

    [Test]
    public async Task Octets_are_read_one_by_one_to_the_end(CancellationToken cancellationToken)
    {
        var (server, client) = (_pair.Server.Accepted, _pair.Client.Accepted);
        client.Stream.WriteByte(200);
        await client.CompleteWritesAsync(cancellationToken);

        server.Stream.ReadByte().Should().Be(200);
        server.Stream.ReadByte().Should().Be(-1);
        server.EndedCleanly.Should().BeTrue();
    }

    [Test]
    public async Task A_certificate_that_is_there_is_not_asked_for_again_and_the_engine_is_free_afterwards(CancellationToken cancellationToken)
    {
        Assume.That(OperatingSystem.IsLinux(), "On Linux.");
        var (server, client) = (_pair.Server.Accepted, _pair.Client.Accepted);

#pragma warning disable CA1416 // assumed above
        var ask = () => server.Stream.NegotiateClientCertificateAsync(cancellationToken);
#pragma warning restore CA1416
        await ask.Should().ThrowAsync<InvalidOperationException>();

        var reading = client.Stream.ReadAsync(new byte[1], cancellationToken).AsTask();
        await server.DisposeAsync();
        (await reading.WaitAsync(ConnectedPair.Deadline, cancellationToken)).Should().Be(0);
        client.EndedCleanly.Should().BeTrue("nothing was inside the engine any more, so that it could say close_notify");
        (await ask.Should().ThrowAsync<ConnectionEndedException>()).Which.End.Should().Be(ConnectionEnd.Disposed);
    }

    [Test]
    public async Task A_peer_that_hangs_up_ends_uncleanly_in_every_kind_of_read([Values] bool isAsync)
    {
        var (server, client) = (_pair.Server.Accepted, _pair.Client.Accepted);
        client.Abort();

        var read = async () => isAsync ? await server.Stream.ReadAsync(new byte[1]) : server.Stream.Read(new byte[1]);
        try
        {
            await read();
        }
        catch (IOException)
        {
            // A reset.
        }

        server.EndedCleanly.Should().BeFalse();
    }

    [Test]
    public void Only_what_the_stream_throws_holds_a_refusal()
    {
        var connection = _pair.Client.Accepted;
        var alert = new CryptographicException("inner") { HResult = (20 << 23) | 1048 };

        connection.TryGetRefusal(new IOException("outer", alert), out var refusal).Should().BeTrue();
        (refusal!.Failure, refusal.Reason, refusal.PeerReason, refusal.PeerName, refusal.RemoteEndPoint).Should().Be(
            (HandshakeFailure.RefusedByPeer, RejectionReason.RefusedByPeer, (PublicReason?)PublicReason.UnknownCa, "server.test",
                connection.RemoteEndPoint));
        refusal.Rejection.Presented.Should().Contain("48");

        connection.TryGetRefusal(new AuthenticationException("outer", alert), out refusal).Should().BeFalse();
        refusal.Should().BeNull();
        connection.TryGetRefusal(new IOException("no alert"), out _).Should().BeFalse();
    }

    [Test]
    public async Task What_ends_a_connection_is_called_once_and_at_once_where_it_has_ended()
    {
        var connection = _pair.Server.Accepted;
        var calls = 0;
        connection.OnEnded(new EndListener(() => calls++));
        calls.Should().Be(0);

        connection.Abort();
        connection.Abort();
        await connection.DisposeAsync();
        calls.Should().Be(1);

        connection.OnEnded(new EndListener(() => calls++));
        calls.Should().Be(2);
    }

    [Test]
    public async Task All_who_wait_for_the_end_are_told_in_their_order()
    {
        var connection = _pair.Server.Accepted;
        var told = new List<int>();
        for (var i = 0; i < 4; i++)
        {
            var number = i;
            connection.OnEnded(new EndListener(() => told.Add(number)));
        }

        await connection.DisposeAsync();

        told.Should().Equal(0, 1, 2, 3);
    }

    [Test]
    public async Task A_token_tells_what_was_before_somebody_looked([Values] InvalidationAction action)
    {
        IRevalidated connection = _pair.Server.Accepted;
        var rejection = new Rejection(RejectionReason.EndedByApplication, "a connection", "none");

        connection.Invalidate(new Invalidation(rejection, action));

        await _pair.Server.Accepted.NoLongerValid.WaitHandleAsync();
        _pair.Server.Accepted.DrainRequested.IsCancellationRequested.Should().Be(action != InvalidationAction.Notify);

        connection.Restore();
        _pair.Server.Accepted.NoLongerValid.IsCancellationRequested.Should().BeFalse();
        _pair.Server.Accepted.DrainRequested.IsCancellationRequested.Should().BeFalse();
    }

    [Test]
    public void Everybody_has_the_same_token_who_looks_for_the_first_time_at_once()
    {
        var connection = _pair.Server.Accepted;
        var tokens = new CancellationToken[8];

        Parallel.For(0, tokens.Length, i => tokens[i] = connection.DrainRequested);

        tokens.Should().AllBeEquivalentTo(connection.DrainRequested);
        connection.RequestDrain();
        tokens.Should().OnlyContain(token => token.IsCancellationRequested);
    }

    [Test]
    public async Task Closing_again_waits_for_the_first_time_and_not_after_it()
    {
        var connection = _pair.Server.Accepted;
        Task[] closings = [.. Enumerable.Range(0, 8).Select(_ => Task.Run(async () => await connection.DisposeAsync()))];
        await _pair.Client.Accepted.DisposeAsync();

        await Task.WhenAll(closings).WaitAsync(ConnectedPair.Deadline);

        connection.DisposeAsync().AsTask().IsCompletedSuccessfully.Should().BeTrue();
    }

    [Test]
    public void A_connection_counts_its_idle_time_from_when_it_is_asked_to()
    {
        IRevalidated connection = _pair.Server.Accepted;
        connection.IdleFor.Should().Be(TimeSpan.Zero);
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        connection.CountIdle(time);

        time.Advance(TimeSpan.FromSeconds(3));

        connection.IdleFor.Should().Be(TimeSpan.FromSeconds(3));
    }

    [Test]
    public void An_invalidation_is_told_by_its_tokens_and_drains_and_ends_by_its_action([Values] InvalidationAction action)
    {
        var connection = _pair.Server.Accepted;
        var lost = new Invalidation(new Rejection(RejectionReason.CertificateRevoked, "x", "y"), action);
        var told = connection.Invalidation;
        told.Should().BeNull();

        ((IRevalidated)connection).Invalidate(lost);

        connection.Invalidation.Should().BeSameAs(lost);
        connection.NoLongerValid.IsCancellationRequested.Should().BeTrue();
        connection.DrainRequested.IsCancellationRequested.Should().Be(action != InvalidationAction.Notify);
        var write = () => connection.Stream.Write([1]);
        if (action == InvalidationAction.Abort)
        {
            var thrown = write.Should().Throw<ConnectionEndedException>().Which;
            (thrown.End, thrown.Rejection).Should().Be((ConnectionEnd.Invalidated, lost.Rejection));
        }
        else
        {
            write.Should().NotThrow();
        }
    }
}
