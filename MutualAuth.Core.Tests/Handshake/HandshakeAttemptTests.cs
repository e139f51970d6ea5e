using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Time.Testing;
using MutualAuth.Authorization;
using MutualAuth.Handshake;
using MutualAuth.Testing.Transports;
using MutualAuth.Tests.Support;
using MutualAuth.Transport;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Handshake;

/// <summary>What becomes of one attempt: its one outcome, in which words, and what the peer hears last.</summary>
[CancelAfter(60000)]
public sealed class HandshakeAttemptTests
{
    private static readonly byte[] s_flight = [22, 3, 3, 0, 30, .. new byte[30]];

    private World _world = null!;
    private FakeTimeProvider _clock = null!;
    private DuplexPair _wire = null!;

    [SetUp]
    public void SetUp()
    {
        _world = new World();
        _clock = new FakeTimeProvider();
        _wire = new DuplexPair();
        _wire.ServerToClient.Record = _wire.ClientToServer.Record = true;
    }

    [TearDown]
    public async Task TearDown()
    {
        await _wire.DisposeAsync();
        _world.Dispose();
    }

    [Test]
    public async Task An_attempt_ends_at_its_deadline_and_not_before()
    {
        using var attempt = Begin(PeerRole.Server);
        _clock.Advance(TimeSpan.FromSeconds(10) - TimeSpan.FromTicks(1));
        attempt.Token.IsCancellationRequested.Should().BeFalse();
        _clock.Advance(TimeSpan.FromTicks(1));
        attempt.Token.IsCancellationRequested.Should().BeTrue();

        var outcome = await FailAsync(attempt, new OperationCanceledException());

        (outcome.Failure, outcome.Reason).Should().Be((HandshakeFailure.TimedOut, RejectionReason.NoClientHello));
    }

    [Test]
    public async Task Whoever_is_late_is_described_by_how_far_it_came([Values] PeerRole ourRole, [Values] bool helloSeen, [Values] bool isAsked)
    {
        using var attempt = Begin(ourRole);
        await _wire.Client.WriteAsync(new byte[] { 22, 3, 3 });
        (await attempt.Transport.ReadAsync(new byte[10])).Should().Be(3);
        attempt.HelloSeen = helloSeen;
        attempt.Asked = isAsked ? "an answer" : null;
        _clock.Advance(TimeSpan.FromSeconds(10));

        var outcome = await FailAsync(attempt, new OperationCanceledException());

        var isHalf = ourRole == PeerRole.Server && !helloSeen && !isAsked;
        outcome.Reason.Should().Be(isHalf ? RejectionReason.IncompleteClientHello : RejectionReason.HandshakeTimedOut);
        outcome.Rejection.Presented.Should().Contain(isAsked ? "code of ours that had not given an answer" : "3 bytes");
        (outcome.Rejection.Hint is not null).Should().Be(isAsked);
    }

    [Test]
    public async Task Whoever_is_late_and_speaks_something_else_is_told_by_that([Values] PeerRole ourRole)
    {
        using var attempt = Begin(ourRole);
        await _wire.Client.WriteAsync("SSH-"u8.ToArray());
        (await attempt.Transport.ReadAsync(new byte[10])).Should().Be(4);
        _clock.Advance(TimeSpan.FromSeconds(10));

        (await FailAsync(attempt, new OperationCanceledException())).Reason.Should().Be(RejectionReason.PlainSsh);
    }

    [Test]
    public async Task A_caller_that_gives_up_gets_its_own_cancellation()
    {
        using var caller = new CancellationTokenSource();
        using var attempt = Begin(PeerRole.Client, caller.Token);
        await caller.CancelAsync();
        attempt.Token.IsCancellationRequested.Should().BeTrue();

        var thrown = await attempt.FailedAsync(new OperationCanceledException(attempt.Token));

        thrown.Should().BeOfType<OperationCanceledException>().Which.CancellationToken.Should().Be(caller.Token);
    }

