using MutualAuth.Authorization;
using MutualAuth.Names;
using MutualAuth.Pinning;
using MutualAuth.Revalidation;
using MutualAuth.Revocation;
using MutualAuth.Testing;
using MutualAuth.Testing.Revocation;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Revalidation;

/// <summary>
/// Who is judged again, by what, and what becomes of it. The sources, the rules and the registry are the real ones; the connections have no sockets.
/// </summary>
[CancelAfter(60000)]
public sealed class ConnectionRevalidatorTests
{
    private static readonly DateTimeOffset s_endOfTime = new(9999, 12, 31, 23, 59, 59, TimeSpan.Zero); // RFC 5280 §4.1.2.5

    private static readonly DateTimeOffset s_now = new RevocationWorld().Now;

    [Test]
    public async Task One_revoked_serial_among_many_is_found_and_nobody_else_is_judged()
    {
        using var world = new RevalidationWorld();
        var shared = TestKey.Generate();
        var certificates = Enumerable.Range(0, 100).Select(_ => world.Issue(spec => spec with { Key = shared })).ToArray();
        var connections = certificates.Select(certificate => world.Connect(certificate)).ToArray();

        world.Revoke(certificates[42]);

        (await connections[42].LostAsync()).Should().Be((RejectionReason.CertificateRevoked, InvalidationAction.Abort));
        (await world.JudgedAgainAsync()).Should().Be(1);
        connections.Count(connection => connection.Losses.Count > 0).Should().Be(1);
        world.Registry.Count.Should().Be(99);
    }

    [Test]
    public async Task Changes_during_a_search_are_answered_by_one_more_judgement_of_those_who_were_judged_before_and_by_none_of_the_others()
    {
        const int Connections = 1000;
        const int Before = 100;
        using var gate = new GatedValidator();
        using var world = new RevalidationWorld(null, gate);
        var connections = Enumerable.Range(0, Connections).Select(_ => world.Connect()).ToArray();
        gate.Close(after: Before);

        world.Trust.SayReplaced();
        await gate.Reached.WaitAsync(ConnectedPair.Deadline);
        var victim = connections.First(connection => ReferenceEquals(connection.Peer.Evidence, gate.First));
        world.Rule.Current = Authorize.Where("all but one", context => !ReferenceEquals(context.Evidence, gate.First));
        world.Rule.SayReplaced();
        world.Pins.SayReplaced();
        world.Denied.SayReplaced();
        gate.Open();

        (await victim.LostAsync()).Reason.Should().Be(RejectionReason.NotAuthorized, "it was judged before the rule changed, and is judged by it");
        var judged = await world.JudgedAgainAsync() + await world.JudgedAgainAsync();
        judged.Should().BeInRange(Connections + Before, Connections + Before + Environment.ProcessorCount);
        connections.Count(connection => connection.Losses.Count > 0).Should().Be(1);
        gate.AskedAbout.Should().Be(Connections, "nobody was left out");
    }

    [TestCase(InvalidationAction.Notify)]
    [TestCase(InvalidationAction.Drain)]
    public async Task An_expiry_that_comes_first_does_not_answer_for_the_change_that_was_announced(InvalidationAction onExpired)
    {
        using var gate = new GatedValidator();
        using var world = new RevalidationWorld(
            new RevalidationPolicy { OnExpired = onExpired, OnUnauthorized = InvalidationAction.Abort }, gate);
        var expiring = world.Connect(world.Issue(spec => spec with { NotAfter = s_now.AddHours(1) }));
        var neighbour = world.Connect();
        gate.Close(after: 2);
        world.Trust.SayReplaced();
        await gate.Reached.WaitAsync(ConnectedPair.Deadline);

        // The search is at the neighbour; the next one waits for it, and the expiry does not.
        world.Rule.Current = Authorize.Where("the neighbour", context => ReferenceEquals(context.Evidence, neighbour.Peer.Evidence));
        world.Rule.SayReplaced();
        world.Clock.Advance(TimeSpan.FromHours(1) + TimeSpan.FromSeconds(1));
        (await expiring.LostAsync()).Should().Be((RejectionReason.CertificateExpired, onExpired));
        gate.Open();

        (await expiring.LostAsync(2)).Should().Be((RejectionReason.NotAuthorized, InvalidationAction.Abort));
        neighbour.Losses.Should().BeEmpty();
    }

