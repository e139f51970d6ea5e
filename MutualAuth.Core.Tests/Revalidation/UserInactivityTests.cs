using Microsoft.Extensions.Time.Testing;
using MutualAuth.Revalidation;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Revalidation;

/// <summary>What the application says of its user, and the end of a connection whose user does nothing.</summary>
[CancelAfter(120000)]
public sealed class UserInactivityTests
{
    private static readonly TimeSpan s_most = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_instant = TimeSpan.FromMilliseconds(1);

    private static RevalidationPolicy Policy(InvalidationAction action = InvalidationAction.Drain) =>
        new() { UserInactivityTimeout = s_most, OnUserInactive = action, GracePeriod = RevalidationWorld.Grace };

    [Test]
    public async Task Whose_user_does_nothing_drains_and_is_ended_although_octets_move_all_the_time()
    {
        using var world = new RevalidationWorld(Policy() with { IdleTimeout = TimeSpan.FromMinutes(1) });
        var connection = world.Connect();
        for (var waited = TimeSpan.Zero; waited < s_most - s_instant; waited += TimeSpan.FromSeconds(30))
        {
            connection.Losses.Should().BeEmpty();
            world.Clock.Advance(TimeSpan.FromSeconds(30));
            connection.Move();
            await world.Registry.Ringing.WaitAsync(ConnectedPair.Deadline);
        }

        (await connection.LostAsync()).Should().Be((RejectionReason.UserInactive, InvalidationAction.Drain));
        (await world.Log.NextAsync(1450)).Values["Reason"].Should().Be("user_inactive");
        connection.IsEnded.Should().BeFalse();
        world.Clock.Advance(RevalidationWorld.Grace);
        await connection.EndedAsync();
    }

    /// <summary>The neighbour does the same at the moment at which it is too late, before the timer has looked.</summary>
    [Test]
    public async Task What_the_user_does_at_the_last_moment_counts_and_after_it_does_not([Values] bool isInTime)
    {
        using var world = new RevalidationWorld(Policy());
        var connection = world.Connect();
        world.Clock.Advance(s_most - TimeSpan.FromTicks(1));
        if (!isInTime)
        {
            world.Clock.Advance(TimeSpan.FromTicks(1));
        }

        connection.Entry!.RecordUserActivity().Should().Be(isInTime);

        world.Clock.Advance(s_instant);
        await world.Registry.Ringing.WaitAsync(ConnectedPair.Deadline);
        if (isInTime)
        {
            connection.Losses.Should().BeEmpty();
            world.Clock.Advance(s_most - s_instant - TimeSpan.FromTicks(2));
            connection.Losses.Should().BeEmpty();
            world.Clock.Advance(s_instant);
        }

        (await connection.LostAsync()).Reason.Should().Be(RejectionReason.UserInactive);
    }

    [Test]
    public async Task What_the_user_does_while_it_drains_takes_nothing_back()
    {
        using var world = new RevalidationWorld(Policy());
        var connection = world.Connect();
        world.Clock.Advance(s_most);
        await connection.LostAsync();

        connection.Entry!.RecordUserActivity().Should().BeFalse();
        world.Clock.Advance(RevalidationWorld.Grace);

        await connection.EndedAsync();
        connection.Entry.RecordUserActivity().Should().BeFalse();
        connection.Losses.Should().ContainSingle();
    }

    [Test]
    public void Without_a_timeout_nothing_ends_and_only_the_end_makes_it_false()
    {
        using var world = new RevalidationWorld();
        var connection = world.Connect();
        world.Clock.Advance(TimeSpan.FromDays(400));

        connection.Entry!.RecordUserActivity().Should().BeTrue();
        connection.End();
        connection.Entry.RecordUserActivity().Should().BeFalse();
    }

    [Test]
    public async Task With_a_timeout_the_end_makes_it_false_too()
    {
        using var world = new RevalidationWorld(Policy(InvalidationAction.Abort));
        var (disposed, aborted) = (world.Connect(), world.Connect());
        disposed.Entry!.RecordUserActivity().Should().BeTrue();
        disposed.End();

        disposed.Entry.RecordUserActivity().Should().BeFalse();
        world.Clock.Advance(s_most);
        (await aborted.LostAsync()).Should().Be((RejectionReason.UserInactive, InvalidationAction.Abort));
        await aborted.EndedAsync();
        disposed.Losses.Should().BeEmpty();
    }