    [Test]
    public async Task A_failure_that_is_no_cancellation_stays_one_although_the_caller_has_given_up()
    {
        using var caller = new CancellationTokenSource();
        using var attempt = Begin(PeerRole.Client, caller.Token);
        await caller.CancelAsync();

        (await FailAsync(attempt, new IOException("x"))).Failure.Should().Be(HandshakeFailure.TransportLost);
    }

    [Test]
    public async Task What_ended_an_attempt_from_outside_is_its_reason_and_the_first_one_counts()
    {
        using var caller = new CancellationTokenSource();
        using var attempt = Begin(PeerRole.Server, caller.Token);
        attempt.Abort(new Rejection(RejectionReason.Overloaded, "x", "first"));
        attempt.Abort(new Rejection(RejectionReason.Overloaded, "x", "second"));
        await caller.CancelAsync();

        var outcome = await FailAsync(attempt, new OperationCanceledException());

        (outcome.Failure, outcome.Rejection.Presented).Should().Be((HandshakeFailure.NoCapacity, "first"));
    }

    [Test]
    public void What_ends_an_attempt_that_is_over_has_no_effect()
    {
        var attempt = Begin(PeerRole.Server);
        attempt.Dispose();

        attempt.Invoking(each => each.Abort(new Rejection(RejectionReason.Overloaded, "x", "y"))).Should().NotThrow();
    }

    private static IEnumerable<TestCaseData> Thrown()
    {
        static TestCaseData Case(Exception exception, HandshakeFailure failure, RejectionReason reason) =>
            new TestCaseData(exception, failure, reason).SetArgDisplayNames(exception.GetType().Name);

        yield return Case(new IOException("x"), HandshakeFailure.TransportLost, RejectionReason.TransportClosed);
        yield return Case(new System.Net.Sockets.SocketException(), HandshakeFailure.TransportLost, RejectionReason.TransportClosed);
        yield return Case(new ObjectDisposedException("x"), HandshakeFailure.TransportLost, RejectionReason.TransportClosed);
        yield return Case(new AuthenticationException("x"), HandshakeFailure.PeerMisbehaved, RejectionReason.TlsProtocolViolation);
        yield return Case(
            new System.Security.Cryptography.CryptographicException("x"), HandshakeFailure.PeerRejected, RejectionReason.CertificateMalformed);
        yield return Case(new InvalidOperationException("x"), HandshakeFailure.OurFault, RejectionReason.SourceFaulted);
        yield return Case(new OperationCanceledException("nobody's"), HandshakeFailure.OurFault, RejectionReason.SourceFaulted);
    }

    [TestCaseSource(nameof(Thrown))]
    public async Task Every_exception_has_one_outcome(Exception exception, HandshakeFailure failure, RejectionReason reason)
    {
        using var attempt = Begin(PeerRole.Client);

        var outcome = await FailAsync(attempt, exception);

        (outcome.Failure, outcome.Reason, outcome.InnerException).Should().Be((failure, reason, exception));
    }

    [Test]
    public async Task The_outcome_names_the_peer_and_its_address_where_it_does_not_yet()
    {
        using var attempt = Begin(PeerRole.Server);
        attempt.ClaimedName = "claimed";

        var outcome = await FailAsync(attempt, new IOException("x"));

        (outcome.PeerName, outcome.RemoteEndPoint).Should().Be(("claimed", attempt.RemoteEndPoint));
        var known = new HandshakeException(HandshakeFailure.PeerRejected, new Rejection(RejectionReason.NotAuthorized, "x", "y"))
        { PeerName = "known", RemoteEndPoint = new IPEndPoint(1, 2) };
        using var other = Begin(PeerRole.Server);
        other.ClaimedName = "claimed";
        (await FailAsync(other, known)).Should().BeSameAs(known);
        (known.PeerName, known.RemoteEndPoint).Should().Be(("known", new IPEndPoint(1, 2)));
    }

