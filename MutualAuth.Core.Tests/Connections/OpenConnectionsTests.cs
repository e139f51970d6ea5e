using MutualAuth.Connections;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Connections;

/// <summary>What a listener that drains or stops asks of the connections that it has, and of those that come later.</summary>
[CancelAfter(60000)]
public sealed class OpenConnectionsTests
{
    private World _world = null!;
    private OpenConnections _open = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new World { CloseTimeout = World.Moment };
        _open = new OpenConnections();
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task All_have_ended_when_the_last_one_has()
    {
        _open.WhenAllEnded.IsCompleted.Should().BeTrue();
        await using var first = await ShakeAsync();
        await using var second = await ShakeAsync();
        _open.Add(first.Server.Accepted, _open.Enter());
        _open.Add(second.Server.Accepted, _open.Enter());
        var all = _open.WhenAllEnded;
        _open.WhenAllEnded.Should().BeSameAs(all);

        first.Server.Accepted.Abort();
        all.IsCompleted.Should().BeFalse();
        second.Server.Accepted.Abort();

        await all.WaitAsync(ConnectedPair.Deadline);
        _open.WhenAllEnded.IsCompleted.Should().BeTrue();
        await using var third = await ShakeAsync();
        _open.Add(third.Server.Accepted, _open.Enter());
        _open.WhenAllEnded.IsCompleted.Should().BeFalse();
    }

    [Test]
    public async Task One_that_has_ended_already_is_not_waited_for()
    {
        await using var pair = await ShakeAsync();
        pair.Server.Accepted.Abort();

        _open.Add(pair.Server.Accepted, _open.Enter());

        _open.WhenAllEnded.IsCompleted.Should().BeTrue();
    }

    [Test]
    public async Task Draining_asks_those_that_are_there_and_those_that_come_and_ends_none()
    {
        await using var first = await ShakeAsync();
        await using var second = await ShakeAsync();
        _open.Add(first.Server.Accepted, _open.Enter());
        first.Server.Accepted.DrainRequested.IsCancellationRequested.Should().BeFalse();

        _open.RequestDrain();
        _open.Add(second.Server.Accepted, _open.Enter());

        foreach (var connection in new[] { first.Server.Accepted, second.Server.Accepted })
        {
            connection.DrainRequested.IsCancellationRequested.Should().BeTrue();
            await connection.Stream.WriteAsync(new byte[1]);
        }

        _open.WhenAllEnded.IsCompleted.Should().BeFalse();
    }

    [Test]
    public async Task Aborting_ends_those_that_are_there_and_those_that_come()
    {
        await using var first = await ShakeAsync();
        await using var second = await ShakeAsync();
        _open.Add(first.Server.Accepted, _open.Enter());

        _open.AbortAll();
        _open.Add(second.Server.Accepted, _open.Enter());

        foreach (var connection in new[] { first.Server.Accepted, second.Server.Accepted })
        {
            var write = () => connection.Stream.WriteAsync(new byte[1]).AsTask();
            (await write.Should().ThrowAsync<ConnectionEndedException>()).Which.End.Should().Be(ConnectionEnd.ListenerStopped);
        }

        await _open.WhenAllEnded.WaitAsync(ConnectedPair.Deadline);
    }

    private Task<ConnectedPair> ShakeAsync() => ConnectedPair.ShakeAsync(_world.ClientOptions, _world.ServerOptions);
}
