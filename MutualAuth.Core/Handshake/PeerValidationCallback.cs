using System.Collections.Immutable;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Confirmation;
using MutualAuth.Evidence;
using MutualAuth.Hello;
using MutualAuth.Transport;
using MutualAuth.Validation;

namespace MutualAuth.Handshake;

/// <summary>The validation callback of one handshake: copies what the peer showed, judges it once, and keeps the verdict.</summary>
internal sealed class PeerValidationCallback : IFlightJudge
{
    private readonly CertificateStage _stage;
    private readonly TimeProvider _time;
    private readonly PeerRole _peerRole;
    private readonly Lock _lock = new();
    private EngineWait? _wait;
    private bool _isJudging;
    private bool _isLeft;

    internal PeerValidationCallback(CertificateStage stage, TimeProvider time, PeerRole peerRole)
    {
        _stage = stage;
        _time = time;
        _peerRole = peerRole;
    }

    internal ServerName? DialledName { get; init; }

    internal EndPoint? RemoteEndPoint { get; init; }

    /// <summary>The verdict on the peer of this connection; null until there is one.</summary>
    internal CertificateVerdict? Verdict { get; private set; }

    /// <summary>What the peer showed; null until it was looked at.</summary>
    internal PeerEvidence? Evidence { get; private set; }

    /// <summary>The platform's chain build, which cannot be skipped, kept to its cheapest: no anchors, no downloads. Its result is ignored.</summary>
    /// <remarks>Shared: each connection works on a copy that the platform makes.</remarks>
    internal static X509ChainPolicy EmptyPlatformPolicy { get; } = new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
    };

    /// <summary>The callback of every handshake, so that handshakes may share their settings: asks the judge of the stream.</summary>
    internal static bool Ask(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors platformOpinion) =>
        ((PeerValidationCallback)((GuardedSslStream)sender).Judge!).Validate(sender, certificate, chain, platformOpinion);

    /// <summary>With the confirmation protocol TLS completes and the verdict is told in band; without it a no ends TLS here.</summary>
    internal bool Validate(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors platformOpinion)
    {
        var shown = ShownCertificates.Of(certificate, chain);
        DisposeOf(chain);
        Judge(shown);
        return Verdict is CertificateVerdict.Accepted
            || (sender is SslStream tls && ConfirmationProtocol.TryParse(ConfirmationProtocol.FromWire(tls.NegotiatedApplicationProtocol), out _));
    }

    /// <summary>
    /// Whether our certificate may leave, in TLS 1.2, where the engine sends it before it has the server judged; null while that cannot be said.
    /// Where the verdict is to be told in band, TLS has to be complete first.
    /// </summary>
    public bool? MayAnswer(byte[] flight) =>
        Tls12ServerFlight.TryRead(flight, out var protocol, out var certificates)
            ? ConfirmationProtocol.TryParse(protocol, out _) || AcceptsShown(certificates)
            : null;

    /// <summary>Judges a server by its own certificate alone, before ours is shown. A no is final.</summary>
    internal bool AcceptsBeforeShowing(X509Certificate certificate)
    {
        Judge([ShownCertificates.EncodingOf(certificate)]);
        return Verdict is CertificateVerdict.Accepted;
    }

    /// <summary>Judges a server by what it has shown in the clear, before ours leaves. A no is final.</summary>
    internal bool AcceptsShown(ImmutableArray<ReadOnlyMemory<byte>> certificates)
    {
        Judge(certificates);
        return Verdict is CertificateVerdict.Accepted;
    }

    /// <summary>The server has asked for our certificate, as far as the choice between several shows it.</summary>
    internal bool WasAskedForOurs { get; set; }

    /// <summary>Holds where a platform does not call back, as later runtimes do on resumed sessions: no connection goes unjudged.</summary>
    internal CertificateVerdict JudgeIfCallbackWasSkipped(SslStream tls)
    {
        if (Verdict is null)
        {
            using var certificate = tls.RemoteCertificate;
            Judge(certificate is null ? [] : [ShownCertificates.EncodingOf(certificate)]);
        }

        return Verdict!;
    }

    /// <summary>
    /// The wait for the engine that asks; null while it does not run. When the attempt ends during a judgement, which what it asks may hold, the
    /// engine is left before that can come back; when it has ended before, there is no judgement.
    /// </summary>
    internal EngineWait? Wait
    {
        get
        {
            lock (_lock)
            {
                return _wait;
            }
        }

        set
        {
            lock (_lock)
            {
                _wait = value;
            }
        }
    }

    private void Judge(ImmutableArray<ReadOnlyMemory<byte>> certificates)
    {
        // A later look at more of the same evidence never turns a no into a yes.
        if (Verdict is CertificateVerdict.Rejected)
        {
            return;
        }

        var evidence = new PeerEvidence(_peerRole, certificates) { DialledName = DialledName, RemoteEndPoint = RemoteEndPoint };

        // Only here is there something to leave; and while nothing is read the token has room for it that a read has taken before.
        var attemptEnds = Wait?.AttemptEnds ?? CancellationToken.None;
        using var leaving = attemptEnds.UnsafeRegister(static judge => ((PeerValidationCallback)judge!).Leave(), this);
        lock (_lock)
        {
            if (_isLeft)
            {
                Verdict = new CertificateVerdict.Rejected(new Rejection(RejectionReason.HandshakeTimedOut, "a judgement before the handshake ended",
                    "none"), null);
                return;
            }

            _isJudging = true;
        }

        try
        {
            Evidence = evidence;
            Verdict = JudgeNow(evidence);
        }
        finally
        {
            lock (_lock)
            {
                _isJudging = false;
            }
        }
    }

    private void Leave()
    {
        lock (_lock)
        {
            if (_isJudging && !_isLeft)
            {
                _wait?.Leave();
            }

            _isLeft = true;
        }
    }

    private CertificateVerdict JudgeNow(PeerEvidence evidence)
    {
        try
        {
            return _stage.JudgeBeforeFacts(evidence, _time.GetUtcNow());
        }
        catch (Exception exception)
        {
            return new CertificateVerdict.Rejected(ApplicationCalls.Fault("the time of day", exception).Rejection with { IsOurFault = true }, null);
        }
    }

    // With a callback installed the platform disposes of neither these nor the elements it built: we must, or they wait for the finalizer.
    private static void DisposeOf(X509Chain? chain)
    {
        if (chain is null)
        {
            return;
        }

        var others = chain.ChainPolicy.ExtraStore;
        for (var i = 0; i < others.Count; i++)
        {
            others[i].Dispose();
        }

        var elements = chain.ChainElements;
        for (var i = 0; i < elements.Count; i++)
        {
            elements[i].Certificate.Dispose();
        }
    }
}
