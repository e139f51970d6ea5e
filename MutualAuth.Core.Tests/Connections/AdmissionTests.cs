using System.Net;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Connections;
using MutualAuth.Handshake;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Connections;

/// <summary>Which handshake makes room when too many are silent or wait, and which keeps its place.</summary>
[CancelAfter(60000)]
public sealed class AdmissionTests
{
    private static readonly AdmissionBounds s_bounds = new()
    {
        PendingHellos = 10,
        PendingHellosPerAddress = 10,
        WaitingHandshakes = 10,
        WaitingHandshakesPerAddress = 10,
        ConcurrentHandshakes = 2,
        QueuedHandshakes = 10,
        LingeringCloses = 2,
    };

    private World _world = null!;
    private HandshakeOptions _options = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new World();
        _options = new MutualTlsServer(_world.ServerOptions).Options;
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public void Of_too_many_the_oldest_makes_room_and_not_before_there_are_too_many()
    {
        var pool = Pool(max: 3, perAddress: 10);
        var attempts = Add(pool, 1, 2, 3);
        Ended(attempts).Should().BeEmpty();

        Add(pool, 4);
        Ended(attempts).Should().Equal(0);
        Add(pool, 5);

        Ended(attempts).Should().Equal(0, 1);
    }

    [Test]
    public void Of_too_many_of_one_address_its_own_oldest_makes_room()
    {
        var pool = Pool(max: 10, perAddress: 2);
        var attempts = Add(pool, 1, 2, 2);
        Ended(attempts).Should().BeEmpty();

        Add(pool, 2);

        Ended(attempts).Should().Equal(1);
    }

    [Test]
    public void An_address_that_has_too_many_costs_nobody_else_a_place_where_all_are_taken()
    {
        var pool = Pool(max: 3, perAddress: 2);
        var attempts = Add(pool, 1, 2, 2);

        Add(pool, 2);

        Ended(attempts).Should().Equal(1);
    }

    [Test]
    public void Transports_without_an_address_have_the_common_bound_alone()
    {
        var pool = Pool(max: 3, perAddress: 1);
        var attempts = Add(pool, 0, 0, 0);
        Ended(attempts).Should().BeEmpty();

        Add(pool, 0);

        Ended(attempts).Should().Equal(0);
    }

    [Test]
    public void Whoever_leaves_frees_a_place_for_all_and_for_its_address_once()
    {
        var pool = Pool(max: 3, perAddress: 2);
        var attempts = new[] { Begin(1), Begin(1), Begin(2) };
        var places = attempts.Select(attempt => Enter(pool, attempt)).ToArray();
        pool.Remove(places[0]);
        pool.Remove(places[0]);

        Add(pool, 1);
        Ended(attempts).Should().BeEmpty();
        Add(pool, 1);

        Ended(attempts).Should().Equal(1);
    }

    [Test]
    public void Whoever_was_evicted_and_leaves_frees_no_second_place()
    {
        var pool = Pool(max: 2, perAddress: 2);
        var attempts = new[] { Begin(1), Begin(1) };
        var places = attempts.Select(attempt => Enter(pool, attempt)).ToArray();
        var third = Add(pool, 1);
        pool.Remove(places[0]);

        Add(pool, 1);

        Ended(attempts).Should().Equal(0, 1);
        Ended(third).Should().BeEmpty();
    }

    [Test]
    public void An_address_of_which_all_have_left_begins_anew()
    {
        var pool = Pool(max: 10, perAddress: 1);
        pool.Remove(Enter(pool, Begin(1)));
        var attempts = Add(pool, 1);
        Ended(attempts).Should().BeEmpty();

        Add(pool, 1);

        Ended(attempts).Should().Equal(0);
    }

    [Test]
    public void The_oldest_are_evicted_as_many_as_are_asked_for_and_as_there_are()
    {
        var pool = Pool(max: 10, perAddress: 10);
        var attempts = Add(pool, 1, 2, 3);

        pool.Evict(2).Should().Be(2);
        Ended(attempts).Should().Equal(0, 1);
        pool.Evict(2).Should().Be(1);
        Ended(attempts).Should().Equal(0, 1, 2);
        pool.Evict(2).Should().Be(0);
    }

