using System.Diagnostics.Metrics;
using MutualAuth.Authorization;
using MutualAuth.Revalidation;
using MutualAuth.Tests.Support;

namespace MutualAuth.Tests.Revalidation;

/// <summary>What a live connection is told, how often, and in which order. The measurements are the whole process's.</summary>
[NonParallelizable]
[CancelAfter(60000)]
public sealed class ToldOnceTests
{
    private static readonly DateTimeOffset s_now = new RevocationWorld().Now;

    private static readonly AuthorizationRule s_yes = Authorize.Dns("client.test");

    private static readonly AuthorizationRule s_no = Authorize.Dns("somebody-else.test");

    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    [Test]
    public async Task Whoever_is_asked_to_drain_is_not_asked_again_although_the_peer_was_accepted_in_between()
    {
        using var world = new RevalidationWorld();
        var connection = world.Connect();
        foreach (var rule in new[] { s_no, s_yes, s_no })
        {
            world.Rule.Replace(rule);
            await world.JudgedAgainAsync();
        }

        connection.Losses.Should().ContainSingle().Which.Action.Should().Be(InvalidationAction.Drain);
        world.Clock.Advance(RevalidationWorld.Grace);
        await connection.EndedAsync();
    }

    [Test]
    public async Task What_is_less_severe_than_what_was_told_is_not_told_and_what_is_more_severe_is()
    {
        using var world = new RevalidationWorld(new RevalidationPolicy { OnStatusUnknown = InvalidationAction.Notify });
        var certificate = world.Issue();
        var connection = world.Connect(certificate);
        world.Rule.Replace(s_no);
        await world.JudgedAgainAsync();
        world.Lists.Replace(MutualAuth.Revocation.RevocationLists.Empty);
        await world.JudgedAgainAsync();
        connection.Losses.Select(loss => loss.Action).Should().Equal(InvalidationAction.Drain);

        world.Revoke(certificate);

        await connection.LostAsync(2);
        connection.Losses.Select(loss => loss.Action).Should().Equal(InvalidationAction.Drain, InvalidationAction.Abort);
    }

    [Test]
    public async Task Of_two_notices_another_reason_is_told_and_the_same_one_is_not()
    {
        using var world = new RevalidationWorld(
            new RevalidationPolicy { OnStatusUnknown = InvalidationAction.Notify, OnUnauthorized = InvalidationAction.Notify });
        var connection = world.Connect();
        world.Rule.Replace(s_no);
        await world.JudgedAgainAsync();
        world.Rule.SayReplaced();
        await world.JudgedAgainAsync();
        connection.Losses.Should().HaveCount(1);

        world.Lists.Replace(MutualAuth.Revocation.RevocationLists.Empty);
        await world.JudgedAgainAsync();

        connection.Losses.Select(loss => loss.Rejection.Reason)
            .Should().Equal(RejectionReason.NotAuthorized, RejectionReason.RevocationStatusUnknown);
    }

    [Test]
    public async Task How_many_were_judged_and_lost_out_of_how_many_is_logged()
    {
        using var world = new RevalidationWorld();
        var certificate = world.Issue();
        FakeConnection[] connections = [world.Connect(certificate), world.Connect(), world.Connect(world.Issue())];

        world.Revoke(certificate);

        await connections[0].EndedAsync();
        var values = (await world.Log.NextAsync(1452)).Values.Values;
        values.Should().Contain(3).And.Contain(1);
        world.Rule.Replace(s_yes);
        (await world.Log.NextAsync(1452)).Values["Judged"].Should().Be(2);
    }

    [Test]
    public async Task An_idle_connection_that_nobody_uses_is_noticed_once()
    {
        using var world = new RevalidationWorld(new RevalidationPolicy { IdleTimeout = s_minute, OnIdle = InvalidationAction.Notify });
        var connection = world.Connect();
        for (var minute = 0; minute < 4; minute++)
        {
            world.Clock.Advance(s_minute);
            await connection.LostAsync();
            await LookedAtAsync(world);
        }

        connection.Losses.Should().HaveCount(1);
        world.Clock.Advance(TimeSpan.FromSeconds(30));
        connection.Move();
        world.Clock.Advance(TimeSpan.FromSeconds(30));
        await LookedAtAsync(world);
        connection.Losses.Should().HaveCount(1);
        world.Clock.Advance(TimeSpan.FromSeconds(30));
        (await connection.LostAsync(2)).Reason.Should().Be(RejectionReason.IdleTimeoutReached);
    }