    [Test]
    public async Task An_older_judgement_that_ends_later_takes_nothing_back_of_what_a_newer_one_has_found()
    {
        using var gate = new GatedValidator();
        using var world = new RevalidationWorld(new RevalidationPolicy { OnUnauthorized = InvalidationAction.Notify }, gate);
        using var ticket = world.Registry.Begin();
        var connection = new FakeConnection(world.Judge());
        world.Trust.SayReplaced();
        await world.JudgedAgainAsync();
        gate.Close(after: 1);

        // Its handshake is older than the change, so that it is judged as it registers; meanwhile the rule changes.
        var registering = Task.Run(() => ticket.Register(connection, null));
        await gate.Reached.WaitAsync(ConnectedPair.Deadline);
        world.Rule.Replace(Authorize.Dns("somebody-else.test"));
        (await world.JudgedAgainAsync()).Should().Be(1);
        gate.Open();
        await registering.WaitAsync(ConnectedPair.Deadline);
        world.Rule.SayReplaced();
        (await world.JudgedAgainAsync()).Should().Be(1);

        connection.Losses.Should().ContainSingle("it is told of a ground once, and the ground never came back")
            .Which.Rejection.Reason.Should().Be(RejectionReason.NotAuthorized);
    }

    [Test]
    public async Task A_change_after_a_search_is_one_for_everybody()
    {
        using var world = new RevalidationWorld();
        _ = Enumerable.Range(0, 10).Select(_ => world.Connect()).ToArray();

        for (var change = 0; change < 3; change++)
        {
            world.Trust.SayReplaced();
            (await world.JudgedAgainAsync()).Should().Be(10);
        }
    }

    [Test]
    public async Task A_revoked_intermediate_takes_everybody_below_it()
    {
        using var world = new RevalidationWorld();
        FakeConnection[] connections = [world.Connect(), world.Connect(world.Issue())];

        world.Authorities.Root.Revoke(world.Authorities.Issuing.AsCertificate);
        world.Lists.Replace(world.Authorities.Lists());

        foreach (var connection in connections)
        {
            (await connection.LostAsync()).Should().Be((RejectionReason.CertificateRevoked, InvalidationAction.Abort));
        }
    }