    [Test]
    public async Task Where_it_is_only_notified_it_is_notified_again_once_the_user_did_something([Values] bool doesSomething)
    {
        using var world = new RevalidationWorld(Policy(InvalidationAction.Notify));
        var connection = world.Connect();
        world.Clock.Advance(s_most);
        (await connection.LostAsync()).Should().Be((RejectionReason.UserInactive, InvalidationAction.Notify));
        await world.Registry.Ringing.WaitAsync(ConnectedPair.Deadline);
        if (doesSomething)
        {
            world.Clock.Advance(s_most / 2);
            connection.Entry!.RecordUserActivity().Should().BeTrue();
        }

        for (var period = 0; period < 4; period++)
        {
            world.Clock.Advance(s_most / 2);
            await world.Registry.Ringing.WaitAsync(ConnectedPair.Deadline);
        }

        connection.Losses.Should().HaveCount(doesSomething ? 2 : 1);
    }

    [Test]
    public async Task Who_authenticates_again_is_not_thereby_active()
    {
        using var world = new LiveUsersWorld(Policy());
        var alice = await world.LogInAsync("alice");
        world.Clock.Advance(s_most - s_instant);

        alice.Entry!.Renew(alice.Peer.User!).Should().BeTrue();
        world.Clock.Advance(s_instant);

        (await alice.LostAsync()).Reason.Should().Be(RejectionReason.UserInactive);
        alice.Entry.Renew(alice.Peer.User!).Should().BeFalse();
        alice.Restored.Should().Be(0);
    }

    [Test]
    public async Task Whose_user_went_while_it_drained_for_another_reason_is_not_kept_by_authenticating_again([Values] bool isActive)
    {
        using var world = new LiveUsersWorld(Policy() with { GracePeriod = TimeSpan.FromHours(1) });
        var alice = world.Connect(LiveUsersWorld.User("alice", world.Clock.GetUtcNow() + TimeSpan.FromMinutes(1)));
        world.Clock.Advance(TimeSpan.FromMinutes(1));
        (await alice.LostAsync()).Reason.Should().Be(RejectionReason.TokenExpired);
        if (isActive)
        {
            alice.Entry!.RecordUserActivity().Should().BeTrue();
        }

        world.Clock.Advance(s_most - TimeSpan.FromMinutes(1));
        await world.Registry.Ringing.WaitAsync(ConnectedPair.Deadline);
        var holds = alice.Entry!.Renew(LiveUsersWorld.User("alice", world.Clock.GetUtcNow() + TimeSpan.FromHours(1)));

        holds.Should().Be(isActive);
        if (!isActive)
        {
            (await alice.LostAsync(2)).Should().Be((RejectionReason.UserInactive, InvalidationAction.Drain));
            return;
        }

        world.Clock.Advance(TimeSpan.FromMinutes(1));
        (await alice.LostAsync(2)).Reason.Should().Be(RejectionReason.UserInactive, "it is still looked at after the drain was taken back");
    }

    [Test]
    public async Task A_drain_that_began_for_another_reason_is_cut_short_where_inactivity_aborts()
    {
        using var world = new LiveUsersWorld(Policy(InvalidationAction.Abort) with { GracePeriod = TimeSpan.FromHours(1) });
        var alice = world.Connect(LiveUsersWorld.User("alice", world.Clock.GetUtcNow() + TimeSpan.FromMinutes(1)));
        world.Clock.Advance(TimeSpan.FromMinutes(1));
        await alice.LostAsync();

        world.Clock.Advance(s_most - TimeSpan.FromMinutes(1));

        (await alice.LostAsync(2)).Should().Be((RejectionReason.UserInactive, InvalidationAction.Abort));
        await alice.EndedAsync();
    }

    [Test]
    public async Task A_hundred_thousand_connections_have_one_timer_which_what_users_do_does_not_touch()
    {
        const int Count = 100_000;
        using var world = new RevalidationWorld();
        var clock = new CountingClock(world.Clock);
        var registry = new ConnectionRevalidator(
            world.Stage, world.Options with { TimeProvider = clock }, Policy(InvalidationAction.Abort), PeerRole.Server);
        var peer = world.Judge();
        var connections = new FakeConnection[Count];
        for (var number = 0; number < Count; number++)
        {
            using var scope = registry.Begin();
            scope.Register(connections[number] = new FakeConnection(peer), null);
        }

        var (made, set) = (clock.Timers, clock.Settings);
        world.Clock.Advance(s_most / 2);
        await registry.Ringing.WaitAsync(ConnectedPair.Deadline);
        var ringing = clock.Settings - set;
        foreach (var connection in connections.AsSpan(1))
        {
            connection.Entry!.RecordUserActivity().Should().BeTrue();
        }

        (clock.Timers, made, clock.Settings - set - ringing).Should().Be((1, 1, 0));
        world.Clock.Advance(s_most / 2);
        (await connections[0].LostAsync()).Reason.Should().Be(RejectionReason.UserInactive);
        await registry.Ringing.WaitAsync(ConnectedPair.Deadline);
        registry.Count.Should().Be(Count - 1);
        clock.Timers.Should().Be(1);
    }

