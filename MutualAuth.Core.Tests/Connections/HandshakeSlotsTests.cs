using System.Net;
using MutualAuth.Connections;
using MutualAuth.Handshake;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Connections;

/// <summary>Who computes next when more handshakes are there than may.</summary>
[CancelAfter(60000)]
public sealed class HandshakeSlotsTests
{
    private World _world = null!;
    private MutualTlsServer _server = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new World();
        _server = new MutualTlsServer(_world.ServerOptions);
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    [TestCase(32, ExpectedResult = "honest")]
    [TestCase(1, ExpectedResult = "stranger", TestName = "{m}, and among equals addresses take turns")]
    public async Task<string> Whoever_left_fewer_handshakes_unfinished_goes_first(int unfinished)
    {
        var slots = new HandshakeSlots(1, 100);
        var holder = await EnterAsync(slots, 1, unfinished: 1);
        var strangers = Enumerable.Range(0, 50).Select(number => EnterAsync(slots, number, unfinished)).ToArray();
        var honest = EnterAsync(slots, 100, unfinished: 1);

        holder.GiveBack();

        var first = await Task.WhenAny([.. strangers, honest]).WaitAsync(ConnectedPair.Deadline);
        return first == honest ? "honest" : "stranger";
    }

    [Test]
    public async Task Those_that_left_many_unfinished_are_served_too_while_others_keep_coming()
    {
        var slots = new HandshakeSlots(1, 100);
        var slot = await EnterAsync(slots, 1, unfinished: 1);
        var stranger = EnterAsync(slots, 2, unfinished: 1000);
        var turns = 0;

        for (; !stranger.IsCompleted; turns++)
        {
            var honest = EnterAsync(slots, 3, unfinished: 1);
            slot.GiveBack();
            slot = await await Task.WhenAny(honest, stranger).WaitAsync(ConnectedPair.Deadline);
        }

        turns.Should().BeInRange(4, 52, "every fourth turn goes through thirteen ranks");
    }

    [TestCase(HandshakeSlots.ManyUnfinished, ExpectedResult = false)]
    [TestCase(HandshakeSlots.ManyUnfinished - 1, ExpectedResult = true)]
    public async Task<bool> Whoever_left_many_unfinished_does_not_get_the_last_slot(int unfinished)
    {
        var slots = new HandshakeSlots(2, 100);
        var held = await EnterAsync(slots, 1, unfinished);

        var second = EnterAsync(slots, 2, unfinished);
        var hasSecond = second.IsCompleted;
        if (!hasSecond)
        {
            (await EnterAsync(slots, 3, unfinished: 1).WaitAsync(ConnectedPair.Deadline)).GiveBack();
            second.IsCompleted.Should().BeFalse("the slot that is free is not for it");
            held.GiveBack();
            await second.WaitAsync(ConnectedPair.Deadline);
        }

        return hasSecond;
    }

    [Test]
    public async Task A_single_slot_is_for_everybody()
    {
        var slots = new HandshakeSlots(1, 100);

        (await EnterAsync(slots, 1, unfinished: 1000).WaitAsync(ConnectedPair.Deadline)).GiveBack();
    }

    [Test]
    public async Task Of_too_many_that_wait_one_of_the_worst_rank_makes_room()
    {
        var slots = new HandshakeSlots(1, 2);
        var holder = await EnterAsync(slots, 1, unfinished: 1);
        var honest = EnterAsync(slots, 2, unfinished: 1);
        var stranger = EnterAsync(slots, 3, unfinished: 50);

        var newcomer = EnterAsync(slots, 4, unfinished: 1);

        var evicted = () => stranger.WaitAsync(ConnectedPair.Deadline);
        await evicted.Should().ThrowAsync<OperationCanceledException>();
        holder.GiveBack();
        (await honest.WaitAsync(ConnectedPair.Deadline)).GiveBack();
        (await newcomer.WaitAsync(ConnectedPair.Deadline)).GiveBack();
    }

    private Task<HandshakeSlots.Slot> EnterAsync(HandshakeSlots slots, int host, int unfinished)
    {
        var attempt = HandshakeAttempt.Begin(new MemoryStream(), PeerRole.Server, _server.Options, CancellationToken.None);
        return slots.EnterAsync(attempt, new IPAddress([192, 0, 2, (byte)host]), unfinished, isNew: true).AsTask();
    }
}
