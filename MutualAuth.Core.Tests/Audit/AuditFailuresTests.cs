using System.Globalization;
using System.Net;
using System.Net.Sockets;
using MutualAuth.Audit;
using MutualAuth.Credentials;
using MutualAuth.Tests.Support;
using static MutualAuth.Tests.Support.RecordingSink;

namespace MutualAuth.Tests.Audit;

/// <summary>
/// Sinks that throw, hold their thread, or never answer: who cannot be recorded is not accepted, nothing else breaks, and what was lost is told.
/// </summary>
[CancelAfter(60000)]
public sealed class AuditFailuresTests
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(4.7); // no other wait has this length

    private World _world = null!;
    private RecordingSink _sink = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new World { CloseTimeout = World.Moment };
        _sink = new RecordingSink();
    }

    [TearDown]
    public void TearDown() => _world.Dispose();

    [TestCase("throws")]
    [TestCase("fails")]
    [TestCase("is cancelled")]
    public async Task Who_cannot_be_recorded_is_refused(string how)
    {
        using var log = new EventLog();
        _sink.Instead = Broken(how);
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions, _world.ServerOptions with { Audit = _sink.Policy, LoggerFactory = log });

        (ends.Server.Refusal.Reason, ends.Server.Refusal.Failure).Should().Be((RejectionReason.AuditNotRecorded, HandshakeFailure.OurFault));
        ends.Client.Refusal.PeerReason.Should().Be(PublicReason.InternalError);
        (await log.NextAsync(1650)).Values["Kind"].Should().Be(AuditKinds.Configured, "that was the first");
        log.Drain().Should().NotContain(what => what.Id == 1650, "it is told once");
    }

    [Test]
    public async Task A_client_does_not_stay_with_a_server_that_it_cannot_record()
    {
        _sink.Instead = Broken("fails");
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions with { Audit = _sink.Policy }, _world.ServerOptions);

        ends.Client.Refusal.Reason.Should().Be(RejectionReason.AuditNotRecorded);
        ends.Server.Refusal.Reason.Should().Be(RejectionReason.RefusedByPeer);
    }

    [Test]
    public async Task Who_says_that_it_is_dangerous_may_go_on_without()
    {
        using var log = new EventLog();
        _sink.Instead = Broken("fails");
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions,
            _world.ServerOptions with
            {
                Audit = _sink.Policy with { OnFailure = AuditFailureAction.DangerouslyContinueWithoutAudit },
                LoggerFactory = log,
            });

        ends.Server.Accepted.IsConfirmed.Should().BeTrue();
        (await log.NextAsync(1651)).Level.Should().Be(Microsoft.Extensions.Logging.LogLevel.Critical);
    }

    /// <summary>Also where both write into one sink, which is how several servers keep one trail.</summary>
    [TestCase(AuditFailureAction.DangerouslyContinueWithoutAudit, AuditFailureAction.RefuseConnections, RejectionReason.AuditNotRecorded)]
    [TestCase(AuditFailureAction.RefuseConnections, AuditFailureAction.DangerouslyContinueWithoutAudit, null)]
    public async Task The_server_that_is_selected_says_what_happens_without_a_record(
        AuditFailureAction ofFront, AuditFailureAction ofSelected, RejectionReason? reason)
    {
        _sink.Instead = Broken("fails");
        var special = new MutualTlsServer(_world.ServerOptions with { Audit = _sink.Policy with { OnFailure = ofSelected } });
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions,
            _world.ServerOptions with { Audit = _sink.Policy with { OnFailure = ofFront }, SelectServer = (_, _, _) => new(special) });

        (ends.Server.Failure as HandshakeException)?.Reason.Should().Be(reason);
        (ends.Server.Connection is not null).Should().Be(reason is null);
    }

    [Test]
    public async Task Front_and_selected_server_with_one_sink_record_the_beginning_once()
    {
        var special = new MutualTlsServer(_world.ServerOptions with { Audit = _sink.Policy });
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions,
            _world.ServerOptions with
            {
                Audit = _sink.Policy with { OnFailure = AuditFailureAction.DangerouslyContinueWithoutAudit },
                SelectServer = (_, _, _) => new(special),
            });

        ends.Server.Accepted.IsConfirmed.Should().BeTrue();
        _sink.Kinds.Should().Equal(AuditKinds.Configured, AuditKinds.Configured, AuditKinds.ConnectionBegun, AuditKinds.Authenticated);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_sink_that_never_answers_is_given_up_after_its_time(bool holdsItsThread)
    {
        var clock = new HurriedClock(s_timeout);
        using var gate = new ManualResetEventSlim();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _sink.Instead = (what, _) =>
        {
            if (holdsItsThread || what.What == AuditKinds.Authenticated)
            {
                asked.TrySetResult();
            }

            if (holdsItsThread)
            {
                gate.Wait(CancellationToken.None);
            }

            return new TaskCompletionSource().Task;
        };
        try
        {
            var shaking = ConnectedPair.ShakeAsync(
                _world.ClientOptions, _world.ServerOptions with { Audit = _sink.Policy with { Timeout = s_timeout }, TimeProvider = clock });
            await asked.Task.WaitAsync(ConnectedPair.Deadline);
            clock.Hurry();
            await using var ends = await shaking.WaitAsync(ConnectedPair.Deadline);

            ends.Server.Refusal.Reason.Should().Be(RejectionReason.AuditNotRecorded);
            ends.Server.Refusal.Rejection.Presented.Should().Be("no answer in that time");
        }
        finally
        {
            gate.Set();
        }
    }

    [Test]
    public async Task What_was_lost_is_told_before_the_next_event()
    {
        using var log = new EventLog();
        var options = _world.ServerOptions with { Audit = _sink.Policy, LoggerFactory = log };
        var last = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _sink.Instead = (what, _) =>
        {
            if (what.What == AuditKinds.HandshakeFailed)
            {
                last.TrySetResult(); // no call waits for it
            }

            return Task.FromException(new IOException("The disk is full."));
        };
        await using (var refused = await ConnectedPair.ShakeAsync(_world.ClientOptions, options))
        {
            refused.Server.Refusal.Reason.Should().Be(RejectionReason.AuditNotRecorded);
        }

        await last.Task.WaitAsync(ConnectedPair.Deadline);

        _sink.Instead = null;
        await using var ends = await ConnectedPair.ShakeAsync(_world.ClientOptions, options);

        ends.Server.Accepted.IsConfirmed.Should().BeTrue();
        _sink.All[0].What.Should().Be(AuditKinds.EventsLost);
        (Detail(_sink.All[0], "events"), Detail(_sink.All[0], "first")).Should().Be(("4", AuditKinds.Configured));
        _sink.Kinds.Skip(1).Should().Equal(AuditKinds.Configured, AuditKinds.ConnectionBegun, AuditKinds.Authenticated);
        (await log.NextAsync(1652)).Values["Lost"].Should().Be(4L);
    }

    /// <summary>
    /// Whoever can open a socket can be refused at the login, as often as it likes: that must not leave a sink without room for those who are let in.
    /// </summary>
    [TestCase(false, 2)]
    [TestCase(true, 1)]
    public async Task A_login_that_is_refused_is_of_a_stranger_unless_a_certificate_was_accepted(bool showsOne, int ofStrangers)
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var users = await TestUsers.CreateAsync();
        var refused = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _sink.Instead = (what, _) =>
        {
            if (what.What == AuditKinds.LoginRefused)
            {
                refused.SetResult();
            }

            return new TaskCompletionSource().Task;
        };
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with
            {
                Identity = showsOne ? _world.ClientIdentity : ClientIdentity.None,
                Credentials = Login.WithPassword("alice", "wrong"),
            },
            _world.ServerOptions with
            {
                Audit = _sink.Policy,
                Credentials = Require.CertificateOrUser(SaslServer.Scram(users)),
                TimeProvider = clock,
            });
        await refused.Task.WaitAsync(ConnectedPair.Deadline);

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.CredentialsWrong);
        SinkWriter.Of(_sink).Pending.Should().Be((3, ofStrangers), "the configuration is no one's, and the socket is a stranger's");
    }

    [Test]
    public async Task A_broken_sink_ends_no_listener()
    {
        _sink.Instead = Broken("throws");
        await using var listener = MutualTlsListener.Start(new()
        { EndPoint = new IPEndPoint(IPAddress.Loopback, 0), Server = new(_world.ServerOptions with { Audit = _sink.Policy }) });
        var client = new MutualTlsClient(_world.ClientOptions);
        await client.Invoking(each => each.ConnectAsync(listener.LocalEndPoint, "server.test")).Should().ThrowAsync<HandshakeException>();

        _sink.Instead = null;
        await using var connection = await client.ConnectAsync(listener.LocalEndPoint, "server.test").WaitAsync(ConnectedPair.Deadline);

        await using var accepted = await listener.AcceptAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
        accepted.Peer.Name.Should().Be("client.test");
    }

    [Test]
    public async Task A_sink_that_hangs_holds_no_close_and_no_stop()
    {
        var listener = MutualTlsListener.Start(new()
        { EndPoint = new IPEndPoint(IPAddress.Loopback, 0), Server = new(_world.ServerOptions with { Audit = _sink.Policy }) });
        await using var connection = await new MutualTlsClient(_world.ClientOptions).ConnectAsync(listener.LocalEndPoint, "server.test");
        var accepted = await listener.AcceptAsync();
        _sink.Instead = (_, _) => new TaskCompletionSource().Task;

        await accepted.DisposeAsync().AsTask().WaitAsync(ConnectedPair.Deadline);
        await listener.StopAsync(TimeSpan.Zero).WaitAsync(ConnectedPair.Deadline);
    }

    [Test]
    public async Task Strangers_do_not_fill_the_sink_for_those_who_are_authenticated()
    {
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var auditor = Auditor.For(_sink.Policy, Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance, TimeProvider.System)!;
        _sink.Instead = (what, _) => what.What == AuditKinds.EventsLost ? null : held.Task;
        var strangers = Enumerable.Range(0, 5000)
            .Select(_ => (Task<Exception?>)auditor.Tell(new AuditEvent("stranger", "x"), isOfStranger: true)).ToList();
        var known = auditor.RequireAsync(new AuditEvent("known", "x"), default).AsTask();

        strangers.Count(task => task.IsCompleted).Should().Be(5000 - SinkWriter.MaxPendingOfStrangers, "the others are refused at once");
        held.SetResult();

        (await known.WaitAsync(ConnectedPair.Deadline)).Should().BeNull();
        var outcomes = await Task.WhenAll(strangers).WaitAsync(ConnectedPair.Deadline);
        outcomes.Count(fault => fault is null).Should().Be(SinkWriter.MaxPendingOfStrangers);
        _sink.Instead = null;
        (await auditor.RequireAsync(new AuditEvent("next", "x"), default)).Should().BeNull();
        _sink.All.Where(what => what.What == AuditKinds.EventsLost).Sum(what => int.Parse(Detail(what, "events")!, CultureInfo.InvariantCulture))
            .Should().Be(5000 - SinkWriter.MaxPendingOfStrangers, "each of them is told, and once");
    }

    [Test]
    public async Task A_sink_whose_calls_never_end_holds_so_many_events_and_refuses_the_next_at_once()
    {
        var clock = new HurriedClock(s_timeout); // it lets no time pass
        _sink.Instead = (_, _) => new TaskCompletionSource().Task;
        var auditor = Auditor.For(
            _sink.Policy with { Timeout = s_timeout }, Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance, clock)!;
        var held = Enumerable.Range(0, SinkWriter.MaxPending).Select(_ => auditor.Tell(new AuditEvent("held", "x"))).ToList();

        var next = await auditor.RequireAsync(new AuditEvent("next", "x"), default).AsTask().WaitAsync(ConnectedPair.Deadline);

        next!.Reason.Should().Be(RejectionReason.AuditNotRecorded);
        held.Should().OnlyContain(task => !task.IsCompleted);
        clock.Hurry();
        await Task.WhenAll(held).WaitAsync(ConnectedPair.Deadline); // each is given up, and still has its place
        (await auditor.RequireAsync(new AuditEvent("late", "x"), default)).Should().NotBeNull();
    }

    [Test]
    public async Task Events_reach_the_sink_in_their_order_and_one_at_a_time()
    {
        var inside = 0;
        var most = 0;
        _sink.Instead = (_, _) =>
        {
            most = Math.Max(most, Interlocked.Increment(ref inside));
            Thread.SpinWait(200);
            Interlocked.Decrement(ref inside);
            return null;
        };
        var auditor = Auditor.For(_sink.Policy, Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance, TimeProvider.System)!;

        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(async () =>
        {
            var told = Enumerable.Range(0, 200).Select(number => auditor.Tell(new AuditEvent($"{thread}", $"{number}"))).ToList();
            await Task.WhenAll(told);
        }))).WaitAsync(ConnectedPair.Deadline);

        most.Should().Be(1);
        for (var thread = 0; thread < 4; thread++)
        {
            _sink.All.Where(what => what.What == $"{thread}").Select(what => what.Text).Should().Equal(Enumerable.Range(0, 200).Select(n => $"{n}"));
        }
    }

    [Test]
    public async Task A_reauthentication_that_cannot_be_recorded_does_not_count()
    {
        var users = await TestUsers.CreateAsync();
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Credentials = Login.WithPassword("alice", "right") },
            _world.ServerOptions with { Audit = _sink.Policy, Credentials = Require.CertificateAndUser(SaslServer.Scram(users)) });
        var before = ends.Server.Accepted.Peer.User;
        _sink.Instead = Broken("fails");

        await using var verifier = ends.Server.Accepted.BeginReauthentication();
        using var responder = ends.Client.Accepted.AnswerReauthentication(Login.WithPassword("alice", "right"));
        await StepUpWire.RunAsync(verifier, responder);

        (verifier.User, verifier.Rejection!.Reason).Should().Be((null, RejectionReason.AuditNotRecorded));
        ends.Server.Accepted.Peer.User.Should().BeSameAs(before);
    }

    [Test]
    public async Task A_login_that_cannot_be_recorded_is_refused()
    {
        var users = await TestUsers.CreateAsync();
        _sink.Instead = (what, _) => what.What == AuditKinds.LoginAccepted ? Task.FromException(new IOException("full")) : null;
        await using var ends = await ConnectedPair.ShakeAsync(
            _world.ClientOptions with { Credentials = Login.WithPassword("alice", "right") },
            _world.ServerOptions with { Audit = _sink.Policy, Credentials = Require.CertificateAndUser(SaslServer.Scram(users)) });

        ends.Server.Refusal.Reason.Should().Be(RejectionReason.AuditNotRecorded);
        _sink.Kinds.Should().NotContain(AuditKinds.Authenticated);
    }

    [Test]
    public void A_policy_that_contradicts_itself_is_not_taken()
    {
        var options = _world.ServerOptions with
        { Audit = new AuditPolicy { Sink = null!, OnFailure = (AuditFailureAction)9, Timeout = TimeSpan.FromMinutes(2) } };

        FluentActions.Invoking(() => new MutualTlsServer(options)).Should().Throw<ArgumentException>()
            .WithMessage("*AuditPolicy.Sink*AuditPolicy.OnFailure*AuditPolicy.Timeout*");
    }

    private static Func<AuditEvent, CancellationToken, Task?> Broken(string how) => (_, _) => how switch
    {
        "throws" => throw new IOException("The disk is full."),
        "fails" => Task.FromException(new IOException("The disk is full.")),
        _ => Task.FromCanceled(new CancellationToken(true)),
    };
}