    /// <summary>What was due has been taken, and nothing would look at it again.</summary>
    [Test]
    public async Task A_clock_that_throws_while_the_timer_looks_keeps_no_connection([Values] bool forOctets)
    {
        using var world = new RevalidationWorld();
        var clock = new Failing(world.Clock);
        var policy = forOctets
            ? new RevalidationPolicy { IdleTimeout = s_most, OnIdle = InvalidationAction.Notify }
            : Policy(InvalidationAction.Notify);
        var registry = new ConnectionRevalidator(world.Stage, world.Options with { TimeProvider = clock }, policy, PeerRole.Server);
        var connection = new FakeConnection(world.Judge());
        using (var scope = registry.Begin())
        {
            scope.Register(connection, null);
        }

        clock.FailsAfter = 1;
        world.Clock.Advance(s_most);

        (await connection.LostAsync()).Should().Be((RejectionReason.ValidatorFaulted, InvalidationAction.Abort));
        await connection.EndedAsync();
    }

    [Test]
    public void What_is_recorded_while_the_timer_looks_is_not_lost()
    {
        var clock = new Interrupting();
        var activity = new UserActivityClock(clock, s_most, isFinal: true);
        clock.Now = s_most.Ticks - 1;
        clock.Next = () =>
        {
            activity.TryRecord().Should().BeTrue();
            clock.Now = s_most.Ticks;
        };

        activity.Left().Should().Be(s_most - TimeSpan.FromTicks(1), "what answered true counts");
        clock.Now = (2 * s_most.Ticks) - 1;
        activity.Left().Should().Be(TimeSpan.Zero);
        clock.Now--;
        activity.TryRecord().Should().BeFalse("it is over, whatever the clock says later");
    }

    [Test]
    public void A_clock_that_throws_records_nothing_and_throws_nothing_and_one_that_goes_back_takes_nothing_away()
    {
        var clock = new Interrupting { Now = 10 };
        var activity = new UserActivityClock(clock, s_most, isFinal: true);
        clock.Next = () => throw new InvalidOperationException("The clock is broken.");
        activity.TryRecord().Should().BeFalse();
        clock.Now = 5;
        activity.TryRecord().Should().BeTrue();
        clock.Now = 10;
        activity.Left().Should().Be(s_most);
    }

    /// <summary>Does something just before it is read.</summary>
    private sealed class Interrupting : TimeProvider
    {
        internal long Now { get; set; }

        internal Action? Next { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp()
        {
            var next = Next;
            Next = null;
            next?.Invoke();
            return Now;
        }
    }

    /// <summary>Tells the time so often, and then throws.</summary>
    private sealed class Failing(FakeTimeProvider time) : TimeProvider
    {
        internal int FailsAfter { get; set; } = int.MaxValue;

        public override long TimestampFrequency => time.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => time.GetUtcNow();

        public override long GetTimestamp() =>
            FailsAfter-- > 0 ? time.GetTimestamp() : throw new InvalidOperationException("The clock is broken.");

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            time.CreateTimer(callback, state, dueTime, period);
    }

    private sealed class CountingClock(FakeTimeProvider time) : TimeProvider
    {
        private int _timers;
        private int _settings;

        internal int Timers => Volatile.Read(ref _timers);

        internal int Settings => Volatile.Read(ref _settings);

        public override long TimestampFrequency => time.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => time.GetUtcNow();

        public override long GetTimestamp() => time.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Interlocked.Increment(ref _timers);
            return new Counting(this, time.CreateTimer(callback, state, dueTime, period));
        }

        private sealed class Counting(CountingClock clock, ITimer timer) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                Interlocked.Increment(ref clock._settings);
                return timer.Change(dueTime, period);
            }

            public void Dispose() => timer.Dispose();

            public ValueTask DisposeAsync() => timer.DisposeAsync();
        }
    }
}