    [Test]
    public async Task Whoever_is_evicted_learns_why()
    {
        var pool = Pool(max: 1, perAddress: 1);
        var attempt = Add(pool, 1)[0];

        Add(pool, 2);

        var outcome = (HandshakeException)await attempt.FailedAsync(new OperationCanceledException());
        (outcome.Failure, outcome.Reason).Should().Be((HandshakeFailure.NoCapacity, RejectionReason.Overloaded));
        outcome.Rejection.Presented.Should().Be("192.0.2.1:1");
    }

    [Test]
    public void All_are_ended_at_once()
    {
        var pool = Pool(max: 10, perAddress: 10);
        var attempts = Add(pool, 1, 0, 2);

        pool.Close(new Rejection(RejectionReason.Overloaded, "x", "y"));

        Ended(attempts).Should().Equal(0, 1, 2);
    }

    [Test]
    public async Task Silent_sockets_have_their_own_pool_and_learn_that_they_said_nothing()
    {
        var control = Control(s_bounds with { PendingHellos = 1 });
        var (speaking, silent, next) = (Begin(1), Begin(2), Begin(3));
        control.Admit(speaking).HelloIsComplete();
        control.Admit(silent);
        Ended(speaking).Should().BeEmpty("it has said its hello");

        control.Admit(next);

        Ended(speaking, silent, next).Should().Equal(1);
        (await ReasonAsync(silent)).Should().Be(RejectionReason.EvictedBeforeHello);
    }

    [Test]
    public void So_many_silent_sockets_may_one_address_have()
    {
        var control = Control(s_bounds with { PendingHellosPerAddress = 2 });
        var attempts = new[] { Begin(1), Begin(2), Begin(1), Begin(1) };

        foreach (var attempt in attempts)
        {
            control.Admit(attempt);
        }

        Ended(attempts).Should().Equal(0);
    }

    [Test]
    public async Task Handshakes_that_wait_for_the_peer_have_a_pool_and_leave_it_while_they_compute()
    {
        var control = Control(s_bounds with { WaitingHandshakes = 1 });
        var (computing, waiting, next) = (Begin(1), Begin(2), Begin(3));
        var first = control.Admit(computing);
        first.HelloIsComplete();
        await first.EnterAsync();
        control.Admit(waiting).HelloIsComplete();
        Ended(computing, waiting).Should().BeEmpty("the first one computes, and waits for nothing");

        control.Admit(next).HelloIsComplete();

        Ended(computing, waiting, next).Should().Equal(1);
        (await ReasonAsync(waiting)).Should().Be(RejectionReason.Overloaded);
    }

    [Test]
    public void So_many_waiting_handshakes_may_one_address_have()
    {
        var control = Control(s_bounds with { WaitingHandshakesPerAddress = 1 });
        var attempts = new[] { Begin(1), Begin(2), Begin(1) };

        foreach (var attempt in attempts)
        {
            control.Admit(attempt).HelloIsComplete();
        }

        Ended(attempts).Should().Equal(0);
    }

    [Test]
    public async Task Whoever_waits_for_its_peer_computes_no_more_and_again_when_the_peer_has_answered(CancellationToken cancellationToken)
    {
        var control = Control(s_bounds with { ConcurrentHandshakes = 1, WaitingHandshakes = 1 });
        var (one, other) = (Begin(1), Begin(2));
        var (first, second) = (control.Admit(one), control.Admit(other));
        await first.EnterAsync();
        var waiting = second.EnterAsync().AsTask();
        waiting.IsCompleted.Should().BeFalse();

        first.BeginWait();
        await waiting.WaitAsync(cancellationToken);
        var back = first.EndWaitAsync().AsTask();
        back.IsCompleted.Should().BeFalse("the other computes now");
        second.Leave();
        await back.WaitAsync(cancellationToken);

        control.Admit(Begin(3)).HelloIsComplete();
        Ended(one, other).Should().BeEmpty("none of them sits among those that wait");
    }

    [Test]
    public void Whoever_waits_for_its_peer_may_have_to_make_room()
    {
        var control = Control(s_bounds with { WaitingHandshakes = 1 });
        var one = Begin(1);
        control.Admit(one).BeginWait();

        control.Admit(Begin(2)).HelloIsComplete();

        Ended(one).Should().Equal(0);
    }

