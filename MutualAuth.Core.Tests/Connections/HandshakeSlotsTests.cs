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

    [Test]
    public async Task Every_fourth_turn_goes_through_the_ranks_from_the_best_to_the_worst()
    {
        var slots = new HandshakeSlots(1, 200);
        var slot = await EnterAsync(slots, 1, unfinished: 1);
        var strangers = Enumerable.Range(1, 12).Select(rank => EnterAsync(slots, 100 + rank, unfinished: 1 << rank)).ToArray();
        var waiting = strangers.ToList();
        var turns = new List<(int Turn, int Rank)>();

        for (var turn = 1; turns.Count < strangers.Length; turn++)
        {
            waiting.Add(EnterAsync(slots, 3, unfinished: 1)); // somebody honest always waits
            slot.GiveBack();
            var next = await Task.WhenAny(waiting).WaitAsync(ConnectedPair.Deadline);
            slot = await next;
            waiting.Remove(next);
            if (Array.IndexOf(strangers, next) is >= 0 and var index)
            {
                turns.Add((turn, index + 1));
            }
        }

        turns.Should().Equal(Enumerable.Range(1, 12).Select(rank => (4 * (rank + 1), rank)), "the first rotation begins with those that have none");
    }

    [TestCase(2, 3, ExpectedResult = true)]
    [TestCase(7, 8, ExpectedResult = false)]
    [TestCase(15, 8, ExpectedResult = true)]
    [TestCase(1_000_000, 4096, ExpectedResult = true)]
    [TestCase(4095, 4096, ExpectedResult = false)]
    public async Task<bool> Ranks_are_powers_of_two_up_to_the_twelfth(int first, int second)
    {
        // Those of one rank take turns; of two ranks the better goes first.
        var slots = new HandshakeSlots(1, 100);
        var slot = await EnterAsync(slots, 1, unfinished: 1);
        var one = EnterAsync(slots, 2, first);
        var other = EnterAsync(slots, 3, second);
        slot.GiveBack();
        await one.WaitAsync(ConnectedPair.Deadline);

        var reversed = new HandshakeSlots(1, 100);
        slot = await EnterAsync(reversed, 1, unfinished: 1);
        other = EnterAsync(reversed, 3, second);
        one = EnterAsync(reversed, 2, first);
        slot.GiveBack();
        return await Task.WhenAny(one, other).WaitAsync(ConnectedPair.Deadline) == other;
    }

    [Test]
    public async Task Addresses_take_turns_and_each_serves_its_own_in_their_order()
    {
        var slots = new HandshakeSlots(1, 100);
        var holder = await EnterAsync(slots, 9, unfinished: 1);
        var waiting = new (string Name, Task<HandshakeSlots.Slot> Turn)[]
        {
            ("1a", EnterAsync(slots, 1, unfinished: 1)),
            ("1b", EnterAsync(slots, 1, unfinished: 1)),
            ("1c", EnterAsync(slots, 1, unfinished: 1)),
            ("2a", EnterAsync(slots, 2, unfinished: 1)),
            ("3a", EnterAsync(slots, 3, unfinished: 1)),
            ("2b", EnterAsync(slots, 2, unfinished: 1)),
        };

        (await OrderAsync(holder, waiting)).Should().Equal("1a", "2a", "3a", "1b", "2b", "1c");
    }

    [Test]
    public async Task Of_one_rank_handshakes_under_way_go_before_new_ones()
    {
        var slots = new HandshakeSlots(1, 100);
        var holder = await EnterAsync(slots, 9, unfinished: 1);
        var waiting = new (string Name, Task<HandshakeSlots.Slot> Turn)[]
        {
            ("new", EnterAsync(slots, 1, unfinished: 1)),
            ("under way", EnterAsync(slots, 2, unfinished: 1, isNew: false)),
        };

        (await OrderAsync(holder, waiting)).Should().Equal("under way", "new");
    }

    [Test]
    public async Task The_address_with_most_that_wait_loses_the_one_that_has_waited_longest_and_no_handshake_under_way()
    {
        var slots = new HandshakeSlots(1, 6);
        var holder = await EnterAsync(slots, 9, unfinished: 1);
        var waiting = new (string Name, Task<HandshakeSlots.Slot> Turn)[]
        {
            ("under way 1", EnterAsync(slots, 3, unfinished: 1, isNew: false)),
            ("under way 2", EnterAsync(slots, 3, unfinished: 1, isNew: false)),
            ("under way 3", EnterAsync(slots, 3, unfinished: 1, isNew: false)),
            ("1a", EnterAsync(slots, 1, unfinished: 1)),
            ("2a", EnterAsync(slots, 2, unfinished: 1)),
            ("2b", EnterAsync(slots, 2, unfinished: 1)),
        };

        var newcomer = EnterAsync(slots, 4, unfinished: 1);

        waiting.Where(each => each.Turn.IsCompleted || EndsSoon(each)).Select(each => each.Name).Should().Equal("2a");
        newcomer.IsCompleted.Should().BeFalse();
        var order = await OrderAsync(holder, [.. waiting.Where(each => each.Name != "2a"), ("newcomer", newcomer)]);
        order.Should().Equal("under way 1", "under way 2", "under way 3", "1a", "2b", "newcomer");

        static bool EndsSoon((string Name, Task<HandshakeSlots.Slot> Turn) each) =>
            each.Name == "2a" && ((IAsyncResult)each.Turn).AsyncWaitHandle.WaitOne(ConnectedPair.Deadline);
    }

    [Test]
    public async Task Where_only_handshakes_under_way_wait_one_of_them_makes_room()
    {
        var slots = new HandshakeSlots(1, 1);
        var holder = await EnterAsync(slots, 9, unfinished: 1);
        var first = EnterAsync(slots, 1, unfinished: 1, isNew: false);

        var second = EnterAsync(slots, 2, unfinished: 1, isNew: false);

        await first.Awaiting(each => each.WaitAsync(ConnectedPair.Deadline)).Should().ThrowAsync<OperationCanceledException>();
        holder.GiveBack();
        await second.WaitAsync(ConnectedPair.Deadline);
    }

    [Test]
    public async Task Whoever_is_evicted_while_it_waits_learns_that_there_was_no_turn()
    {
        var slots = new HandshakeSlots(1, 1);
        await EnterAsync(slots, 9, unfinished: 1);
        var attempt = Begin();
        var waiting = slots.EnterAsync(attempt, new IPAddress([192, 0, 2, 1]), 1, isNew: true).AsTask();
        _ = EnterAsync(slots, 2, unfinished: 1);

        var thrown = (await waiting.Awaiting(each => each.WaitAsync(ConnectedPair.Deadline)).Should().ThrowAsync<OperationCanceledException>()).Which;

        var outcome = (HandshakeException)await attempt.FailedAsync(thrown);
        (outcome.Failure, outcome.Reason).Should().Be((HandshakeFailure.NoCapacity, RejectionReason.Overloaded));
        outcome.Rejection.Hint.Should().Contain("MaxConcurrentHandshakes");
    }

    [Test]
    public async Task Whoever_gives_up_while_it_waits_frees_its_place_in_the_queue()
    {
        var slots = new HandshakeSlots(1, 1);
        var holder = await EnterAsync(slots, 9, unfinished: 1);
        for (var round = 0; round < 3; round++)
        {
            var attempt = Begin();
            var waiting = slots.EnterAsync(attempt, null, 0, isNew: round == 0).AsTask();
            waiting.IsCompleted.Should().BeFalse();
            attempt.Abort(new Rejection(RejectionReason.HandshakeTimedOut, "x", "y"));
            await waiting.Awaiting(each => each.WaitAsync(ConnectedPair.Deadline)).Should().ThrowAsync<OperationCanceledException>();
        }

        var last = EnterAsync(slots, 1, unfinished: 1);
        holder.GiveBack();
        var slot = await last.WaitAsync(ConnectedPair.Deadline);
        EnterAsync(slots, 2, unfinished: 1).IsCompleted.Should().BeFalse("there is one slot");
        slot.GiveBack();
    }

    [Test]
    public async Task So_many_compute_at_once_and_so_many_wait()
    {
        var slots = new HandshakeSlots(3, 2);
        var running = new List<HandshakeSlots.Slot>();
        for (var count = 0; count < 3; count++)
        {
            running.Add(await EnterAsync(slots, 1, unfinished: 1).WaitAsync(ConnectedPair.Deadline));
        }

        var waiting = new[] { EnterAsync(slots, 1, unfinished: 1), EnterAsync(slots, 1, unfinished: 1) };
        waiting.Should().OnlyContain(each => !each.IsCompleted);
        running[0].GiveBack();
        await waiting[0].WaitAsync(ConnectedPair.Deadline);
        waiting[1].IsCompleted.Should().BeFalse("one was given back");
        running[1].GiveBack();
        await waiting[1].WaitAsync(ConnectedPair.Deadline);
    }

    [Test]
    public async Task All_slots_but_one_are_for_those_with_many_unfinished_and_they_are_counted_when_they_go()
    {
        var slots = new HandshakeSlots(3, 100);
        for (var round = 0; round < 3; round++)
        {
            var first = await EnterAsync(slots, 1, unfinished: 1000).WaitAsync(ConnectedPair.Deadline);
            var second = await EnterAsync(slots, 2, unfinished: 1000).WaitAsync(ConnectedPair.Deadline);
            var third = EnterAsync(slots, 3, unfinished: 1000);
            third.IsCompleted.Should().BeFalse();
            first.GiveBack();
            (await third.WaitAsync(ConnectedPair.Deadline)).GiveBack();
            second.GiveBack();
        }
    }

    /// <summary>Who gets the one slot after whom.</summary>
    private static async Task<List<string>> OrderAsync(
        HandshakeSlots.Slot slot, IReadOnlyCollection<(string Name, Task<HandshakeSlots.Slot> Turn)> waiting)
    {
        var order = new List<string>();
        var left = waiting.ToList();
        while (left.Count > 0)
        {
            slot.GiveBack();
            var turn = await Task.WhenAny(left.Select(each => each.Turn)).WaitAsync(ConnectedPair.Deadline);
            slot = await turn;
            order.Add(left.Single(each => each.Turn == turn).Name);
            left.RemoveAll(each => each.Turn == turn);
        }

        return order;
    }

    private Task<HandshakeSlots.Slot> EnterAsync(HandshakeSlots slots, int host, double unfinished, bool isNew = true) =>
        slots.EnterAsync(Begin(), new IPAddress([192, 0, 2, (byte)host]), unfinished, isNew).AsTask();

    private HandshakeAttempt Begin() => HandshakeAttempt.Begin(new MemoryStream(), PeerRole.Server, _server.Options, CancellationToken.None);
}
