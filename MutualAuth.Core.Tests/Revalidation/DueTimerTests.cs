using Microsoft.Extensions.Time.Testing;
using MutualAuth.Revalidation;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Revalidation;

/// <summary>What is due when, and how soon the one timer of a registry rings for it.</summary>
[CancelAfter(60000)]
public sealed class DueTimerTests
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_tick = TimeSpan.FromTicks(1);

    private RevalidationWorld _world = null!;
    private FakeTimeProvider _clock = null!;
    private DueTimer _timer = null!;
    private int _rings;
    private long _lastNumber;

    [SetUp]
    public void SetUp()
    {
        _world = new RevalidationWorld();
        _clock = new FakeTimeProvider(_world.Clock.GetUtcNow());
        _clock.Advance(TimeSpan.FromHours(1)); // what a registry counts from is its own beginning
        _rings = 0;
        _timer = new DueTimer(_clock, () => _rings++);
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public void A_duration_comes_up_when_it_is_over_once_and_not_before()
    {
        var entry = Entry();
        _timer.SetDuration(entry, s_second * 5);
        _clock.Advance(s_second * 5 - s_tick);
        (_rings, _timer.TakeDue().Durations.Count).Should().Be((0, 0));

        _clock.Advance(s_tick * 10_000);

        _rings.Should().Be(1);
        var (dates, durations, idle, _) = _timer.TakeDue();
        durations.Should().Equal(entry);
        (dates.Count, idle.Count, entry.DurationDue).Should().Be((0, 0, null));
        _timer.TakeDue().Durations.Should().BeEmpty();
    }

    [Test]
    public void What_passes_while_the_timer_is_set_is_not_waited_for_once_more([Values("date", "duration", "idle", "activity")] string what)
    {
        var clock = new PassingClock(_clock);
        var (timer, rings, entry) = (new DueTimer(clock, () => _rings++), s_second * 5, Entry());
        clock.Passes = s_second * 3;
        switch (what)
        {
            case "date":
                timer.SetDate(entry, _clock.GetUtcNow() + rings);
                break;
            case "duration":
                timer.SetDuration(entry, rings);
                break;
            case "idle":
                timer.SetIdle(entry, rings);
                break;
            default:
                timer.SetUserActivity(entry, rings);
                break;
        }

        _clock.Advance(s_second * 2 - s_tick);
        _rings.Should().Be(0);
        _clock.Advance(s_tick * 10_000);

        _rings.Should().Be(1);
        var (dates, durations, idle, activity) = timer.TakeDue();
        dates.Concat(durations).Concat(idle).Concat(activity).Should().Equal(entry);
    }

    [Test]
    public void An_idle_time_comes_up_when_it_is_over_once_and_not_before()
    {
        var entry = Entry();
        _timer.SetIdle(entry, s_second * 5);
        _clock.Advance(s_second * 5 - s_tick);
        (_rings, _timer.TakeDue().Idle.Count).Should().Be((0, 0));

        _clock.Advance(s_tick * 10_000);

        _rings.Should().Be(1);
        var (dates, durations, idle, _) = _timer.TakeDue();
        idle.Should().Equal(entry);
        (dates.Count, durations.Count, entry.IdleDue).Should().Be((0, 0, null));
        _timer.TakeDue().Idle.Should().BeEmpty();
    }

    [Test]
    public void The_time_for_an_activity_comes_up_when_it_is_over_once_and_not_before()
    {
        var entry = Entry();
        _timer.SetUserActivity(entry, s_second * 5);
        _clock.Advance(s_second * 5 - s_tick);
        (_rings, _timer.TakeDue().UserActivity.Count).Should().Be((0, 0));

        _clock.Advance(s_tick * 10_000);

        _rings.Should().Be(1);
        var (dates, durations, idle, activity) = _timer.TakeDue();
        activity.Should().Equal(entry);
        (dates.Count, durations.Count, idle.Count, entry.UserActivityDue).Should().Be((0, 0, 0, null));
        _timer.TakeDue().UserActivity.Should().BeEmpty();
        _timer.SetUserActivity(entry, s_second);
        _timer.SetUserActivity(entry, null);
        _clock.Advance(s_second * 2);
        _timer.TakeDue().UserActivity.Should().BeEmpty();
    }

    [Test]
    public void A_date_comes_up_when_it_is_reached_once_and_not_before()
    {
        var entry = Entry();
        _timer.SetDate(entry, _clock.GetUtcNow() + s_second * 5);
        _clock.Advance(s_second * 5 - s_tick);
        (_rings, _timer.TakeDue().Dates.Count).Should().Be((0, 0));

        _clock.Advance(s_tick * 10_000);

        _rings.Should().Be(1);
        var (dates, durations, idle, _) = _timer.TakeDue();
        dates.Should().Equal(entry);
        (durations.Count, idle.Count, entry.DateDue).Should().Be((0, 0, null));
        _timer.TakeDue().Dates.Should().BeEmpty();
    }

    [Test]
    public void At_the_very_moment_something_is_due([Values] bool isDate)
    {
        var entry = Entry();
        Set(entry, s_second, isDate);

        _clock.Advance(s_second);

        _rings.Should().Be(1);
        Taken().Should().Equal(entry);
    }

    [Test]
    public void What_is_taken_back_does_not_come_up_and_nothing_rings_for_what_was_never_set([Values] bool isDate)
    {
        var entry = Entry();
        Set(entry, null, isDate);
        _timer.SetIdle(entry, null);
        Set(entry, s_second, isDate);
        Set(entry, null, isDate);
        _timer.SetIdle(entry, s_second);
        _timer.SetIdle(entry, null);

        _clock.Advance(TimeSpan.FromHours(1));

        Taken().Should().BeEmpty();
        new[] { entry.DateDue, entry.DurationDue, entry.IdleDue }.Should().OnlyContain(due => due == null);
    }

    [Test]
    public void What_is_put_off_comes_up_later_and_not_at_its_first_time([Values] bool isDate)
    {
        var entry = Entry();
        Set(entry, s_second, isDate);
        Set(entry, s_second * 3, isDate);

        _clock.Advance(s_second * 2);
        Taken().Should().BeEmpty();
        _clock.Advance(s_second);

        Taken().Should().Equal(entry);
    }

    [Test]
    public void What_is_due_earlier_brings_the_ring_forward_and_what_is_due_later_does_not_put_it_off()
    {
        var (first, second, third) = (Entry(), Entry(), Entry());
        _timer.SetDuration(second, s_second * 20);
        _timer.SetIdle(first, s_second * 10);
        _timer.SetDate(third, _clock.GetUtcNow() + s_second * 30);

        foreach (var entry in new[] { first, second, third })
        {
            _clock.Advance(s_second * 10 - s_tick);
            _rings.Should().Be(0);
            _clock.Advance(s_tick);
            _rings.Should().Be(1);
            Taken().Should().Equal(entry);
            _rings = 0;
        }
    }

    [Test]
    public void The_clock_on_the_wall_is_looked_at_every_minute_while_something_is_waited_for([Values] bool isDate)
    {
        Set(Entry(), TimeSpan.FromHours(5), isDate);
        for (var minute = 1; minute <= 3; minute++)
        {
            _clock.Advance(TimeSpan.FromMinutes(1) - s_tick);
            _rings.Should().Be(minute - 1);
            _clock.Advance(s_tick);
            _rings.Should().Be(minute);
            Taken().Should().BeEmpty();
        }
    }

    [Test]
    public void What_is_long_due_rings_after_a_millisecond_and_never_within_the_call()
    {
        var entry = Entry();
        _timer.SetDate(entry, _clock.GetUtcNow() - TimeSpan.FromDays(1));
        _rings.Should().Be(0);
        _clock.Advance(TimeSpan.FromMilliseconds(1) - s_tick);
        _rings.Should().Be(0);

        _clock.Advance(s_tick);

        _rings.Should().Be(1);
        Taken().Should().Equal(entry);
    }

    [Test]
    public void All_that_is_due_comes_up_together_earliest_first_and_the_rest_stays()
    {
        var entries = Enumerable.Range(0, 4).Select(_ => Entry()).ToArray();
        _timer.SetDuration(entries[2], s_second);
        _timer.SetDuration(entries[0], s_second * 2);
        _timer.SetDuration(entries[1], s_second * 2);
        _timer.SetDuration(entries[3], s_second * 3);

        _clock.Advance(s_second * 2);

        _timer.TakeDue().Durations.Should().Equal(entries[2], entries[0], entries[1]);
        _clock.Advance(s_second);
        _timer.TakeDue().Durations.Should().Equal(entries[3]);
    }

    [Test]
    public void Nothing_rings_when_nothing_is_left()
    {
        _timer.SetDuration(Entry(), s_second);
        _clock.Advance(s_second);
        Taken().Should().HaveCount(1);

        _clock.Advance(TimeSpan.FromHours(1));

        _rings.Should().Be(1);
    }

    [Test]
    public void A_queue_gives_the_earliest_and_of_two_the_one_that_came_first()
    {
        var queue = new DueQueue();
        queue.Next.Should().BeNull();
        queue.DueAt(long.MaxValue).Should().BeNull();
        var (first, second) = (Entry(), Entry());
        queue.Move(second, null, 5);
        queue.Move(first, null, 5);

        queue.Next.Should().Be(5);
        queue.DueAt(4).Should().BeNull();
        queue.DueAt(5).Should().BeSameAs(first);
        queue.Move(first, 5, 5);
        queue.DueAt(5).Should().BeSameAs(first, "it has not moved");
        queue.Move(first, 5, 6);
        queue.DueAt(6).Should().BeSameAs(second);
        queue.Move(second, 5, null);
        queue.Next.Should().Be(6);
        queue.Move(first, 6, null);
        queue.Next.Should().BeNull();
    }

    private RevalidationEntry Entry() => new(new FakeConnection(_world.Judge()), ++_lastNumber, [], null);

    private void Set(RevalidationEntry entry, TimeSpan? time, bool isDate)
    {
        if (isDate)
        {
            _timer.SetDate(entry, time is { } wait ? _clock.GetUtcNow() + wait : null);
        }
        else
        {
            _timer.SetDuration(entry, time);
        }
    }

    private List<RevalidationEntry> Taken()
    {
        var (dates, durations, idle, activity) = _timer.TakeDue();
        return [.. dates, .. durations, .. idle, .. activity];
    }
}