    [Test]
    public async Task A_client_whose_server_is_at_fault_hears_that_it_is_not_the_one([Values] bool helloSeen, [Values] bool hasSent)
    {
        using var attempt = Begin(PeerRole.Server);
        attempt.HelloSeen = helloSeen;
        _wire.Client.ShutdownWrite();
        if (hasSent)
        {
            await attempt.Transport.WriteAsync(new byte[] { 1 });
        }

        attempt.Transport.Hold();
        await attempt.Transport.WriteAsync(new byte[] { 21, 3, 3, 0, 2, 2, 70 });

        await FailAsync(attempt, new InvalidOperationException("x"));

        // Where something has gone out, or no hello has come, what the TLS engine said stands.
        byte[] said = helloSeen && !hasSent ? [21, 3, 3, 0, 2, 2, 80] : [21, 3, 3, 0, 2, 2, 70];
        _wire.ServerToClient.Recording.Should().Equal(hasSent ? [1, .. said] : said);
    }

    [Test]
    public async Task A_client_that_has_failed_keeps_its_last_flight_and_says_no_in_the_clear()
    {
        using var attempt = Begin(PeerRole.Client);
        attempt.Transport.Hold();
        await attempt.Transport.WriteAsync(s_flight);

        await FailAsync(attempt, new IOException("x"));

        _wire.ServerToClient.Recording.Should().Equal(21, 3, 3, 0, 2, 2, 40);
    }

    [Test]
    public async Task A_server_that_has_failed_sends_what_it_has_and_so_does_a_client_whose_engine_has_said_an_alert([Values] PeerRole ourRole)
    {
        using var attempt = Begin(ourRole);
        attempt.Transport.Hold();
        var held = ourRole == PeerRole.Server ? s_flight : [21, 3, 3, 0, 2, 2, 48];
        await attempt.Transport.WriteAsync(held);

        await FailAsync(attempt, new IOException("x"));

        _wire.ServerToClient.Recording.Should().Equal(held);
    }

    [Test]
    public async Task A_client_that_gives_up_keeps_its_last_flight_and_says_nothing()
    {
        using var caller = new CancellationTokenSource();
        using var attempt = Begin(PeerRole.Client, caller.Token);
        attempt.Transport.Hold();
        await attempt.Transport.WriteAsync(s_flight);
        await caller.CancelAsync();

        await attempt.FailedAsync(new OperationCanceledException());

        _wire.ServerToClient.Recording.Should().BeEmpty();
        (await _wire.Client.ReadAsync(new byte[1])).Should().Be(0, "the transport is closed");
    }

