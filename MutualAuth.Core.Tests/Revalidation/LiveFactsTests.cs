using System.Collections.Immutable;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Authorization;
using MutualAuth.Evidence;
using MutualAuth.Revalidation;
using MutualAuth.Tests.Support;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Revalidation;

/// <summary>
/// A connection lives while what validators said of its peer counts. The registry is the real one; the connections have no sockets.
/// </summary>
[CancelAfter(60000)]
public sealed class LiveFactsTests
{
    private static readonly TimeSpan s_lifetime = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_instant = TimeSpan.FromMilliseconds(2);

    private RevalidationWorld _world = null!;
    private ScriptedFacts _posture = null!;
    private ReloadableRule _rule = null!;

    private FakeTimeProvider Clock => _world.Clock;

    [SetUp]
    public void SetUp() => (_world, _posture, _rule) = (new RevalidationWorld(), new ScriptedFacts(), new ReloadableRule(Authorize.AnyTrustedPeer));

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task It_is_asked_again_between_a_half_and_three_quarters_and_a_yes_counts_from_its_question()
    {
        var registry = Registry();
        var connection = Connect(registry);

        Clock.Advance((s_lifetime / 2) - s_instant);
        await registry.Facts.Ringing;
        _posture.IsAsked.Should().BeFalse("half of the time is left");
        Clock.Advance((s_lifetime / 4) + (2 * s_instant));
        var question = await _posture.AskedAsync();
        question.Peer.Facts.Should().ContainSingle().Which.Value.Should().Be("1");
        question.Yes(s_lifetime, new PeerFact("patch", "2"));

        await FactsAsync(connection, "2");
        Clock.Advance(s_lifetime / 2);
        await registry.Facts.Ringing;
        connection.Losses.Should().BeEmpty("the first yes is over, and the second is not");
    }

    [Test]
    public async Task What_passes_while_the_timer_is_set_is_not_waited_for_once_more()
    {
        var clock = new PassingClock(Clock) { From = s_lifetime / 2 };
        var registry = Registry(clock: clock);
        clock.Passes = s_lifetime * 0.3;
        var connection = Connect(registry);

        Clock.Advance(s_lifetime * 0.2 - s_instant);
        await registry.Facts.Ringing;
        _posture.IsAsked.Should().BeFalse("half of the time is left");
        Clock.Advance((s_lifetime * 0.25) + (2 * s_instant));

        (await _posture.AskedAsync()).Yes(s_lifetime, new PeerFact("patch", "2"));
        GC.KeepAlive(connection); // the registry does not
    }

    [Test]
    public async Task Without_a_new_yes_it_ends_when_the_old_one_is_over_and_not_before()
    {
        var registry = Registry();
        var connection = Connect(registry);
        Clock.Advance(s_lifetime - s_instant);
        await registry.Facts.Ringing;
        connection.Losses.Should().BeEmpty();

        Clock.Advance(2 * s_instant);

        (await connection.LostAsync()).Should().Be((RejectionReason.FactsExpired, InvalidationAction.Drain));
    }

    [Test]
    public async Task A_no_ends_it_at_once_with_the_validators_reason()
    {
        var connection = Connect(Registry());

        (await AskedAgainAsync()).No();

        (await connection.LostAsync()).Should().Be((RejectionReason.ValidatorRefused, InvalidationAction.Drain));
        connection.Losses.Single().Rejection.Presented.Should().Be("one without its updates");
    }

    [TestCase("throws", "an exception, InvalidOperationException")]
    [TestCase("answers null", "an exception, InvalidOperationException")]
    [TestCase("hangs", "none within 00:00:05")]
    public async Task A_validator_that_cannot_answer_is_asked_again_and_what_it_did_is_the_reason(string how, string presented)
    {
        var registry = Registry();
        var connection = Connect(registry);
        var first = await AskedAgainAsync();
        Fail(first, how);
        await _world.Log.NextAsync(1466);
        connection.Losses.Should().BeEmpty("its last yes counts yet");

        Clock.Advance(s_lifetime / 4);

        (await connection.LostAsync()).Should().Be((RejectionReason.FactsExpired, InvalidationAction.Drain));
        connection.Losses.Single().Rejection.Presented.Should().Be(presented);
    }

    [Test]
    public async Task One_that_fails_once_and_then_says_yes_costs_nobody_the_connection()
    {
        var registry = Registry();
        var connection = Connect(registry);
        (await AskedAgainAsync()).Throw();
        await _world.Log.NextAsync(1466);

        Clock.Advance(s_lifetime / 4 / 2);
        (await _posture.AskedAsync()).Yes(s_lifetime, new PeerFact("patch", "2"));

        await FactsAsync(connection, "2");
        Clock.Advance(s_lifetime / 4);
        await registry.Facts.Ringing;
        connection.Losses.Should().BeEmpty();
    }

