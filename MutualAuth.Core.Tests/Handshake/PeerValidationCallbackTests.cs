using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Authorization;
using MutualAuth.Handshake;
using MutualAuth.Testing.Transports;
using MutualAuth.Tests.Support;
using MutualAuth.Transport;
using MutualAuth.Validation;

namespace MutualAuth.Tests.Handshake;

/// <summary>
/// The certificate stage cannot be skipped. Later runtimes do not call back on resumed sessions (dotnet/runtime 133174; CVE-2025-68121 is the same
/// in another library): a session without a verdict is judged after the handshake.
/// </summary>
[CancelAfter(60000)]
public sealed class PeerValidationCallbackTests
{
    private World _world = null!;

    [SetUp]
    public void SetUp() => _world = new World();

    [TearDown]
    public void TearDown() => _world.Dispose();

    [Test]
    public async Task A_platform_that_does_not_call_back_does_not_let_in([Values] bool trusted)
    {
        using var certificate = (trusted ? _world.Authority : _world.Foreign).IssueClient("client.test");
        await using var wire = new DuplexPair();
        await using var server = new SslStream(wire.Server);
        var accepting = server.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = _world.ServerIdentity.TlsContext,
            ClientCertificateRequired = true,
            RemoteCertificateValidationCallback = (_, _, _, _) => true, // ours is not called
        });
        await using var client = await ScriptedTlsPeer.AsClientAsync(wire.Client, certificate, protocol: null);
        await accepting.WaitAsync(ConnectedPair.Deadline);
        var judge = new PeerValidationCallback(new CertificateStage(_world.ServerOptions), TimeProvider.System, PeerRole.Client);

        var verdict = judge.JudgeIfCallbackWasSkipped(server);

        if (trusted)
        {
            verdict.Should().BeOfType<CertificateVerdict.Accepted>().Which.Peer.Name.Should().Be("client.test");
        }
        else
        {
            verdict.Should().BeOfType<CertificateVerdict.Rejected>().Which.Rejection.Reason.Should().Be(RejectionReason.UnknownAuthority);
        }
    }

    [Test]
    public void A_callback_without_a_certificate_is_a_rejection()
    {
        var judge = new PeerValidationCallback(new CertificateStage(_world.ServerOptions), TimeProvider.System, PeerRole.Client);

        judge.Validate(new object(), null, null, SslPolicyErrors.None).Should().BeFalse();

        judge.Verdict.Should().BeOfType<CertificateVerdict.Rejected>().Which.Rejection.Reason.Should().Be(RejectionReason.NoCertificate);
    }

    [Test]
    public void What_the_platform_thinks_counts_for_nothing([Values] bool trusted)
    {
        using var certificate = (trusted ? _world.Authority : _world.Foreign).IssueClient("client.test");
        var judge = new PeerValidationCallback(new CertificateStage(_world.ServerOptions), TimeProvider.System, PeerRole.Client);
        var opinion = trusted ? SslPolicyErrors.RemoteCertificateChainErrors : SslPolicyErrors.None;

        judge.Validate(new object(), certificate.Certificate, null, opinion).Should().Be(trusted);
    }

    [Test]
    public void A_later_look_never_turns_a_no_into_a_yes()
    {
        using var bad = _world.Foreign.IssueServer("server.test");
        using var good = _world.Authority.IssueServer("server.test");
        var judge = new PeerValidationCallback(new CertificateStage(_world.ClientOptions), TimeProvider.System, PeerRole.Server)
        { DialledName = ServerName.Parse("server.test") };

        judge.AcceptsBeforeShowing(bad.Certificate).Should().BeFalse();

        judge.Validate(new object(), good.Certificate, null, SslPolicyErrors.None).Should().BeFalse();
    }

    [Test]
    public void What_the_peer_sent_beside_its_certificate_is_evidence_once_and_the_platforms_copies_are_given_back()
    {
        using var intermediate = _world.Authority.IssueIntermediate();
        using var leaf = intermediate.IssueClient("client.test");
        using var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        X509Certificate2[] sent =
            [X509CertificateLoader.LoadCertificate(leaf.RawCertificate.Span), X509CertificateLoader.LoadCertificate(leaf.RawChain[0].Span)];
        chain.ChainPolicy.ExtraStore.AddRange(sent);
        chain.Build(leaf.Certificate);
        var built = chain.ChainElements.Select(element => element.Certificate).ToArray();
        var judge = new PeerValidationCallback(new CertificateStage(_world.ServerOptions), TimeProvider.System, PeerRole.Client);

        judge.Validate(new object(), leaf.Certificate, chain, SslPolicyErrors.None).Should().BeTrue();

        judge.Evidence!.Certificates.Select(each => Convert.ToHexString(each.Span)).Should()
            .Equal(Convert.ToHexString(leaf.RawCertificate.Span), Convert.ToHexString(leaf.RawChain[0].Span));
        sent.Concat(built).Should().OnlyContain(each => each.Handle == 0);
    }

    [Test]
    public void Evidence_says_who_was_dialled_and_from_where()
    {
        var (name, from) = (ServerName.Parse("server.test"), new System.Net.IPEndPoint(1, 2));
        var judge = new PeerValidationCallback(new CertificateStage(_world.ClientOptions), TimeProvider.System, PeerRole.Server)
        { DialledName = name, RemoteEndPoint = from };

        judge.AcceptsShown([_world.ServerCertificate.RawCertificate]).Should().BeTrue();

        (judge.Evidence!.Role, judge.Evidence.DialledName, judge.Evidence.RemoteEndPoint).Should().Be((PeerRole.Server, name, from));
    }

    [Test]
    public async Task Once_the_handshake_has_ended_nobody_is_judged_any_more()
    {
        using var attempt = new CancellationTokenSource();
        var (judge, transport, waiting, _) = JudgeInEngine(_world.ServerOptions, attempt.Token);
        await attempt.CancelAsync();

        judge.Validate(new object(), _world.ClientCertificate.Certificate, null, SslPolicyErrors.None).Should().BeFalse();

        judge.Verdict.Should().BeOfType<CertificateVerdict.Rejected>().Which.Rejection.Reason.Should().Be(RejectionReason.HandshakeTimedOut);
        judge.Evidence.Should().BeNull();
        waiting.IsCompleted.Should().BeFalse("the engine is not held, and ends by itself");
        (await transport.ReadAsync(new byte[1])).Should().Be(0, "it is not cut off");
    }

    [Test]
    public async Task A_judgement_that_is_under_way_when_the_handshake_ends_is_cut_off_before_it_comes_back()
    {
        using var attempt = new CancellationTokenSource();
        Task? read = null;
        HandshakeTransport transport = null!;
        var validator = new Asking(() =>
        {
            attempt.Cancel();
            read = transport.ReadAsync(new byte[1]).AsTask();
        });
        (var judge, transport, var waiting, _) = JudgeInEngine(_world.ServerOptions with { Validators = [validator] }, attempt.Token);

        judge.Validate(new object(), _world.ClientCertificate.Certificate, null, SslPolicyErrors.None).Should().BeTrue();

        (await waiting.WaitAsync(ConnectedPair.Deadline)).Should().BeFalse("the engine is left");
        await FluentActions.Awaiting(() => read!).Should().ThrowAsync<IOException>();
        judge.Validate(new object(), _world.ClientCertificate.Certificate, null, SslPolicyErrors.None).Should().BeFalse("it has been left");
    }

    [Test]
    public async Task An_engine_whose_judgement_has_come_back_is_not_left()
    {
        using var attempt = new CancellationTokenSource();
        var (judge, transport, waiting, engine) = JudgeInEngine(_world.ServerOptions, attempt.Token);
        judge.Validate(new object(), _world.ClientCertificate.Certificate, null, SslPolicyErrors.None).Should().BeTrue();

        await attempt.CancelAsync();

        waiting.IsCompleted.Should().BeFalse();
        (await transport.ReadAsync(new byte[1])).Should().Be(0, "it is not cut off");
        engine.SetResult();
        (await waiting.WaitAsync(ConnectedPair.Deadline)).Should().BeTrue("the engine has ended");
    }

    [Test]
    public async Task However_the_end_of_the_attempt_and_that_of_the_judgement_meet_the_engine_is_either_left_and_cut_off_or_neither()
    {
        for (var count = 0; count < 300; count++)
        {
            using var attempt = new CancellationTokenSource();
            var (judge, transport, waiting, engine) = JudgeInEngine(_world.ServerOptions, attempt.Token);
            using var both = new Barrier(2);
            var judging = Task.Run(() =>
            {
                both.SignalAndWait(ConnectedPair.Deadline);
                judge.Validate(new object(), _world.ClientCertificate.Certificate, null, SslPolicyErrors.None);
            });
            both.SignalAndWait(ConnectedPair.Deadline);
            await attempt.CancelAsync().WaitAsync(ConnectedPair.Deadline);
            await judging.WaitAsync(ConnectedPair.Deadline);

            engine.SetResult();

            var hasEnded = await waiting.WaitAsync(ConnectedPair.Deadline);
            var isCut = transport.ReadAsync(new byte[1]).AsTask().IsFaulted;
            isCut.Should().Be(!hasEnded);
            judge.Verdict.Should().NotBeNull();
        }
    }

    /// <summary>Waits are used again: a judge whose engine has ended must not reach the one that it had, which may be another handshake's.</summary>
    [Test]
    public async Task A_judge_that_is_asked_after_its_handshake_leaves_nobody_elses_engine()
    {
        using var attempt = new CancellationTokenSource();
        Task? laterRead = null;
        HandshakeTransport? laterTransport = null;
        var validator = new Asking(() =>
        {
            attempt.Cancel();
            laterRead = laterTransport?.ReadAsync(new byte[1]).AsTask();
        });
        var stage = new CertificateStage(_world.ServerOptions with { Validators = [validator] });
        await using var transport = new HandshakeTransport(Stream.Null, 20);
        var wait = EngineWait.Take(transport, attempt.Token);
        var judge = new PeerValidationCallback(stage, TimeProvider.System, PeerRole.Client) { Wait = wait };
        var ended = wait.UntilEndAsync(Task.CompletedTask);
        (await ended).Should().BeTrue();
        judge.Wait = null;
        wait.GiveBack();
        using var laterAttempt = new CancellationTokenSource();
        laterTransport = new HandshakeTransport(Stream.Null, 20);
        var later = TakeAgain(wait, laterTransport, laterAttempt.Token);
        var engine = new TaskCompletionSource();
        var waiting = later.UntilEndAsync(engine.Task).AsTask();

        judge.Validate(new object(), _world.ClientCertificate.Certificate, null, SslPolicyErrors.None).Should().BeTrue();

        attempt.IsCancellationRequested.Should().BeTrue();
        await laterRead!.Awaiting(read => read.WaitAsync(ConnectedPair.Deadline)).Should().NotThrowAsync("it is not cut off");
        waiting.IsCompleted.Should().BeFalse();
        engine.SetResult();
        (await waiting.WaitAsync(ConnectedPair.Deadline)).Should().BeTrue();
        await laterTransport.DisposeAsync();
    }

    [Test]
    public void A_clock_that_fails_is_a_rejection_on_our_own_account()
    {
        var judge = new PeerValidationCallback(new CertificateStage(_world.ServerOptions), new Broken(), PeerRole.Client);

        judge.Validate(new object(), _world.ClientCertificate.Certificate, null, SslPolicyErrors.None).Should().BeFalse();

        var rejection = judge.Verdict.Should().BeOfType<CertificateVerdict.Rejected>().Which.Rejection;
        (rejection.Reason, rejection.IsOurFault).Should().Be((RejectionReason.SourceFaulted, true));
    }

    /// <summary>A judge whose engine is waited for, and what ends that engine.</summary>
    private static (PeerValidationCallback Judge, HandshakeTransport Transport, Task<bool> Waiting, TaskCompletionSource Engine) JudgeInEngine(
        MutualTlsServerOptions options, CancellationToken attemptEnds)
    {
        var transport = new HandshakeTransport(Stream.Null, 20);
        var wait = EngineWait.Take(transport, attemptEnds);
        var engine = new TaskCompletionSource();
        var judge = new PeerValidationCallback(new CertificateStage(options), TimeProvider.System, PeerRole.Client) { Wait = wait };
        return (judge, transport, wait.UntilEndAsync(engine.Task).AsTask(), engine);
    }

    /// <summary>The same one: others are taken until it comes.</summary>
    private static EngineWait TakeAgain(EngineWait wait, HandshakeTransport transport, CancellationToken attemptEnds)
    {
        for (var taken = 0; taken < 100; taken++)
        {
            if (EngineWait.Take(transport, attemptEnds) is var spare && ReferenceEquals(spare, wait))
            {
                return spare;
            }
        }

        throw new InvalidOperationException("It was not given back.");
    }

    private sealed class Asking(Action ask) : ICertificateValidator
    {
        public Rejection? Examine(CertificateContext context)
        {
            ask();
            return null;
        }
    }

    private sealed class Broken : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => throw new InvalidOperationException("The clock is broken.");
    }
}
