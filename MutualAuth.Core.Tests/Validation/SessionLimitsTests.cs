using MutualAuth.Evidence;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Validation;

/// <summary>Counts are exact, whatever comes at one moment.</summary>
public sealed class SessionLimitsTests
{
    [Test]
    public async Task However_many_race_no_more_than_the_limit_have_a_place_and_all_of_them_are_used()
    {
        const int Most = 7;
        var limits = new SessionLimits { MaxPerUser = Most };
        var (inside, highest) = (0, 0);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var turn = 0; turn < 5_000; turn++)
            {
                if (limits.TryTake(User("alice"), out var place) is not null)
                {
                    continue;
                }

                var now = Interlocked.Increment(ref inside);
                for (var most = highest; now > most; most = highest)
                {
                    Interlocked.CompareExchange(ref highest, now, most);
                }

                Interlocked.Decrement(ref inside);
                place!.Dispose();
                place.Dispose(); // a second time gives nothing back
            }
        })));

        highest.Should().BeLessThanOrEqualTo(Most);
        (limits.CountOfUser("alice"), limits.Keys).Should().Be((0, 0));
        for (var count = 0; count < Most; count++)
        {
            limits.TryTake(User("alice"), out _).Should().BeNull();
        }

        limits.TryTake(User("alice"), out var none)!.Reason.Should().Be(RejectionReason.TooManySessions);
        none.Should().BeNull();
        limits.TryTake(User("bob"), out _).Should().BeNull("another user has a count of its own");
    }

    [Test]
    public async Task However_many_race_the_limit_is_left_and_everybody_else_was_ended_once()
    {
        const int Most = 3;
        var limits = new SessionLimits { MaxPerUser = Most, WhenFull = WhenSessionsAreFull.EndOldest };
        var sessions = await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => Task.Run(() =>
        {
            limits.TryTake(User("alice"), out var place).Should().BeNull();
            var session = new Session();
            place!.PassTo(session);
            return session;
        })));

        sessions.Count(session => session.Ends.Count == 0).Should().Be(Most);
        sessions.Should().OnlyContain(session => session.Ends.Count <= 1);
        sessions.SelectMany(session => session.Ends).Should().OnlyContain(rejection => rejection.Reason == RejectionReason.SessionReplaced);
        limits.CountOfUser("alice").Should().Be(Most);
        sessions.ToList().ForEach(session => session.End());
        limits.Keys.Should().Be(0);
    }

    [Test]
    public void A_handshake_that_fails_has_nobody_give_way()
    {
        var limits = new SessionLimits { MaxPerUser = 1, WhenFull = WhenSessionsAreFull.EndOldest };
        var session = Pass(limits, User("alice"));
        limits.TryTake(User("alice"), out var place).Should().BeNull();

        place!.Dispose();

        session.Ends.Should().BeEmpty();
        Pass(limits, User("alice")).Ends.Should().BeEmpty();
        session.Ends.Should().ContainSingle();
    }

    /// <summary>Such as one that was revoked while its handshake was under way.</summary>
    [Test]
    public void A_session_that_has_ended_before_it_is_counted_has_nobody_give_way_and_leaves_no_place()
    {
        var limits = new SessionLimits { MaxPerUser = 1, WhenFull = WhenSessionsAreFull.EndOldest };
        var session = Pass(limits, User("alice"));
        limits.TryTake(User("alice"), out var place).Should().BeNull();
        var dead = new Session();
        dead.End();

        place!.PassTo(dead);

        session.Ends.Should().BeEmpty();
        (limits.CountOfUser("alice"), dead.Ends.Count).Should().Be((1, 0));
        session.End();
        limits.Keys.Should().Be(0);
    }

    [Test]
    public void A_session_that_is_forgotten_gives_its_place_back_and_is_not_kept_alive()
    {
        var limits = new SessionLimits { MaxPerUser = 1, WhenFull = WhenSessionsAreFull.EndOldest };
        var forgotten = Forget();
        GC.Collect();

        forgotten.TryGetTarget(out _).Should().BeFalse();
        Pass(limits, User("alice")).Ends.Should().BeEmpty();

        WeakReference<Session> Forget() => new(Pass(limits, User("alice")));
    }

    [TestCase(0)]
    [TestCase(-1)]
    [TestCase(1_000_001)]
    public void A_limit_is_a_number_that_means_something(int most)
    {
        FluentActions.Invoking(() => new SessionLimits { MaxPerUser = most }).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => new SessionLimits { MaxPerDevice = most }).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => new SessionLimits { WhenFull = default }).Should().Throw<ArgumentOutOfRangeException>();
    }

    private static AuthenticatedPeer User(string name) =>
        AuthenticatedPeer.WithUser(null, new PeerEvidence(PeerRole.Client, []), LiveUsersWorld.User(name));

    private static Session Pass(SessionLimits limits, AuthenticatedPeer peer)
    {
        limits.TryTake(peer, out var place).Should().BeNull();
        var session = new Session();
        place!.PassTo(session);
        return session;
    }

    private sealed class Session : ICountedSession
    {
        private readonly Lock _lock = new();
        private readonly List<IEndListener> _listeners = [];
        private bool _isOver;

        internal List<Rejection> Ends { get; } = [];

        public void OnEnded(IEndListener listener)
        {
            lock (_lock)
            {
                if (!_isOver)
                {
                    _listeners.Add(listener);
                    return;
                }
            }

            listener.HasEnded();
        }

        public void End(Rejection rejection)
        {
            lock (_lock)
            {
                Ends.Add(rejection);
            }

            End();
        }

        internal void End()
        {
            IEndListener[] listeners;
            lock (_lock)
            {
                _isOver = true;
                listeners = [.. _listeners];
                _listeners.Clear();
            }

            foreach (var listener in listeners)
            {
                listener.HasEnded();
            }
        }
    }
}
