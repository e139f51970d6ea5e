using MutualAuth.Credentials;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Revalidation;

/// <summary>A user that authenticates again: what counts anew, and which ends are taken back.</summary>
[CancelAfter(60000)]
public sealed class RenewalTests
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_token_that_expired_is_replaced_in_time_or_not(bool isInTime)
    {
        using var world = new LiveUsersWorld();
        var alice = world.Connect(LiveUsersWorld.User("alice", world.Clock.GetUtcNow() + s_minute));
        world.Clock.Advance(s_minute);
        (await alice.LostAsync()).Action.Should().Be(InvalidationAction.Drain);
        if (!isInTime)
        {
            world.Clock.Advance(RevalidationWorld.Grace);
            await alice.EndedAsync();
        }

        var end = world.Clock.GetUtcNow() + 10 * s_minute;
        var holds = alice.Entry!.Renew(LiveUsersWorld.User("alice", end));

        holds.Should().Be(isInTime);
        alice.Restored.Should().Be(isInTime ? 1 : 0);
        if (isInTime)
        {
            alice.Entry.ValidUntil.Should().Be(end);
            alice.Peer.User!.NotAfter.Should().Be(end);
            world.Clock.Advance(RevalidationWorld.Grace + s_minute);
            alice.IsEnded.Should().BeFalse("the drain was taken back");
            world.Clock.Advance(10 * s_minute);
            (await alice.LostAsync(2)).Reason.Should().Be(RejectionReason.TokenExpired);
        }
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_new_password_is_shown_or_the_old_one_is(bool isNew)
    {
        using var world = new LiveUsersWorld();
        var alice = await world.LogInAsync("alice");
        var old = alice.Peer.User!;
        var verifier = LiveUsersWorld.Verifier("another");
        await world.Store.SetAsync("alice", verifier);
        await world.AskedAsync();
        await alice.LostAsync();

        alice.Entry!.Renew(isNew ? LiveUsersWorld.User("alice", null, null, LoginFacts.Verifier(world.Store, "alice", verifier)) : old);

        if (isNew)
        {
            await world.Store.SetDisabledAsync("alice", isDisabled: false);
            await world.AskedAsync();
            alice.Losses.Should().ContainSingle();
        }
        else
        {
            (await alice.LostAsync(2)).Reason.Should().Be(RejectionReason.PasswordChanged, "the store is asked again at once");
        }

        alice.Restored.Should().Be(1);
    }

    [Test]
    public async Task An_answer_that_comes_before_the_drain_is_taken_back_is_not_forgotten()
    {
        using var world = new LiveUsersWorld();
        var alice = await world.LogInAsync("alice");
        var old = alice.Peer.User!;
        await world.Store.SetAsync("alice", LiveUsersWorld.Verifier("another"));
        await world.AskedAsync();
        await alice.LostAsync();
        alice.Replacing = () => world.Registry.Users.IdleAsync().Wait(ConnectedPair.Deadline).Should().BeTrue();

        alice.Entry!.Renew(old).Should().BeFalse();

        (await alice.LostAsync(2)).Reason.Should().Be(RejectionReason.PasswordChanged);
    }

    [Test]
    public async Task The_maximum_age_counts_anew()
    {
        using var world = new LiveUsersWorld(new RevalidationPolicy { MaximumAge = 10 * s_minute });
        var alice = await world.LogInAsync("alice");
        world.Clock.Advance(9 * s_minute);

        alice.Entry!.Renew(alice.Peer.User!).Should().BeTrue();
        alice.Entry.ValidUntil.Should().Be(world.Clock.GetUtcNow() + 10 * s_minute);
        world.Clock.Advance(9 * s_minute);
        alice.Losses.Should().BeEmpty();
        world.Clock.Advance(s_minute);

        (await alice.LostAsync()).Reason.Should().Be(RejectionReason.MaximumAgeReached);
        alice.Entry.Renew(alice.Peer.User!).Should().BeTrue("the connection drains for that reason only");
        world.Clock.Advance(RevalidationWorld.Grace);
        alice.IsEnded.Should().BeFalse();
    }

    [Test]
    public async Task What_came_second_is_not_forgotten()
    {
        using var world = new LiveUsersWorld(new RevalidationPolicy { OnUserNotAllowed = InvalidationAction.Drain });
        var alice = world.Connect(LiveUsersWorld.User("alice", world.Clock.GetUtcNow() + s_minute, null, await world.AddAsync("alice")));
        world.Clock.Advance(s_minute);
        await alice.LostAsync();
        world.Rule.Replace(UserRules.Named("bob"));
        await world.AskedAsync();
        alice.Losses.Should().ContainSingle("a drain is on its way already");

        alice.Entry!.Renew(LiveUsersWorld.User("alice", null, null, [.. alice.Peer.User!.Facts])).Should().BeFalse();

        (await alice.LostAsync(2)).Should().Be((RejectionReason.UserNotAllowed, InvalidationAction.Drain));
        world.Clock.Advance(RevalidationWorld.Grace);
        await alice.EndedAsync();
    }

    [Test]
    public void Nobody_else_renews_it()
    {
        using var world = new LiveUsersWorld();
        var alice = world.Connect(LiveUsersWorld.User("alice"));

        alice.Entry!.Invoking(entry => entry.Renew(LiveUsersWorld.User("bob"))).Should().Throw<ArgumentException>();
        alice.Entry!.Invoking(entry => entry.Renew(LiveUsersWorld.User("alice", null, "company"))).Should().Throw<ArgumentException>();
    }

    [Test]
    public async Task A_connection_that_was_aborted_is_not_renewed()
    {
        using var world = new LiveUsersWorld();
        var alice = await world.LogInAsync("alice");
        await world.Store.SetDisabledAsync("alice", isDisabled: true);
        await alice.LostAsync();

        alice.Entry!.Renew(alice.Peer.User!).Should().BeFalse();
    }
}