    private static IEnumerable<TestCaseData> Successors()
    {
        yield return Case("the next issue", world => world.Lists(), judged: 0, lost: null);
        yield return Case(
            "the same lists in another order", world => RevocationLists.FromDer(world.IssuingCrl().Raw, world.RootCrl().Raw), judged: 0, lost: null);
        yield return Case(
            "with a list of somebody else",
            world => RevocationLists.FromDer(
                world.RootCrl().Raw, world.IssuingCrl().Raw, new TestAuthority("Elsewhere", timeProvider: world.Clock).IssueCrl().Raw),
            judged: 0,
            lost: null);
        yield return Case(
            "without the list", world => RevocationLists.FromDer(world.RootCrl().Raw), judged: 2, RejectionReason.RevocationStatusUnknown);
        yield return Case("no list at all", _ => RevocationLists.Empty, judged: 2, RejectionReason.RevocationStatusUnknown);
        yield return Case(
            "a list that has run out",
            world => world.Lists(spec => spec with { NextUpdate = s_now.AddHours(-1), ThisUpdate = s_now.AddHours(-2) }),
            judged: 2,
            RejectionReason.RevocationStatusUnknown);
        yield return Case(
            "a list of later",
            world => world.Lists(spec => spec with { ThisUpdate = s_now.AddHours(1) }),
            judged: 2,
            RejectionReason.RevocationStatusUnknown);
        yield return Case(
            "a list signed by another key",
            world => world.Lists(spec => spec with { SigningKey = TestKey.Generate() }),
            judged: 2,
            RejectionReason.RevocationStatusUnknown);
        yield return Case(
            "a list that speaks of authorities alone",
            world => world.Lists(spec => spec with { IssuingDistributionPoint = new IssuingDistributionPoint { OnlyAuthorities = true } }),
            judged: 2,
            RejectionReason.RevocationStatusUnknown);
        yield return Case("cleared on purpose", _ => RevocationLists.DangerouslyUnchecked, judged: 0, lost: null);

        static TestCaseData Case(string name, Func<RevocationWorld, RevocationLists> lists, int judged, RejectionReason? lost) =>
            new TestCaseData(lists, judged, lost).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Successors))]
    public async Task Lists_that_take_the_place_of_others_concern_whom_they_may_change_anything_for(object lists, int judged, RejectionReason? lost)
    {
        using var world = new RevalidationWorld();
        FakeConnection[] connections = [world.Connect(), world.Connect(world.Issue())];

        world.Lists.Replace(((Func<RevocationWorld, RevocationLists>)lists)(world.Authorities));

        (await world.JudgedAgainAsync()).Should().Be(judged);
        foreach (var connection in connections)
        {
            connection.Losses.Select(loss => (RejectionReason?)loss.Rejection.Reason).Should().Equal(lost is null ? [] : [lost]);
        }
    }

    [Test]
    public async Task Lists_that_were_cleared_count_again_once_they_are_back()
    {
        using var world = new RevalidationWorld();
        world.Lists.Replace(RevocationLists.DangerouslyUnchecked);
        world.Authorities.Issuing.Revoke(world.Authorities.Client);
        var (revoked, other) = (world.Connect(), world.Connect(world.Issue()));

        world.Lists.Replace(world.Authorities.Lists());

        (await revoked.LostAsync()).Reason.Should().Be(RejectionReason.CertificateRevoked);
        await world.JudgedAgainAsync();
        other.Losses.Should().BeEmpty();
    }

    private static IEnumerable<TestCaseData> Causes()
    {
        yield return Case(
            "anchor removed",
            world => world.Trust.Replace(new TestAuthority("Elsewhere").ToTrustAnchors()),
            RejectionReason.UnknownAuthority,
            InvalidationAction.Abort);
        yield return Case(
            "pins replaced", world => world.Pins.Replace(PinSet.Of(Pin("C"), Pin("D"))), RejectionReason.PinMismatch, InvalidationAction.Abort);
        yield return Case(
            "pins that have run out",
            world => world.Pins.Replace(PinSet.Of(Pin("C"), Pin("D")).ExpiringAt(s_now.AddDays(-1))),
            RejectionReason.PinsExpired,
            InvalidationAction.Abort);
        yield return Case(
            "rule replaced",
            world => world.Rule.Replace(Authorize.Dns("somebody-else.test")),
            RejectionReason.NotAuthorized,
            InvalidationAction.Drain);
        yield return Case(
            "key denied",
            world => world.Denied.Replace(DenyList.Of(DenyEntry.Key(KeyOf(world.Authorities.Client)))),
            RejectionReason.DenyListed,
            InvalidationAction.Abort);
        yield return Case(
            "serial number denied",
            world => world.Denied.Replace(DenyList.Of(DenyEntry.Serial(world.Authorities.Client.SerialNumber.ToString("X", null)))),
            RejectionReason.DenyListed,
            InvalidationAction.Abort);
        yield return Case(
            "anchor denied",
            world => world.Denied.Replace(DenyList.Of(DenyEntry.Key(KeyOf(world.Authorities.Root.AsCertificate)))),
            RejectionReason.DenyListed,
            InvalidationAction.Abort);
        yield return Case("trust that throws", world => Break(world.Trust), RejectionReason.ValidatorFaulted, InvalidationAction.Abort);
        yield return Case("lists that throw", world => Break(world.Lists), RejectionReason.ValidatorFaulted, InvalidationAction.Abort);

        static TestCaseData Case(string name, Action<RevalidationWorld> change, RejectionReason reason, InvalidationAction action) =>
            new TestCaseData(change, reason, action).SetArgDisplayNames(name);

        static void Break<T>(ReloadableSource<T> source)
        {
            source.Break();
            source.SayReplaced();
        }
    }

    [TestCaseSource(nameof(Causes))]
    public async Task Every_change_ends_what_it_took_the_ground_from(object change, RejectionReason reason, InvalidationAction action)
    {
        using var world = new RevalidationWorld();
        var connection = world.Connect();

        ((Action<RevalidationWorld>)change)(world);

        (await connection.LostAsync()).Should().Be((reason, action));
    }

    [Test]
    public async Task A_change_that_takes_nothing_away_ends_nobody()
    {
        using var world = new RevalidationWorld();
        var connection = world.Connect();

        world.Trust.Replace(
            TrustAnchors.From([.. world.Authorities.Root.ToCertificateCollection(), .. new TestAuthority("Elsewhere").ToCertificateCollection()]));
        (await world.JudgedAgainAsync()).Should().Be(1);
        world.Rule.Replace(Authorize.Dns("client.test"));
        (await world.JudgedAgainAsync()).Should().Be(1);
        world.Denied.Replace(DenyList.Of(DenyEntry.Key(Pin("nobody's"))));
        (await world.JudgedAgainAsync()).Should().Be(0);

        connection.Losses.Should().BeEmpty();
    }

    /// <summary>Every order in which a handshake and a change can meet, with a second change that makes the registry look in between.</summary>
    [Test]
    public async Task No_order_of_a_change_and_a_registration_lets_a_revoked_peer_stay()
    {
        var orders = Orders([]).ToArray();
        orders.Should().HaveCount(60);
        foreach (var order in orders)
        {
            using var world = new RevalidationWorld();
            using var neighbour = world.Registry.Begin(); // somebody is always there, so that the sources are watched from the first step on
            world.Authorities.Issuing.Revoke(world.Authorities.Client);
            var revoked = world.Authorities.Lists();
            RegistrationScope? ticket = null;
            FakeConnection? connection = null;
            foreach (var step in order)
            {
                switch (step)
                {
                    case Step.Begin:
                        ticket = world.Registry.Begin();
                        break;
                    case Step.Judge:
                        connection = world.Stage.Judge(world.Authorities.Evidence(), s_now) is CertificateVerdict.Accepted accepted
                            ? new FakeConnection(accepted.Peer)
                            : null;
                        break;
                    case Step.Register:
                        using (ticket)
                        {
                            if (connection is not null)
                            {
                                ticket!.Value.Register(connection, null);
                            }
                        }

                        break;
                    case Step.ListsTakeTheirPlace:
                        world.Lists.Current = revoked;
                        break;
                    case Step.ListsSaySo:
                        world.Lists.SayReplaced();
                        await world.JudgedAgainAsync();
                        break;
                    case Step.SomethingElseSaysSo:
                        world.Denied.SayReplaced();
                        await world.JudgedAgainAsync();
                        break;
                }
            }

            connection?.Losses.Select(loss => loss.Rejection.Reason).Should().Equal([RejectionReason.CertificateRevoked], string.Join(", ", order));
            world.Registry.Count.Should().Be(0, string.Join(", ", order));
        }
    }

    [Test]
    public async Task A_certificate_that_runs_out_ends_its_connections_then_and_not_before([Values(0, 3600)] int marginSeconds)
    {
        var margin = TimeSpan.FromSeconds(marginSeconds);
        using var world = new RevalidationWorld(new RevalidationPolicy { ExpiryMargin = margin });
        var connection = world.Connect(world.Issue(spec => spec with { NotAfter = s_now.AddHours(3) }));
        var longer = world.Connect();

        world.Clock.Advance(TimeSpan.FromHours(3) - margin + TimeSpan.FromMilliseconds(999));
        world.Rule.SayReplaced(); // so that there is something to wait for
        await world.JudgedAgainAsync();
        connection.Losses.Should().BeEmpty("the whole of the last second is part of the validity");
        world.Clock.Advance(TimeSpan.FromMilliseconds(1));

        (await connection.LostAsync()).Should().Be((RejectionReason.CertificateExpired, InvalidationAction.Drain));
        longer.Losses.Should().BeEmpty();
    }

    [Test]
    public async Task A_certificate_that_has_no_end_ends_nothing()
    {
        using var world = new RevalidationWorld(new RevalidationPolicy { EndsWithOwnCertificate = true });
        using var root = new TestAuthority("Eternal", spec => spec with { NotAfter = s_endOfTime }, world.Clock);
        using var certificate = root.Issue(spec => spec with { DnsNames = ["client.test"], NotAfter = s_endOfTime });
        world.Trust.Current = root.ToTrustAnchors();
        world.Lists.Current = RevocationLists.DangerouslyUnchecked;
        var connection = world.Connect(certificate, ownEnd: s_endOfTime);

        world.Clock.Advance(TimeSpan.FromDays(3650));
        world.Rule.SayReplaced();

        (await world.JudgedAgainAsync()).Should().Be(1);
        connection.Losses.Should().BeEmpty();
    }

    [Test]
    public async Task That_a_certificate_ran_out_does_not_hide_that_it_was_revoked()
    {
        using var world = new RevalidationWorld(new RevalidationPolicy { OnExpired = InvalidationAction.Notify });
        var certificate = world.Issue(spec => spec with { NotAfter = s_now.AddHours(1) });
        var connection = world.Connect(certificate);
        world.Clock.Advance(TimeSpan.FromHours(2));
        (await connection.LostAsync()).Should().Be((RejectionReason.CertificateExpired, InvalidationAction.Notify));

        world.Rule.Replace(Authorize.Dns("client.test"));
        (await world.JudgedAgainAsync()).Should().Be(1);
        connection.Losses.Should().HaveCount(1, "the rule lets it in, and of its end everybody knows");
        world.Revoke(certificate);

        (await connection.LostAsync(2)).Should().Be((RejectionReason.CertificateRevoked, InvalidationAction.Abort));
    }

    [Test]
    public async Task Lists_are_held_to_the_time_of_now_and_not_to_that_of_the_certificates()
    {
        using var world = new RevalidationWorld(new RevalidationPolicy { OnExpired = InvalidationAction.Notify });
        var connection = world.Connect(world.Issue(spec => spec with { NotAfter = s_now.AddHours(1) }));
        world.Clock.Advance(TimeSpan.FromHours(2));
        await connection.LostAsync();

        world.Lists.Replace(world.Authorities.Lists(spec => spec with { ThisUpdate = s_now, NextUpdate = s_now.AddMinutes(90) }));

        (await connection.LostAsync(2)).Should().Be((RejectionReason.RevocationStatusUnknown, InvalidationAction.Drain));
    }

    [Test]
    public async Task Whoever_another_path_leads_to_stays_and_stands_on_that_one()
    {
        using var world = new RevalidationWorld();
        var connection = world.Connect();
        // the intermediate alone, so that the root's word counts for nothing
        world.Trust.Replace(TrustAnchors.From(world.Authorities.Issuing.Certificate));
        await world.JudgedAgainAsync();

        world.Authorities.Root.Revoke(world.Authorities.Issuing.AsCertificate);
        world.Lists.Replace(world.Authorities.Lists());

        (await world.JudgedAgainAsync()).Should().Be(0);
        connection.Losses.Should().BeEmpty();
    }

    [Test]
    public async Task A_clock_that_is_set_forward_is_noticed_within_a_minute()
    {
        using var world = new RevalidationWorld();
        var connection = world.Connect(world.Issue(spec => spec with { NotAfter = s_now.AddHours(5) }));

        world.Clock.AdjustTime(s_now.AddHours(6));
        world.Clock.Advance(TimeSpan.FromMinutes(1));

        (await connection.LostAsync()).Reason.Should().Be(RejectionReason.CertificateExpired);
    }

    [Test]
    public async Task At_its_maximum_age_a_connection_drains_and_is_ended_after_the_grace_period()
    {
        using var world = new RevalidationWorld(new RevalidationPolicy { MaximumAge = TimeSpan.FromHours(1), GracePeriod = RevalidationWorld.Grace });
        var connection = world.Connect();
        world.Clock.Advance(TimeSpan.FromMinutes(30));
        var younger = world.Connect(world.Issue());

        world.Clock.Advance(TimeSpan.FromMinutes(30));
        (await connection.LostAsync()).Should().Be((RejectionReason.MaximumAgeReached, InvalidationAction.Drain));
        connection.IsEnded.Should().BeFalse();
        world.Clock.Advance(RevalidationWorld.Grace);
        await connection.EndedAsync();

        younger.Losses.Should().BeEmpty();
        world.Registry.Count.Should().Be(1);
    }

    [Test]
    public async Task A_connection_on_which_nothing_moves_drains_and_is_ended_and_one_that_is_used_stays()
    {
        using var world =
            new RevalidationWorld(new RevalidationPolicy { IdleTimeout = TimeSpan.FromMinutes(10), GracePeriod = RevalidationWorld.Grace });
        var used = world.Connect(world.Issue());
        var idle = world.Connect();
        world.Clock.Advance(TimeSpan.FromMinutes(6));
        used.Move();

        world.Clock.Advance(TimeSpan.FromMinutes(4) - TimeSpan.FromMilliseconds(1));
        idle.Losses.Should().BeEmpty();
        world.Clock.Advance(TimeSpan.FromMilliseconds(1));
        (await idle.LostAsync()).Should().Be((RejectionReason.IdleTimeoutReached, InvalidationAction.Drain));
        (await world.Log.NextAsync(1450)).Values["Action"].Should().Be("Drain");
        world.Clock.Advance(RevalidationWorld.Grace);
        await idle.EndedAsync();

        used.Losses.Should().BeEmpty("it was looked at before the other one");
        world.Clock.Advance(TimeSpan.FromMinutes(6) - RevalidationWorld.Grace);
        (await used.LostAsync()).Should().Be((RejectionReason.IdleTimeoutReached, InvalidationAction.Drain));
    }

    [Test]
    public async Task A_clock_that_throws_when_something_is_due_is_asked_again_a_minute_later()
    {
        using var world = new RevalidationWorld();
        var clock = new Fitful(world.Clock);
        var registry = new ConnectionRevalidator(world.Stage, world.Options with { TimeProvider = clock },
            new RevalidationPolicy { MaximumAge = TimeSpan.FromHours(1) }, PeerRole.Server);
        using var ticket = registry.Begin();
        var connection = new FakeConnection(world.Judge());
        ticket.Register(connection, null);

        clock.Fails = true;
        world.Clock.Advance(TimeSpan.FromHours(1));
        (await world.Log.NextAsync(1458)).Exception.Should().BeOfType<InvalidOperationException>();
        connection.Losses.Should().BeEmpty();
        clock.Fails = false;
        world.Clock.Advance(TimeSpan.FromMinutes(1));

        (await connection.LostAsync()).Reason.Should().Be(RejectionReason.MaximumAgeReached);
    }

    [Test]
    public async Task A_connection_that_no_clock_watches_over_is_ended([Values] bool fails)
    {
        using var world = new RevalidationWorld();
        var clock = new Fitful(world.Clock);
        var registry = new ConnectionRevalidator(world.Stage, world.Options with { TimeProvider = clock },
            new RevalidationPolicy { MaximumAge = TimeSpan.FromHours(1), OnUntrusted = InvalidationAction.Notify }, PeerRole.Server);
        using var ticket = registry.Begin();
        var connection = new FakeConnection(world.Judge());

        clock.Fails = fails;
        ticket.Register(connection, null);

        clock.Fails = false;
        registry.Count.Should().Be(fails ? 0 : 1);
        if (fails)
        {
            (await connection.LostAsync()).Should().Be((RejectionReason.ValidatorFaulted, InvalidationAction.Abort));
        }
    }

    [Test]
    public async Task A_clock_that_throws_during_a_sweep_ends_whom_nobody_could_judge([Values] bool fails)
    {
        using var world = new RevalidationWorld();
        var clock = new Fitful(world.Clock);
        var registry = new ConnectionRevalidator(
            world.Stage, world.Options with { TimeProvider = clock }, new RevalidationPolicy { OnUntrusted = InvalidationAction.Notify },
            PeerRole.Server);
        using var ticket = registry.Begin();
        var connection = new FakeConnection(world.Judge());
        ticket.Register(connection, null);

        clock.Fails = fails;
        world.Trust.SayReplaced();

        (await world.JudgedAgainAsync()).Should().Be(1);
        connection.Losses.Select(loss => (loss.Rejection.Reason, loss.Action)).Should().Equal(
            fails ? [(RejectionReason.ValidatorFaulted, InvalidationAction.Abort)] : []);
    }

    [Test]
    public async Task A_connection_whose_end_is_due_as_the_clock_throws_is_ended([Values] bool throws)
    {
        using var world = new RevalidationWorld();
        var clock = new FailsAtTheSecondLook(world.Clock, throws ? s_now.AddHours(1) : DateTimeOffset.MaxValue);
        var registry = new ConnectionRevalidator(world.Stage, world.Options with { TimeProvider = clock }, new RevalidationPolicy(), PeerRole.Server);
        using var ticket = registry.Begin();
        var connection = new FakeConnection(world.Judge(world.Issue(spec => spec with { NotAfter = s_now.AddHours(1) })));
        ticket.Register(connection, null);

        world.Clock.Advance(TimeSpan.FromHours(2));

        (await connection.LostAsync()).Reason.Should().Be(throws ? RejectionReason.ValidatorFaulted : RejectionReason.CertificateExpired);
    }

    /// <summary>What is due is taken from its queue at the first look after a time, and judged at the second.</summary>
    private sealed class FailsAtTheSecondLook(TimeProvider time, DateTimeOffset from) : TimeProvider
    {
        private int _looks;

        public override long TimestampFrequency => time.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => time.GetUtcNow() >= from && Interlocked.Increment(ref _looks) == 2
            ? throw new InvalidOperationException("The clock is broken.")
            : time.GetUtcNow();

        public override long GetTimestamp() => time.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            time.CreateTimer(callback, state, dueTime, period);
    }

    private sealed class Fitful(TimeProvider time) : TimeProvider
    {
        internal bool Fails { get; set; }

        public override long TimestampFrequency => time.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => Fails ? throw new InvalidOperationException("The clock is broken.") : time.GetUtcNow();

        public override long GetTimestamp() => Fails ? throw new InvalidOperationException("The clock is broken.") : time.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            time.CreateTimer(callback, state, dueTime, period);
    }

    [Test]
    public async Task Without_an_idle_timeout_nothing_is_counted()
    {
        using var world = new RevalidationWorld(new RevalidationPolicy { MaximumAge = TimeSpan.FromDays(1) });
        var connection = world.Connect();
        connection.CountsIdle.Should().BeFalse();

        world.Clock.Advance(TimeSpan.FromDays(1));

        (await connection.LostAsync()).Reason.Should().Be(RejectionReason.MaximumAgeReached);
        connection.Losses.Should().HaveCount(1);
    }

    [Test]
    public async Task An_idle_connection_that_is_only_noticed_is_noticed_again_once_it_was_used_in_between([Values] bool isUsed)
    {
        using var world = new RevalidationWorld(new RevalidationPolicy
        {
            IdleTimeout = TimeSpan.FromMinutes(10),
            OnIdle = InvalidationAction.Notify,
            MaximumAge = TimeSpan.FromMinutes(40)
        });
        var connection = world.Connect();
        world.Clock.Advance(TimeSpan.FromMinutes(10));
        (await connection.LostAsync()).Should().Be((RejectionReason.IdleTimeoutReached, InvalidationAction.Notify));
        if (isUsed)
        {
            var other = world.Connect(world.Issue());
            world.Clock.Advance(TimeSpan.FromMinutes(5));
            connection.Move();
            world.Clock.Advance(TimeSpan.FromMinutes(5));
            await other.LostAsync(); // it was looked at after the one that had been used
            world.Clock.Advance(TimeSpan.FromMinutes(5));
            (await connection.LostAsync(2)).Should().Be((RejectionReason.IdleTimeoutReached, InvalidationAction.Notify));
        }

        world.Clock.Advance(TimeSpan.FromMinutes(isUsed ? 15 : 30));
        (await connection.LostAsync(isUsed ? 3 : 2)).Reason.Should().Be(RejectionReason.MaximumAgeReached);
        connection.Losses.Should().HaveCount(isUsed ? 3 : 2);
    }

    [TestCase(0)]
    [TestCase(3661 * 86_400.0)]
    public void An_idle_timeout_that_makes_no_sense_is_reported_at_construction(double seconds)
    {
        using var world = new World();
        var policy = new RevalidationPolicy { IdleTimeout = TimeSpan.FromSeconds(seconds) };

        FluentActions.Invoking(() => new MutualTlsServer(world.ServerOptions with { Revalidation = policy }))
            .Should().Throw<ArgumentException>().WithMessage("*IdleTimeout*");
        FluentActions.Invoking(() => new MutualTlsClient(world.ClientOptions with { Revalidation = policy }))
            .Should().Throw<ArgumentException>().WithMessage("*IdleTimeout*");
    }

    [Test]
    public async Task Revocation_does_not_wait_for_a_grace_period()
    {
        using var world = new RevalidationWorld(new RevalidationPolicy { MaximumAge = TimeSpan.FromHours(1) });
        var certificate = world.Issue();
        var connection = world.Connect(certificate);
        world.Clock.Advance(TimeSpan.FromHours(1));
        await connection.LostAsync();

        world.Revoke(certificate);

        (await connection.LostAsync(2)).Should().Be((RejectionReason.CertificateRevoked, InvalidationAction.Abort));
    }

    [Test]
    public async Task The_end_of_our_own_certificate_counts_where_it_is_asked_for([Values] bool counts)
    {
        using var world = new RevalidationWorld(new RevalidationPolicy { EndsWithOwnCertificate = counts, MaximumAge = TimeSpan.FromHours(2) });
        var connection = world.Connect(ownEnd: s_now.AddHours(1));

        world.Clock.Advance(TimeSpan.FromHours(counts ? 1.5 : 2));

        (await connection.LostAsync()).Reason.Should().Be(counts ? RejectionReason.OwnCertificateExpired : RejectionReason.MaximumAgeReached);
    }

    [Test]
    public async Task A_notice_is_given_once_and_again_only_when_the_ground_came_back_and_went()
    {
        using var world = new RevalidationWorld(new RevalidationPolicy { OnUnauthorized = InvalidationAction.Notify });
        var connection = world.Connect();
        var (yes, no) = (Authorize.Dns("client.test"), Authorize.Dns("somebody-else.test"));
        foreach (var (rule, told) in new[] { (no, 1), (no, 1), (yes, 1), (no, 2) })
        {
            world.Rule.Replace(rule);
            await world.JudgedAgainAsync();
            connection.Losses.Should().HaveCount(told);
        }

        connection.Losses.Should().OnlyContain(
            loss => loss.Action == InvalidationAction.Notify && loss.Rejection.Reason == RejectionReason.NotAuthorized);
        world.Registry.Count.Should().Be(1, "the end is left to the application");
    }

    [Test]
    public async Task A_validator_that_throws_while_judging_again_ends_the_connection_whatever_the_options_say()
    {
        var validator = new Fickle();
        using var world = new RevalidationWorld(
            new RevalidationPolicy { OnUntrusted = InvalidationAction.Notify, OnUnauthorized = InvalidationAction.Notify }, validator);
        var connection = world.Connect();

        validator.Throws = true;
        world.Rule.SayReplaced();

        (await connection.LostAsync()).Should().Be((RejectionReason.ValidatorFaulted, InvalidationAction.Abort));
    }

    [Test]
    public async Task A_log_that_fails_keeps_nobody_who_has_to_go([Values(1450, 1452)] int failsAt)
    {
        using var world = new RevalidationWorld();
        var certificate = world.Issue();
        FakeConnection[] connections = [world.Connect(), world.Connect(certificate), world.Connect(world.Issue())];
        world.Log.FailsAt = failsAt;

        world.Revoke(certificate);
        await connections[1].EndedAsync();
        world.Trust.Replace(new TestAuthority("Elsewhere").ToTrustAnchors());

        await connections[0].EndedAsync();
        await connections[2].EndedAsync();
    }

    [Test]
    public void Sources_are_watched_while_somebody_stands_on_them_and_let_go_afterwards()
    {
        using var world = new RevalidationWorld();
        world.Lists.IsWatched.Should().BeFalse();

        var ticket = world.Registry.Begin();
        world.Lists.IsWatched.Should().BeTrue("a handshake is under way");
        var connection = world.Connect();
        ticket.Dispose();
        world.Lists.IsWatched.Should().BeTrue("a connection is open");
        connection.End();

        foreach (var watched in new[]
        { world.Lists.IsWatched, world.Trust.IsWatched, world.Denied.IsWatched, world.Pins.IsWatched, world.Rule.IsWatched })
        {
            watched.Should().BeFalse();
        }
    }

    [Test]
    public async Task What_was_replaced_while_nobody_watched_is_known_to_the_next()
    {
        using var world = new RevalidationWorld();
        world.Connect().End();
        world.Authorities.Issuing.Revoke(world.Authorities.Client);
        world.Lists.Replace(world.Authorities.Lists());
        var connection = world.Connect(world.Issue());

        world.Lists.Replace(world.Authorities.Lists());

        (await world.JudgedAgainAsync()).Should().Be(0);
        connection.Losses.Should().BeEmpty();
    }

    [TestCase(0, 30, null, 0, "*action*")]
    [TestCase(1, -1, null, 0, "*GracePeriod*")]
    [TestCase(1, 3601, null, 0, "*GracePeriod*")]
    [TestCase(1, 30, 0, 0, "*MaximumAge*")]
    [TestCase(1, 30, null, -1, "*ExpiryMargin*")]
    public void A_policy_that_makes_no_sense_is_reported_at_construction(int action, int grace, int? age, int margin, string problem)
    {
        using var world = new World();
        var policy = new RevalidationPolicy
        {
            OnExpired = (InvalidationAction)action,
            GracePeriod = TimeSpan.FromSeconds(grace),
            MaximumAge = age is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            ExpiryMargin = TimeSpan.FromSeconds(margin),
        };

        FluentActions.Invoking(() => new MutualTlsServer(world.ServerOptions with { Revalidation = policy }))
            .Should().Throw<ArgumentException>()
            .WithMessage(problem);
        FluentActions.Invoking(() => new MutualTlsClient(world.ClientOptions with { Revalidation = policy }))
            .Should().Throw<ArgumentException>()
            .WithMessage(problem);
    }

    private static IEnumerable<Step[]> Orders(Step[] begun)
    {
        var rest = Enum.GetValues<Step>().Except(begun).ToArray();
        return rest.Length == 0
            ? [begun]
            : rest.Where(step => Before(step) is not { } earlier || begun.Contains(earlier)).SelectMany(step => Orders([.. begun, step]));
    }

    private static Step? Before(Step step) => step switch
    {
        Step.Judge => Step.Begin,
        Step.Register => Step.Judge,
        Step.ListsSaySo => Step.ListsTakeTheirPlace,
        _ => null,
    };

    private static SpkiPin Pin(string text) => SpkiPin.OfSubjectPublicKeyInfo(System.Text.Encoding.ASCII.GetBytes(text));

    private static SpkiPin KeyOf(TestCertificate certificate) =>
        SpkiPin.OfSubjectPublicKeyInfo(certificate.Certificate.PublicKey.ExportSubjectPublicKeyInfo());

    private enum Step
    {
        Begin,
        Judge,
        Register,
        ListsTakeTheirPlace,
        ListsSaySo,
        SomethingElseSaysSo,
    }

    private sealed class Fickle : ICertificateValidator
    {
        internal volatile bool Throws;

        public Rejection? Examine(CertificateContext context) => Throws ? throw new InvalidOperationException("The validator is broken.") : null;
    }

    /// <summary>Counts who is judged, and stops all judgements after so many.</summary>
    private sealed class GatedValidator : ICertificateValidator, IDisposable
    {
        private readonly ManualResetEventSlim _open = new(initialState: true);
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly HashSet<object> _asked = [];
        private readonly Lock _lock = new();
        private int _left = int.MaxValue;

        internal Task Reached => _reached.Task;

        /// <summary>What was judged first after the gate was set.</summary>
        internal object? First { get; private set; }

        internal int AskedAbout
        {
            get
            {
                lock (_lock)
                {
                    return _asked.Count;
                }
            }
        }

        internal void Close(int after)
        {
            lock (_lock)
            {
                _left = after;
                _asked.Clear();
                First = null;
            }
        }

        internal void Open() => _open.Set();

        public void Dispose() => _open.Dispose();

        public Rejection? Examine(CertificateContext context)
        {
            lock (_lock)
            {
                First ??= context.Evidence;
                _asked.Add(context.Evidence);
                if (--_left == 0)
                {
                    _open.Reset();
                    _reached.SetResult();
                }
            }

            return _open.Wait(ConnectedPair.Deadline) ? null : throw new TimeoutException();
        }
    }
}