    [Test]
    public async Task A_connection_that_drains_is_not_asked_whether_it_is_idle()
    {
        using var world = new RevalidationWorld(new RevalidationPolicy
        { IdleTimeout = s_minute, OnIdle = InvalidationAction.Abort, MaximumAge = s_minute / 2, GracePeriod = TimeSpan.FromHours(1) });
        var connection = world.Connect();
        world.Clock.Advance(s_minute / 2);
        (await connection.LostAsync()).Reason.Should().Be(RejectionReason.MaximumAgeReached);

        world.Clock.Advance(s_minute);
        await LookedAtAsync(world);

        connection.Losses.Should().HaveCount(1);
        connection.IsEnded.Should().BeFalse();
    }

    [Test]
    public async Task Without_a_grace_period_a_connection_that_is_to_drain_ends_at_once()
    {
        using var world = new RevalidationWorld(new RevalidationPolicy { GracePeriod = TimeSpan.Zero });
        var connection = world.Connect();

        world.Rule.Replace(s_no);
        (await connection.LostAsync()).Action.Should().Be(InvalidationAction.Drain);
        world.Clock.Advance(TimeSpan.FromMilliseconds(1));

        await connection.EndedAsync();
        (await world.Log.NextAsync(1451)).Values["Peer"].Should().Be("client.test");
    }

    [Test]
    public async Task The_grace_period_is_counted_from_the_request_and_not_from_the_maximum_age()
    {
        using var world = new RevalidationWorld(new RevalidationPolicy { MaximumAge = TimeSpan.FromHours(1), GracePeriod = RevalidationWorld.Grace });
        var connection = world.Connect();
        world.Rule.Replace(s_no);
        await connection.LostAsync();

        world.Clock.Advance(RevalidationWorld.Grace - TimeSpan.FromMilliseconds(1));
        connection.IsEnded.Should().BeFalse();
        world.Clock.Advance(TimeSpan.FromMilliseconds(1));

        await connection.EndedAsync();
        connection.Losses.Should().HaveCount(1);
    }

    [TestCase(1, 2, RejectionReason.CertificateExpired, RejectionReason.OwnCertificateExpired)]
    [TestCase(2, 1, RejectionReason.OwnCertificateExpired, RejectionReason.CertificateExpired)]
    public async Task Both_certificates_are_watched_and_each_at_its_own_end(int peers, int ours, RejectionReason first, RejectionReason second)
    {
        using var world = new RevalidationWorld(new RevalidationPolicy
        { EndsWithOwnCertificate = true, OnExpired = InvalidationAction.Notify, OnOwnCertificateExpired = InvalidationAction.Notify });
        var connection = world.Connect(world.Issue(spec => spec with { NotAfter = s_now.AddHours(peers) }), s_now.AddHours(ours));
        world.Clock.Advance(TimeSpan.FromHours(1) + TimeSpan.FromMilliseconds(999));
        await LookedAtAsync(world);
        connection.Losses.Should().BeEmpty();

        world.Clock.Advance(TimeSpan.FromMilliseconds(1));
        (await connection.LostAsync()).Reason.Should().Be(first);
        await LookedAtAsync(world);
        world.Clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromMilliseconds(1));
        await LookedAtAsync(world);
        connection.Losses.Should().HaveCount(1);
        world.Clock.Advance(TimeSpan.FromMilliseconds(1));