    [Test]
    public async Task Whoever_has_done_its_work_needs_no_turn_any_more_and_sits_among_those_that_wait_to_the_end(CancellationToken cancellationToken)
    {
        var control = Control(s_bounds with { ConcurrentHandshakes = 1, WaitingHandshakes = 2 });
        var one = Begin(1);
        var first = control.Admit(one);
        await first.EnterAsync();
        first.WorkIsDone();
        var second = control.Admit(Begin(2));
        await second.EnterAsync().AsTask().WaitAsync(cancellationToken);

        first.BeginWait();
        first.EndWaitAsync().AsTask().IsCompletedSuccessfully.Should().BeTrue("it takes no turn");
        control.Admit(Begin(3)).HelloIsComplete();
        Ended(one).Should().BeEmpty("it has one place and not two");
        control.Admit(Begin(4)).HelloIsComplete();

        Ended(one).Should().Equal(0);
    }

    [Test]
    public async Task Whoever_has_an_outcome_is_out_of_everything(CancellationToken cancellationToken)
    {
        var control = Control(s_bounds with { ConcurrentHandshakes = 1, PendingHellos = 1, WaitingHandshakes = 1 });
        var attempts = new[] { Begin(1), Begin(2), Begin(3) };
        control.Admit(attempts[0]).Leave();
        var second = control.Admit(attempts[1]);
        second.HelloIsComplete();
        second.Leave();
        second.Leave();
        var third = control.Admit(attempts[2]);
        third.HelloIsComplete();
        await third.EnterAsync();
        third.Leave();
        third.BeginWait();

        var next = control.Admit(Begin(4));
        next.HelloIsComplete();
        await next.EnterAsync().AsTask().WaitAsync(cancellationToken);

        Ended(attempts).Should().BeEmpty();
        control.Evict(10).Should().BeFalse("nobody is left to evict");
    }

    [Test]
    public void Silent_sockets_are_evicted_first_and_handshakes_that_wait_when_there_are_none()
    {
        var control = Control(s_bounds);
        var attempts = new[] { Begin(1), Begin(2) };
        control.Admit(attempts[0]).HelloIsComplete();
        control.Admit(attempts[1]);

        control.Evict(1).Should().BeTrue();
        Ended(attempts).Should().Equal(1);
        control.Evict(1).Should().BeTrue();
        Ended(attempts).Should().Equal(0, 1);
        control.Evict(1).Should().BeFalse();
    }

    [Test]
    public void All_that_are_silent_can_be_ended_and_no_other()
    {
        var control = Control(s_bounds);
        var attempts = new[] { Begin(1), Begin(2), Begin(3) };
        control.Admit(attempts[0]).HelloIsComplete();
        control.Admit(attempts[1]);
        control.Admit(attempts[2]);

        control.EndSilent(new Rejection(RejectionReason.Overloaded, "x", "y"));

        Ended(attempts).Should().Equal(1, 2);
    }

    /// <summary>A socket that was accepted at the moment of a stop comes after it.</summary>
    [Test]
    public async Task Who_is_silent_after_the_silent_were_ended_is_ended_as_well_and_no_other()
    {
        var control = Control(s_bounds);
        var attempts = new[] { Begin(1), Begin(2), Begin(3) };
        var (speaking, proxied) = (control.Admit(attempts[0]), control.Admit(attempts[1], isFromProxy: true));
        speaking.HelloIsComplete();
        proxied.HelloIsComplete();
        control.EndSilent(new Rejection(RejectionReason.ListenerStopped, "x", "y"));
        Ended(attempts).Should().BeEmpty();

        control.Admit(attempts[2]);
        proxied.AddressIsKnown();
        await speaking.EnterAsync();
        speaking.BeginWait();

        Ended(attempts).Should().Equal(1, 2);
        (await ReasonAsync(attempts[2])).Should().Be(RejectionReason.ListenerStopped);
    }

    [Test]
    public void So_many_closes_linger_and_a_new_one_when_one_is_over()
    {
        var admission = Control(s_bounds).Admit(Begin(1));
        (admission.TryBeginLinger(), admission.TryBeginLinger()).Should().Be((true, true));
        (admission.TryBeginLinger(), admission.TryBeginLinger()).Should().Be((false, false));

        admission.EndLinger();

        (admission.TryBeginLinger(), admission.TryBeginLinger()).Should().Be((true, false));
    }