    [Test]
    public async Task An_answer_that_comes_after_the_time_for_which_it_counts_is_none()
    {
        var registry = Registry(timeout: TimeSpan.FromMinutes(2));
        var connection = Connect(registry);
        var question = await AskedAgainAsync();

        Clock.Advance(TimeSpan.FromSeconds(11));
        question.Yes(TimeSpan.FromSeconds(10), new PeerFact("patch", "2"));

        (await _world.Log.NextAsync(1466)).Values["Problem"].Should().Be("an answer that came after the 00:00:10 for which it counts");
        connection.Peer.Facts.Single().Value.Should().Be("1");
    }

    [Test]
    public async Task A_yes_that_comes_when_the_connection_has_ended_for_want_of_it_takes_nothing_back()
    {
        var registry = Registry(timeout: TimeSpan.FromMinutes(10));
        var connection = Connect(registry);
        var question = await AskedAgainAsync();
        Clock.Advance(s_lifetime / 2);
        await connection.LostAsync();

        question.Yes(s_lifetime, new PeerFact("patch", "2"));
        await registry.Facts.IdleAsync();

        connection.Peer.Facts.Single().Value.Should().Be("1");
        connection.Restored.Should().Be(0);
        Clock.Advance(RevalidationWorld.Grace);
        await connection.EndedAsync();
    }

    [Test]
    public async Task Who_was_only_notified_is_asked_about_again_and_a_yes_makes_it_good()
    {
        var registry = Registry(new RevalidationPolicy { OnFactsExpired = InvalidationAction.Notify, OnUnauthorized = InvalidationAction.Notify });
        var connection = Connect(registry);
        (await AskedAgainAsync()).No();
        (await connection.LostAsync()).Should().Be((RejectionReason.ValidatorRefused, InvalidationAction.Notify));

        Clock.Advance(s_lifetime);
        (await _posture.AskedAsync()).Yes(s_lifetime, new PeerFact("patch", "2"));
        await FactsAsync(connection, "2");
        await registry.Facts.IdleAsync();
        (await AskedAgainAsync()).No();

        await connection.LostAsync(2);
        connection.Losses.Should().HaveCount(2, "it was good in between");
    }

    [Test]
    public async Task Ten_thousand_connections_that_began_together_do_not_ask_together()
    {
        const int Connections = 10_000;
        var registry = Registry();
        var peer = _world.Judge();
        var connections = Enumerable.Range(0, Connections).Select(_ => Connect(registry, peer: peer)).ToList();
        _posture.Always = _ => PeerFactVerdict.Holds(TimeSpan.FromHours(1));
        Clock.Advance(s_lifetime / 2);
        await registry.Facts.IdleAsync();
        var most = 0;

        // Sixty steps of a second, from the half to three quarters.
        for (var step = 0; step < 60; step++)
        {
            var before = _posture.Count;
            Clock.Advance(TimeSpan.FromSeconds(1));
            await registry.Facts.IdleAsync();
            most = Math.Max(most, _posture.Count - before);
        }

        Clock.Advance(s_instant);
        await registry.Facts.IdleAsync();
        _posture.Count.Should().Be(Connections);
        _posture.MostAtOnce.Should().BeLessThanOrEqualTo(16);
        most.Should().BeLessThan(Connections / 20, "they are spread over a minute");
        connections.Should().OnlyContain(connection => connection.Losses.Count == 0);
    }

    [Test]
    public async Task So_many_questions_run_at_once_and_those_go_first_whose_yes_is_over_first()
    {
        var registry = Registry(new RevalidationPolicy { MaxConcurrentFactQuestions = 2 });
        var slow = Enumerable.Range(0, 2).Select(_ => Connect(registry)).ToList();
        Clock.Advance(s_lifetime * 0.75);
        ScriptedFacts.Question[] running = [await _posture.AskedAsync(), await _posture.AskedAsync()];
        var (late, early) = (Connect(registry, s_lifetime), Connect(registry, TimeSpan.FromSeconds(40)));
        Clock.Advance(TimeSpan.FromSeconds(30));
        await registry.Facts.Ringing;
        _posture.Count.Should().Be(2, "the places are taken");

        running[0].Yes(s_lifetime * 10);
        var next = await _posture.AskedAsync();

        next.Peer.Facts.Single().Value.Should().Be("1");
        _posture.MostAtOnce.Should().Be(2);
        next.Yes(s_lifetime * 10, new PeerFact("patch", "early"));
        await FactsAsync(early, "early");
        late.Peer.Facts.Single().Value.Should().Be("1");
        slow.Should().OnlyContain(connection => connection.Losses.Count == 0);
    }