        (await connection.LostAsync(2)).Reason.Should().Be(second);
        await LookedAtAsync(world);
        world.Clock.Advance(TimeSpan.FromHours(1));
        await LookedAtAsync(world);
        connection.Losses.Should().HaveCount(2);
    }

    [Test]
    public async Task Both_certificates_that_end_together_are_told_of_both()
    {
        using var world = new RevalidationWorld(new RevalidationPolicy
        { EndsWithOwnCertificate = true, OnExpired = InvalidationAction.Notify, OnOwnCertificateExpired = InvalidationAction.Notify });
        var connection = world.Connect(world.Issue(spec => spec with { NotAfter = s_now.AddHours(1) }), s_now.AddHours(1));

        world.Clock.Advance(TimeSpan.FromHours(1) + TimeSpan.FromSeconds(1));

        await connection.LostAsync(2);
        connection.Losses.Select(loss => loss.Rejection.Reason)
            .Should().Equal(RejectionReason.OwnCertificateExpired, RejectionReason.CertificateExpired);
    }

    [Test]
    public async Task A_margin_counts_for_our_own_certificate_too([Values] bool isThere)
    {
        using var world = new RevalidationWorld(new RevalidationPolicy { EndsWithOwnCertificate = true, ExpiryMargin = TimeSpan.FromMinutes(30) });
        var connection = world.Connect(ownEnd: s_now.AddHours(1));

        world.Clock.Advance(TimeSpan.FromMinutes(30) + TimeSpan.FromMilliseconds(isThere ? 1000 : 999));
        if (isThere)
        {
            (await connection.LostAsync()).Should().Be((RejectionReason.OwnCertificateExpired, InvalidationAction.Drain));
        }

        await LookedAtAsync(world);
        connection.Losses.Should().HaveCount(isThere ? 1 : 0);
    }

    [Test]
    public async Task Whoever_has_ended_is_told_nothing_and_waited_for_by_nobody()
    {
        using var world = new RevalidationWorld(new RevalidationPolicy
        { MaximumAge = TimeSpan.FromHours(1), IdleTimeout = TimeSpan.FromHours(1), EndsWithOwnCertificate = true });
        var certificate = world.Issue(spec => spec with { NotAfter = s_now.AddHours(1) });
        var connection = world.Connect(certificate, s_now.AddHours(1));
        var other = world.Connect();
        connection.End();
        world.Registry.Count.Should().Be(1);

        world.Revoke(certificate);
        (await world.JudgedAgainAsync()).Should().Be(0);
        world.Clock.Advance(TimeSpan.FromHours(2));
        await other.LostAsync();
        await LookedAtAsync(world);

        connection.Losses.Should().BeEmpty();
    }

    [Test]
    public void A_connection_that_has_ended_before_it_is_registered_stays_unregistered()
    {
        using var world = new RevalidationWorld();
        using (var ticket = world.Registry.Begin())
        {
            var connection = new FakeConnection(world.Judge());
            connection.End();
            ticket.Register(connection, null);
        }

        world.Registry.Count.Should().Be(0);
        world.Lists.IsWatched.Should().BeFalse("nobody is left who stands on them");
    }

    [Test]
    public async Task Changes_of_lists_and_of_rules_that_come_together_are_both_heeded()
    {
        using var world = new RevalidationWorld();
        var connection = world.Connect();
        world.Trust.Current = new MutualAuth.Testing.TestAuthority("Elsewhere").ToTrustAnchors();

        world.Trust.SayReplaced();
        world.Denied.SayReplaced();

        (await connection.LostAsync()).Reason.Should().Be(RejectionReason.UnknownAuthority);
    }

    [Test]
    public async Task Every_invalidation_is_measured_with_our_part_its_reason_and_its_action([Values] PeerRole ourRole)
    {
        var measured = new List<(long, string)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, each) =>
            {
                if (instrument.Name == "mutualauth.connection.invalidated")
                {
                    each.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, count, tags, _) =>
            measured.Add((count, string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}")))));
        listener.Start();
        using var world = new RevalidationWorld();
        var registry = new ConnectionRevalidator(world.Stage, world.Options, new RevalidationPolicy(), ourRole);
        using var ticket = registry.Begin();
        var connection = new FakeConnection(world.Judge());
        ticket.Register(connection, null);

        world.Rule.Replace(s_no);
        await world.Log.NextAsync(1450);

        var role = ourRole == PeerRole.Server ? "server" : "client";
        measured.Should().Equal((1, $"mutualauth.role={role} mutualauth.reason=not_authorized mutualauth.action=drain"));
    }

    [Test]
    public async Task Each_source_is_listened_to_by_itself([Values(0, 1, 2, 3, 4)] int which)
    {
        using var world = new RevalidationWorld();
        var connection = world.Connect();
        var say = new Action[]
        { world.Lists.SayReplaced, world.Denied.SayReplaced, world.Trust.SayReplaced, world.Rule.SayReplaced, world.Pins.SayReplaced }[which];

        say();

        (await world.JudgedAgainAsync()).Should().Be(which < 2 ? 0 : 1, "lists and denied certificates show whom they concern");
        GC.KeepAlive(connection); // the registry does not
    }

    [Test]
    public void Who_joins_while_somebody_is_there_leaves_no_earlier_than_it_says()
    {
        using var world = new RevalidationWorld();
        var first = world.Registry.Begin();
        var second = world.Registry.Begin();
        first.Dispose();
        world.Rule.IsWatched.Should().BeTrue();

        second.Dispose();

        world.Rule.IsWatched.Should().BeFalse();
        world.Registry.Begin().Dispose();
        world.Rule.IsWatched.Should().BeFalse();
    }

    [Test]
    public async Task Handshakes_watch_the_sources_from_the_first_to_the_last()
    {
        using var world = new RevalidationWorld();
        using var attempt = Attempt(world);
        var first = await world.Registry.BeginAsync(attempt);
        world.Rule.IsWatched.Should().BeTrue();
        var second = await world.Registry.BeginAsync(attempt);
        first.Dispose();
        world.Rule.IsWatched.Should().BeTrue();

        second.Dispose();

        world.Rule.IsWatched.Should().BeFalse();
    }

    [Test]
    public async Task A_source_that_cannot_be_listened_to_is_a_fault_of_ours_and_leaves_nothing_behind()
    {
        using var world = new RevalidationWorld();
        using var attempt = Attempt(world);
        var registry = new ConnectionRevalidator(
            world.Stage, world.Options with { Trust = new Deaf(world.Trust.Current) }, new RevalidationPolicy(), PeerRole.Server);

        var begin = () => registry.BeginAsync(attempt).AsTask();

        (await begin.Should().ThrowAsync<HandshakeException>()).Which.Failure.Should().Be(HandshakeFailure.OurFault);
        world.Lists.IsWatched.Should().BeFalse();
        (await begin.Should().ThrowAsync<HandshakeException>("the next one tries again")).Which.Failure.Should().Be(HandshakeFailure.OurFault);
    }

    [Test]
    public async Task A_change_during_a_handshake_is_heeded_before_it_ends()
    {
        using var world = new RevalidationWorld();
        using var attempt = Attempt(world);
        using var ticket = await world.Registry.BeginAsync(attempt);
        var connection = new FakeConnection(world.Judge());
        world.Rule.Replace(s_no);
        await world.JudgedAgainAsync();

        await ticket.RegisterAsync(connection, null, attempt);

        connection.Losses.Should().ContainSingle().Which.Rejection.Reason.Should().Be(RejectionReason.NotAuthorized);
    }

    [Test]
    public async Task A_connection_that_cannot_be_judged_again_before_the_deadline_of_its_handshake_is_let_go()
    {
        using var validator = new Holding();
        using var world = new RevalidationWorld(validators: validator);
        using var attempt = Attempt(world);
        using var ticket = await world.Registry.BeginAsync(attempt);
        var connection = new FakeConnection(world.Judge());
        world.Rule.SayReplaced();
        await world.JudgedAgainAsync();
        validator.Holds = true;

        var registering = ticket.RegisterAsync(connection, null, attempt).AsTask();
        registering.IsCompleted.Should().BeFalse();
        attempt.Abort(new Rejection(RejectionReason.HandshakeTimedOut, "x", "y"));
        await registering.WaitAsync(ConnectedPair.Deadline);

        (await connection.LostAsync()).Should().Be((RejectionReason.ValidatorFaulted, InvalidationAction.Abort));
    }

    private static MutualAuth.Handshake.HandshakeAttempt Attempt(RevalidationWorld world) =>
        MutualAuth.Handshake.HandshakeAttempt.Begin(new MemoryStream(), PeerRole.Server, world.Options, CancellationToken.None);

    private sealed class Holding : ICertificateValidator, IDisposable
    {
        private readonly ManualResetEventSlim _end = new();

        internal volatile bool Holds;

        public Rejection? Examine(CertificateContext context)
        {
            if (Holds)
            {
                _end.Wait(ConnectedPair.Deadline);
            }

            return null;
        }

        public void Dispose() => _end.Set();
    }

    private sealed class Deaf(TrustAnchors anchors) : MutualAuth.Paths.ITrustAnchorSource, MutualAuth.Reloading.IReloadable
    {
        public event EventHandler? Replaced
        {
            add => throw new InvalidOperationException("Nobody may listen.");
            remove
            {
            }
        }

        public TrustAnchors Current => anchors;
    }

    /// <summary>Waits until what the clock has set off is done: the pool has come round, and a walk has ended behind it.</summary>
    private static async Task LookedAtAsync(RevalidationWorld world)
    {
        // What was due has been set to come up again: a clock that stands still does not reach what is set later.
        await world.Registry.Ringing.WaitAsync(ConnectedPair.Deadline);
        for (var round = 0; round < 3; round++)
        {
            world.Denied.SayReplaced();
            await world.JudgedAgainAsync();
        }
    }
}