    [Test]
    public async Task Whatever_fails_the_transport_is_closed_and_the_place_given_back([Values] bool isPolite)
    {
        var admission = new Noting();
        using var attempt = Begin(PeerRole.Server);
        attempt.Admission = admission;
        _wire.Client.ShutdownWrite();

        await FailAsync(attempt, new HandshakeException(
            isPolite ? HandshakeFailure.PeerRejected : HandshakeFailure.TransportLost, new Rejection(RejectionReason.NotAuthorized, "x", "y")));

        (await _wire.Client.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline)).Should().Be(0);
        admission.Said.Should().Equal(isPolite ? ["leave", "begin linger", "end linger"] : ["leave"]);
        attempt.Transport.HasEnded.Should().Be(isPolite, "only a polite close waits for the peer's end");
    }

    [Test]
    public async Task Where_too_many_closes_linger_this_one_does_not()
    {
        var admission = new Noting { HasRoom = false };
        using var attempt = Begin(PeerRole.Server);
        attempt.Admission = admission;

        await FailAsync(attempt, new HandshakeException(HandshakeFailure.PeerRejected, new Rejection(RejectionReason.NotAuthorized, "x", "y")));

        admission.Said.Should().Equal("leave", "begin linger");
        attempt.Transport.HasEnded.Should().BeFalse();
        (await _wire.Client.ReadAsync(new byte[1]).AsTask().WaitAsync(ConnectedPair.Deadline)).Should().Be(0);
    }

    [TestCase(HandshakeFailure.PeerRejected, false, true)]
    [TestCase(HandshakeFailure.NoAgreement, false, true)]
    [TestCase(HandshakeFailure.OurFault, true, true)]
    [TestCase(HandshakeFailure.OurFault, false, false)]
    [TestCase(HandshakeFailure.RefusedByPeer, true, false)]
    [TestCase(HandshakeFailure.PeerMisbehaved, false, false)]
    public async Task A_close_lingers_where_the_peer_has_something_to_hear(HandshakeFailure failure, bool hasSent, bool lingers)
    {
        var admission = new Noting();
        using var attempt = Begin(PeerRole.Server);
        attempt.Admission = admission;
        _wire.Client.ShutdownWrite();
        if (hasSent)
        {
            await attempt.Transport.WriteAsync(new byte[] { 1 });
        }

        await FailAsync(attempt, new HandshakeException(failure, new Rejection(RejectionReason.NotAuthorized, "x", "y")));

        admission.Said.Contains("begin linger").Should().Be(lingers);
    }

    [Test]
    public async Task An_alert_in_the_clear_is_not_overtaken_whatever_the_failure()
    {
        var admission = new Noting();
        using var attempt = Begin(PeerRole.Server);
        attempt.Admission = admission;
        _wire.Client.ShutdownWrite();
        await attempt.Transport.RefuseAsync(10, CancellationToken.None);

        await FailAsync(attempt, new HandshakeException(
            HandshakeFailure.PeerMisbehaved, new Rejection(RejectionReason.MalformedClientHello, "x", "y")));

        admission.Said.Should().Equal("leave", "begin linger", "end linger");
    }

    [Test]
    public async Task What_the_application_is_asked_for_is_named_when_it_throws_and_no_longer_once_it_has_answered()
    {
        using var attempt = Begin(PeerRole.Server);
        attempt.HelloSeen = true;
        (await attempt.AskAsync("something", () => ValueTask.FromResult(5))).Should().Be(5);

        var ask = () => attempt.AskAsync<int>("something", () => throw new MaterialException("The file is gone.")).AsTask();

        var outcome = (await ask.Should().ThrowAsync<HandshakeException>()).Which;
        (outcome.Failure, outcome.Reason, outcome.Rejection.Expected)
            .Should().Be((HandshakeFailure.OurFault, RejectionReason.SourceFaulted, "something"));
        outcome.Rejection.Hint.Should().Be("The file is gone.");

        using var other = Begin(PeerRole.Server);
        other.HelloSeen = true;
        await other.AskAsync("something", () => ValueTask.FromResult(5));
        _clock.Advance(TimeSpan.FromSeconds(10));
        (await FailAsync(other, new OperationCanceledException())).Rejection.Presented.Should().NotContain("something");
    }

    [Test]
    public async Task A_cancellation_of_the_applications_own_is_its_fault_and_one_of_the_attempt_is_not([Values] bool isOurs)
    {
        using var attempt = Begin(PeerRole.Server);
        if (isOurs)
        {
            _clock.Advance(TimeSpan.FromSeconds(10));
        }

        var ask = () => ApplicationCalls.AskAsync<int>("x", () => throw new OperationCanceledException(), attempt.Token).AsTask();

        if (isOurs)
        {
            await ask.Should().ThrowAsync<OperationCanceledException>();
        }
        else
        {
            (await ask.Should().ThrowAsync<HandshakeException>()).Which.Failure.Should().Be(HandshakeFailure.OurFault);
        }
    }

    [Test]
    public async Task A_stream_that_carries_octets_one_way_is_not_entered([Values] bool readOnly)
    {
        var stream = new MemoryStream([1], writable: !readOnly);
        if (!readOnly)
        {
            await stream.DisposeAsync();
        }

        using var attempt = HandshakeAttempt.Begin(stream, PeerRole.Server, Options, CancellationToken.None);

        var outcome = attempt.Invoking(each => each.Enter()).Should().Throw<HandshakeException>().Which;
        (outcome.Failure, outcome.Reason).Should().Be((HandshakeFailure.OurFault, RejectionReason.TransportUnusable));
    }

    [Test]
    public async Task A_TCP_socket_sends_at_once_and_looks_after_its_peer_and_another_socket_is_left_as_it_is()
    {
        var (peer, ours) = await ConnectedPair.SocketPairAsync();
        using var _ = peer;
        ours.NoDelay = false;
        using var attempt = HandshakeAttempt.Begin(
            ours, PeerRole.Server, Options with { KeepAlive = new() { RetryCount = 7 } }, CancellationToken.None);

        attempt.Enter();

        ours.NoDelay.Should().BeTrue();
        ours.GetSocketOption(System.Net.Sockets.SocketOptionLevel.Tcp, System.Net.Sockets.SocketOptionName.TcpKeepAliveRetryCount)
            .Should().Be(7);
        attempt.RemoteEndPoint.Should().Be(peer.LocalEndPoint);
        await attempt.FailedAsync(new IOException("x"));
        ours.Invoking(each => each.Available).Should().Throw<ObjectDisposedException>("it is closed");
    }

    [Test]
    public async Task A_socket_that_is_closed_or_not_connected_has_no_address_and_is_no_exception([Values] bool isClosed)
    {
        var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        if (isClosed)
        {
            socket.Dispose();
        }

        using var attempt = HandshakeAttempt.Begin(socket, PeerRole.Server, Options, CancellationToken.None);

        attempt.RemoteEndPoint.Should().BeNull();
        var outcome = attempt.Invoking(each => each.Enter()).Should().Throw<HandshakeException>().Which;
        outcome.Reason.Should().Be(RejectionReason.TransportUnusable);
        await attempt.FailedAsync(outcome);
        socket.Invoking(each => each.Available).Should().Throw<ObjectDisposedException>("it is closed");
    }

    [Test]
    public async Task What_has_held_the_deadline_of_the_dial_holds_that_of_the_handshake_and_ends_with_the_attempt()
    {
        var dial = MutualAuth.Connections.Dialer.Stop(new CancellationTokenSource(TimeSpan.FromHours(1)))!;
        var (peer, socket) = await ConnectedPair.SocketPairAsync();
        using var closing = peer;
        var options = _world.ClientOptions with { HandshakeTimeout = TimeSpan.FromMilliseconds(20) };
        var attempt = HandshakeAttempt.Begin(socket, PeerRole.Client, options, CancellationToken.None, dial);
        attempt.Token.Should().Be(dial.Token);
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = attempt.Token.Register(over.SetResult);

        await over.Task.WaitAsync(ConnectedPair.Deadline);

        (await FailAsync(attempt, new OperationCanceledException(attempt.Token))).Failure.Should().Be(HandshakeFailure.TimedOut);
        attempt.Dispose();
        dial.Invoking(each => each.Token).Should().Throw<ObjectDisposedException>();
    }

    /// <summary>
    /// So that the engine cannot come as far as the judge, which may hold its thread, before the attempt waits for it with its deadline.
    /// </summary>
    [Test]
    public async Task A_peer_that_is_as_quick_as_can_be_is_not_read_before_the_engine_is_waited_for(CancellationToken cancellationToken)
    {
        var (peer, socket) = await ConnectedPair.SocketPairAsync();
        using var closing = peer;
        using var caller = new CancellationTokenSource();
        using var attempt = HandshakeAttempt.Begin(socket, PeerRole.Client, _world.ClientOptions, caller.Token);
        await using var tls = new GuardedSslStream(attempt.Transport);
        await peer.SendAsync(new byte[] { 7, 8 }, cancellationToken);
        socket.Poll(TimeSpan.FromSeconds(30), SelectMode.SelectRead).Should().BeTrue();
        attempt.Transport.ReadAsync(new byte[1], cancellationToken).AsTask().IsCompleted.Should().BeTrue("there is something to read");
        Task<int>? reading = null;
        bool? hasEnded = null;
        var settings = new SslClientAuthenticationOptions
        {
            TargetHost = "server.test",

            // The engine calls it on the thread that starts it.
            LocalCertificateSelectionCallback = (_, _, _, _, _) =>
            {
                reading ??= attempt.Transport.ReadAsync(new byte[1], cancellationToken).AsTask();
                hasEnded ??= reading.IsCompleted;
                return null!;
            },
        };

        var judge = new PeerValidationCallback(new CertificateStage(_world.ClientOptions), TimeProvider.System, PeerRole.Server);

        var running = attempt.RunEngineAsync(tls, settings, judge).AsTask();

        hasEnded.Should().BeFalse("the engine was being started");
        (await reading!.WaitAsync(ConnectedPair.Deadline, cancellationToken)).Should().Be(1);
        await caller.CancelAsync();
        await running.Awaiting(task => task.WaitAsync(ConnectedPair.Deadline, CancellationToken.None))
            .Should().ThrowAsync<OperationCanceledException>();
        judge.Wait.Should().BeNull("it may be another handshake's by now");
    }

    /// <summary>A wait that has ended without its engine is no other handshake's: the engine may end at any time, and would end that one's.</summary>
    [Test]
    public async Task The_wait_for_an_engine_that_was_left_is_never_used_again([Values] bool isLeft)
    {
        using var letGo = new ManualResetEventSlim();
        var isHeld = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var caller = new CancellationTokenSource();
        using var attempt = Begin(PeerRole.Server, caller.Token);
        var judge = new PeerValidationCallback(
            new CertificateStage(_world.ServerOptions with { Validators = [new Holding(isHeld, letGo)] }), TimeProvider.System, PeerRole.Client);
        await using var tls = new GuardedSslStream(attempt.Transport) { Judge = judge };
        var settings = TlsSettings.ForServer(_world.ServerOptions, _world.ServerIdentity, protocol: null, sharesContext: false);
        var running = attempt.RunEngineAsync(tls, settings, judge).AsTask();
        var client = ScriptedTlsPeer.AsClientAsync(_wire.Client, _world.ClientCertificate, protocol: null);
        await isHeld.Task.WaitAsync(ConnectedPair.Deadline);
        var wait = judge.Wait!;

        if (isLeft)
        {
            await caller.CancelAsync();
            await running.Awaiting(task => task.WaitAsync(ConnectedPair.Deadline)).Should().ThrowAsync<OperationCanceledException>();
            letGo.Set();
        }
        else
        {
            letGo.Set();
            await running.WaitAsync(ConnectedPair.Deadline);
            judge.Wait.Should().BeNull();
        }

        var spares = Enumerable.Range(0, 100).Select(_ => EngineWait.Take(attempt.Transport, CancellationToken.None)).ToList();
        spares.Contains(wait).Should().Be(!isLeft);
        await (await client.WaitAsync(ConnectedPair.Deadline)).DisposeAsync();
    }

    private MutualTlsServerOptions Options => _world.ServerOptions with { TimeProvider = _clock };

    private HandshakeAttempt Begin(PeerRole ourRole, CancellationToken caller = default) =>
        HandshakeAttempt.Begin(_wire.Server, ourRole, Options, caller, new IPEndPoint(IPAddress.Loopback, 5));

    private static async Task<HandshakeException> FailAsync(HandshakeAttempt attempt, Exception exception) =>
        (await attempt.FailedAsync(exception).AsTask().WaitAsync(ConnectedPair.Deadline)).Should().BeOfType<HandshakeException>().Which;

    private sealed class Holding(TaskCompletionSource isHeld, ManualResetEventSlim letGo) : ICertificateValidator
    {
        public Rejection? Examine(CertificateContext context)
        {
            isHeld.SetResult();
            letGo.Wait(ConnectedPair.Deadline);
            return null;
        }
    }

    private sealed class Noting : MutualAuth.Transport.IAdmission
    {
        internal List<string> Said { get; } = [];

        internal bool HasRoom { get; init; } = true;

        public void AddressIsKnown()
        {
        }

        public void HelloIsComplete()
        {
        }

        public ValueTask EnterAsync() => default;

        public void BeginWait()
        {
        }

        public ValueTask EndWaitAsync() => default;

        public void WorkIsDone()
        {
        }

        public void Leave() => Said.Add("leave");

        public bool TryBeginLinger()
        {
            Said.Add("begin linger");
            return HasRoom;
        }

        public void EndLinger() => Said.Add("end linger");
    }
}