    [Test]
    public async Task A_validator_that_hangs_holds_up_no_other()
    {
        var location = new ScriptedFacts("location");
        var registry = Registry(new RevalidationPolicy { MaxConcurrentFactQuestions = 1 });
        var hung = Connect(registry);
        await AskedAgainAsync();

        var other = Connect(registry, validator: location);
        Clock.Advance(s_lifetime * 0.75);
        (await location.AskedAsync()).Yes(s_lifetime, new PeerFact("country", "2"));

        await FactsAsync(other, "2");
        (await hung.LostAsync()).Reason.Should().Be(RejectionReason.FactsExpired);
    }

    [TestCase(-2)]
    [TestCase(2)]
    public async Task A_clock_on_the_wall_that_is_set_changes_nothing(int hours)
    {
        var clock = new SteppedClock(Clock);
        var registry = Registry(clock: clock);
        var connection = Connect(registry);
        clock.Step = TimeSpan.FromHours(hours);
        Clock.Advance((s_lifetime / 2) - s_instant);
        await registry.Facts.Ringing;
        _posture.IsAsked.Should().BeFalse();
        connection.Losses.Should().BeEmpty();

        await AskedAgainAsync(s_lifetime / 4 + (2 * s_instant));
        Clock.Advance(s_lifetime / 4);

        (await connection.LostAsync()).Reason.Should().Be(RejectionReason.FactsExpired);
    }

    [Test]
    public async Task What_is_over_at_the_registration_lets_nobody_in()
    {
        var registry = Registry();
        var peer = WithLease(_world.Judge(), TimeSpan.FromSeconds(10));
        Clock.Advance(TimeSpan.FromSeconds(10));

        var connection = Register(registry, peer);

        (await connection.LostAsync()).Reason.Should().Be(RejectionReason.FactsExpired);
    }

    [Test]
    public async Task Nobody_is_asked_about_a_connection_that_is_over()
    {
        var registry = Registry();
        Connect(registry).End();
        Clock.Advance(s_lifetime);
        await registry.Facts.IdleAsync();

        _posture.Count.Should().Be(0);
        registry.Facts.Count.Should().Be(0);
    }

    [Test]
    public async Task A_rule_that_asks_for_a_fact_is_asked_again_when_the_fact_changes()
    {
        var registry = Registry();
        _rule.Replace(Authorize.Fact("posture", "patch", "1", "2"));
        var connection = Connect(registry);
        (await AskedAgainAsync()).Yes(s_lifetime, new PeerFact("patch", "2"));
        await FactsAsync(connection, "2");
        await registry.Facts.IdleAsync();
        connection.Losses.Should().BeEmpty();

        (await AskedAgainAsync()).Yes(s_lifetime, new PeerFact("patch", "0"));

        (await connection.LostAsync()).Should().Be((RejectionReason.NotAuthorized, InvalidationAction.Drain));
        connection.Losses.Single().Rejection.ToString().Should().NotContain("\"0\"", "values are not logged");
    }

    [Test]
    public async Task A_rule_that_is_replaced_by_one_that_asks_for_facts_judges_by_those_of_now()
    {
        var registry = Registry();
        var (connection, other) = (Connect(registry), Connect(registry, value: "9"));

        _rule.Replace(Authorize.Fact("posture", "patch", "1"));

        (await other.LostAsync()).Reason.Should().Be(RejectionReason.NotAuthorized);
        await _world.JudgedAgainAsync();
        connection.Losses.Should().BeEmpty();
    }

    [Test]
    public async Task A_user_who_authenticates_again_does_not_take_back_what_a_validator_said_meanwhile()
    {
        var registry = Registry(new RevalidationPolicy { GracePeriod = s_lifetime });
        var expires = Clock.GetUtcNow() + (s_lifetime / 2);
        var peer = AuthenticatedPeer.WithUser(_world.Judge(), _world.Judge().Evidence, LiveUsersWorld.User("alice", expires));
        var connection = Connect(registry, peer: peer);
        Clock.Advance(s_lifetime / 2);
        (await connection.LostAsync()).Reason.Should().Be(RejectionReason.TokenExpired);
        (await AskedAgainAsync(s_lifetime / 4)).No();
        await registry.Facts.IdleAsync();

        connection.Entry!.Renew(LiveUsersWorld.User("alice")).Should().BeFalse();

        (await connection.LostAsync(2)).Reason.Should().Be(RejectionReason.ValidatorRefused);
    }