    [Test]
    public async Task A_handshake_counts_once_however_often_it_waits_for_its_peer([Values] bool isOne)
    {
        var control = Control(s_bounds);
        var address = 1;
        HandshakeAdmission? admission = null;
        for (var turn = 0; turn < HandshakeSlots.ManyUnfinished; turn++)
        {
            admission = isOne && admission is not null ? admission : control.Admit(Begin(address));
            await admission.EnterAsync();
            admission.BeginWait();
        }

        (await TakesBothSlotsAsync(control, address)).Should().Be(isOne);
    }

    [Test]
    public async Task One_that_succeeds_makes_its_address_no_stranger([Values] bool succeeds)
    {
        var control = Control(s_bounds);
        for (var turn = 0; turn < HandshakeSlots.ManyUnfinished; turn++)
        {
            var admission = control.Admit(Begin(1));
            await admission.EnterAsync();
            admission.Leave();
            if (succeeds)
            {
                admission.Succeeded();
            }
        }

        (await TakesBothSlotsAsync(control, 1)).Should().Be(succeeds);
    }

    [Test]
    public async Task Transports_without_an_address_are_nobodys_many()
    {
        var control = Control(s_bounds);
        for (var turn = 0; turn < HandshakeSlots.ManyUnfinished; turn++)
        {
            var admission = control.Admit(Begin(0));
            await admission.EnterAsync();
            admission.Leave();
            admission.Succeeded();
        }

        (await TakesBothSlotsAsync(control, 0)).Should().BeTrue();
    }

    [Test]
    public async Task Waiting_for_the_application_takes_a_slot_at_once_and_counts_for_nobody(CancellationToken cancellationToken)
    {
        var control = Control(s_bounds);
        for (var turn = 0; turn < HandshakeSlots.ManyUnfinished; turn++)
        {
            control.HoldSlot().GiveBack();
        }

        (await TakesBothSlotsAsync(control, 1)).Should().BeTrue();

        control = Control(s_bounds with { ConcurrentHandshakes = 1 });
        var (held, heldToo) = (control.HoldSlot(), control.HoldSlot());
        var next = control.Admit(Begin(1)).EnterAsync().AsTask();
        held.GiveBack();
        next.IsCompleted.Should().BeFalse("one is held still");
        heldToo.GiveBack();
        await next.WaitAsync(cancellationToken);
    }

    private static async Task<RejectionReason> ReasonAsync(HandshakeAttempt attempt) =>
        ((HandshakeException)await attempt.FailedAsync(new OperationCanceledException())).Reason;

    /// <summary>An address with many unfinished handshakes does not get the last slot of two.</summary>
    private async Task<bool> TakesBothSlotsAsync(AdmissionControl control, int address)
    {
        await control.Admit(Begin(address)).EnterAsync();
        return control.Admit(Begin(address)).EnterAsync().AsTask().IsCompleted;
    }

    private static AdmissionControl Control(AdmissionBounds bounds) => new(bounds, new FakeTimeProvider());

    private static PendingPool Pool(int max, int perAddress) => new(
        max, perAddress, attempt => new Rejection(RejectionReason.Overloaded, "a place", attempt.RemoteEndPoint?.ToString() ?? "none"));

    private static PendingPool.Entry Enter(PendingPool pool, HandshakeAttempt attempt)
    {
        var seat = new PendingPool.Entry(attempt);
        pool.Add(seat, (attempt.RemoteEndPoint as IPEndPoint)?.Address);
        return seat;
    }

    private HandshakeAttempt[] Add(PendingPool pool, params int[] hosts)
    {
        var attempts = hosts.Select(Begin).ToArray();
        Array.ForEach(attempts, attempt => Enter(pool, attempt));
        return attempts;
    }

    private static IEnumerable<int> Ended(params HandshakeAttempt[] attempts) =>
        Enumerable.Range(0, attempts.Length).Where(index => attempts[index].Token.IsCancellationRequested);

    /// <summary>Host 0 has no address.</summary>
    private HandshakeAttempt Begin(int host) => HandshakeAttempt.Begin(
        new MemoryStream(),
        PeerRole.Server,
        _options,
        CancellationToken.None,
        host == 0 ? null : new IPEndPoint(new IPAddress([192, 0, 2, (byte)host]), 1));
}