    [Test]
    public async Task The_log_has_the_names_of_facts_and_never_their_values()
    {
        var registry = Registry();
        var connection = Connect(registry);
        (await AskedAgainAsync()).Yes(s_lifetime, new PeerFact("serial", "canary-4711"), new PeerFact("patch", "2"));
        await FactsAsync(connection, "canary-4711");
        await registry.Facts.IdleAsync();

        var told = _world.Log.Drain();

        told.Single(each => each.Id == 1465).Values["Names"].Should().Be("serial, patch");
        told.Should().NotContain(each => each.Message.Contains("canary-4711") || each.Values.Values.Any(value => $"{value}".Contains("canary-4711")));
        connection.Peer.Facts[0].ToString().Should().Be("posture: serial");
    }

    [Test]
    public async Task A_thousand_whose_service_is_away_end_over_the_spread_and_none_later()
    {
        const int Connections = 1000;
        var next = 0;
        var registry = Registry(Spread(s_lifetime / 4), nextShare: () => next++ / (double)Connections);
        var peer = _world.Judge();
        var connections = Enumerable.Range(0, Connections).Select(_ => Connect(registry, peer: peer)).ToList();
        _posture.Always = _ => throw new InvalidOperationException("the service is away");
        Clock.Advance(s_lifetime * 0.75);
        await registry.Facts.IdleAsync();
        Lost().Should().Be(0);

        for (var quarter = 1; quarter <= 4; quarter++)
        {
            Clock.Advance(s_lifetime / 16);
            await registry.Facts.IdleAsync();
            Lost().Should().BeInRange((quarter * Connections / 4) - 1, (quarter * Connections / 4) + 1);
        }

        int Lost() => connections.Count(connection => connection.Losses.Count > 0);
    }

    [Test]
    public async Task What_ends_sooner_is_asked_about_sooner_and_not_at_once()
    {
        var registry = Registry(Spread(TimeSpan.FromDays(1)), nextShare: () => 1);
        var connection = Connect(registry);

        // A spread that is longer than the lifetime takes half of it.
        Clock.Advance((s_lifetime / 4) - s_instant);
        await registry.Facts.Ringing;
        _posture.IsAsked.Should().BeFalse();
        Clock.Advance((s_lifetime / 8) + (2 * s_instant));
        (await _posture.AskedAsync()).Throw();
        await _world.Log.NextAsync(1466);
        Clock.Advance((s_lifetime / 8) - (2 * s_instant));
        await registry.Facts.Ringing;
        connection.Losses.Should().BeEmpty();

        Clock.Advance(2 * s_instant);
        (await connection.LostAsync()).Reason.Should().Be(RejectionReason.FactsExpired);
    }

    [Test]
    public async Task A_renewed_yes_ends_sooner_by_the_same_part()
    {
        var registry = Registry(Spread(s_lifetime / 4), nextShare: () => 0.5);
        var connection = Connect(registry);
        (await AskedAgainAsync()).Yes(s_lifetime, new PeerFact("patch", "2"));
        await FactsAsync(connection, "2");

        Clock.Advance((s_lifetime * 0.875) - s_instant);
        await registry.Facts.Ringing;
        connection.Losses.Should().BeEmpty();

        Clock.Advance(2 * s_instant);
        (await connection.LostAsync()).Reason.Should().Be(RejectionReason.FactsExpired);
    }

    /// <summary>Whatever a service does: answers at any time or never, throws, says yes for longer or for less, or comes too late.</summary>
    [Test]
    public async Task No_connection_outlives_its_last_yes_whatever_the_service_does([Range(1, 40)] int seed)
    {
        var random = new Random(seed);
        var registry = Registry(
            new RevalidationPolicy { GracePeriod = RevalidationWorld.Grace, MaxConcurrentFactQuestions = random.Next(1, 3) });
        var connections = Enumerable.Range(0, 3).Select(_ => Connect(registry)).ToArray();
        var ends = connections.Select(_ => s_lifetime).ToArray();
        var open = new List<(ScriptedFacts.Question Question, int Of, TimeSpan At)>();
        var start = Clock.GetTimestamp();
        var renewed = 0;
        for (var step = 0; step < 120; step++)
        {
            Clock.Advance(TimeSpan.FromSeconds(random.Next(1, 40)));
            await registry.Facts.Ringing;
            while (_posture.IsAsked)
            {
                // Its peer is that of the connection until it is answered.
                var question = await _posture.AskedAsync();
                open.Add((question, Array.FindIndex(connections, each => ReferenceEquals(each.Peer, question.Peer)), Clock.GetElapsedTime(start)));
            }

            if (open.Count > 0 && random.Next(4) > 0)
            {
                var (question, of, at) = open[random.Next(open.Count)];
                open.RemoveAll(each => each.Question == question);
                var lifetime = TimeSpan.FromSeconds(random.Next(10, 400));
                if (random.Next(3) == 0)
                {
                    question.Throw();
                }
                else
                {
                    ends[of] = ends[of] > at + lifetime ? ends[of] : at + lifetime;
                    renewed++;
                    question.Yes(lifetime, new PeerFact("patch", $"{renewed}"));
                }
            }

            for (var of = 0; of < connections.Length; of++)
            {
                if (ends[of] <= Clock.GetElapsedTime(start))
                {
                    await LostWithinASecondAsync(registry, connections[of]);
                }
            }
        }

        open.ForEach(each => each.Question.Throw());
    }

    /// <summary>An answer may be taken while this clock steps, and its timer then be set too late: as late as a real thread may come.</summary>
    private async Task LostWithinASecondAsync(ConnectionRevalidator registry, FakeConnection connection)
    {
        var lost = connection.LostAsync();
        for (var step = 0; step < 1000 && !lost.IsCompleted; step++)
        {
            Clock.Advance(TimeSpan.FromMilliseconds(1));
            await registry.Facts.Ringing;
            await Task.Yield();
        }

        await lost;
    }

    private static RevalidationPolicy Spread(TimeSpan spread) => new() { GracePeriod = RevalidationWorld.Grace, ExpirySpread = spread };

    private ConnectionRevalidator Registry(
        RevalidationPolicy? policy = null, TimeSpan? timeout = null, TimeProvider? clock = null, Func<double>? nextShare = null)
    {
        var options = _world.Options with
        {
            AsyncValidatorTimeout = timeout ?? s_timeout,
            Authorization = Authorize.From(_rule),
            TimeProvider = clock ?? Clock,
        };
        return new ConnectionRevalidator(
            new CertificateStage(options), options, policy ?? new RevalidationPolicy { GracePeriod = RevalidationWorld.Grace }, PeerRole.Server)
        {
            NextShare = nextShare ?? Random.Shared.NextDouble,
        };
    }

    private FakeConnection Connect(
        ConnectionRevalidator registry,
        TimeSpan? lifetime = null,
        IPeerFactValidator? validator = null,
        AuthenticatedPeer? peer = null,
        string value = "1") => Register(registry, WithLease(peer ?? _world.Judge(), lifetime ?? s_lifetime, validator, value));

    private static FakeConnection Register(ConnectionRevalidator registry, AuthenticatedPeer peer)
    {
        using var ticket = registry.Begin();
        var connection = new FakeConnection(peer);
        ticket.Register(connection, null);
        return connection;
    }

    private AuthenticatedPeer WithLease(AuthenticatedPeer peer, TimeSpan lifetime, IPeerFactValidator? validator = null, string value = "1") =>
        peer.WithLeases([new FactLease(
            validator ?? _posture,
            (validator ?? _posture).Name,
            [new PeerFact("patch", value) { Source = "posture" }],
            lifetime,
            Clock.GetTimestamp())]);

    private async Task<ScriptedFacts.Question> AskedAgainAsync(TimeSpan? wait = null)
    {
        Clock.Advance(wait ?? (s_lifetime * 0.75));
        return await _posture.AskedAsync();
    }

    private void Fail(ScriptedFacts.Question question, string how)
    {
        switch (how)
        {
            case "throws":
                question.Throw();
                break;
            case "answers null":
                question.Null();
                break;
            default:
                Clock.Advance(s_timeout);
                break;
        }
    }

    private static async Task FactsAsync(FakeConnection connection, string value)
    {
        using var deadline = new CancellationTokenSource(ConnectedPair.Deadline);
        while (connection.Peer.Facts[0].Value != value)
        {
            deadline.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    /// <summary>A clock whose wall can be set, while time itself goes on.</summary>
    private sealed class SteppedClock(FakeTimeProvider inner) : TimeProvider
    {
        internal TimeSpan Step { get; set; }

        public override long TimestampFrequency => inner.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow() + Step;

        public override long GetTimestamp() => inner.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            inner.CreateTimer(callback, state, dueTime, period);
    }
}
