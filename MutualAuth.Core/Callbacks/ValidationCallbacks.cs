using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Evidence;
using MutualAuth.Telemetry;
using MutualAuth.Validation;

namespace MutualAuth.Callbacks;

/// <summary>
/// Lets a <see cref="CertificateStage"/> decide in the validation callback of another library: of a database driver, a message client, an HTTP
/// client or server.
/// </summary>
/// <remarks>
/// <para>
/// The verdict is that of a handshake: anchors, lists, pins, profile, authorization and validators all apply, the peer's other certificates are only
/// candidates for its path, and the opinion of the platform counts for nothing. Everything that fails is a no. Each call is one log event (1130
/// to 1134) and one measurement of <c>mutualauth.callback.verdicts</c>.
/// </para>
/// <para>
/// A callback sees the certificates and nothing else. It cannot wait, so that options with asynchronous validators, logins, <c>KnownPeers</c>, an
/// audit, session limits or a required platform are refused; the connection is not confirmed by the peer, and nothing judges it again while it
/// lives. No deadline of this library's applies: a source or a validator that blocks holds the handshake of the other library. Safe for use from
/// many threads.
/// </para>
/// </remarks>
/// <example>
/// <code>
/// var callbacks = new ValidationCallbacks(new CertificateStage(clientOptions), new ValidationCallbackOptions { Name = "orders database" });
/// var tls = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = callbacks.ForServer("db.example") };
/// </code>
/// </example>
public sealed class ValidationCallbacks
{
    private readonly CertificateStage _stage;
    private readonly ValidationCallbackOptions _options;

    /// <summary>Prepares callbacks that ask <paramref name="stage"/>, and log where it logs.</summary>
    /// <param name="stage">Decides. Its sources must outlive the connections.</param>
    /// <param name="options">How to tell what was decided; null for the defaults.</param>
    /// <exception cref="ArgumentNullException"><paramref name="stage"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// The options of the stage demand more than a callback can do (asynchronous validators, a login, <c>KnownPeers</c>, an audit, session limits, a
    /// required platform), or <paramref name="options"/> contradict themselves; the message lists every problem.
    /// </exception>
    public ValidationCallbacks(CertificateStage stage, ValidationCallbackOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(stage);
        options ??= new ValidationCallbackOptions();
        var problems = string.Join(' ', [.. stage.DemandsBeyond().Select(demand => $"{demand} A callback cannot do it."), .. options.Problems()]);
        if (problems.Length > 0)
        {
            throw new ArgumentException(problems);
        }

        _stage = stage;
        _options = options;
    }

    /// <summary>A callback for clients: it judges the server.</summary>
    /// <param name="serverName">
    /// The DNS name or the address that the server's certificate must carry, for <see cref="Authorize.ServerName"/>. Null takes the target host
    /// of the <see cref="SslStream"/> that calls; where another object calls, or the stream has no target host, there is no name, and
    /// <see cref="Authorize.ServerName"/> rejects. A name that is given goes before that of the stream.
    /// </param>
    /// <exception cref="FormatException"><paramref name="serverName"/> is neither a DNS name nor an address.</exception>
    public RemoteCertificateValidationCallback ForServer(string? serverName = null) => Enforcing(PeerRole.Server, ParseName(serverName));

    /// <summary>A callback for servers: it judges the client. A client without a certificate is rejected.</summary>
    /// <remarks>
    /// The server must also ask for a certificate (<c>ClientCertificateRequired</c>); an <see cref="SslStream"/> that does not ask calls back
    /// without one.
    /// </remarks>
    public RemoteCertificateValidationCallback ForClient() => Enforcing(PeerRole.Client, name: null);

    /// <summary>
    /// The same as <see cref="ForClient"/>, in the form of Kestrel's <c>HttpsConnectionAdapterOptions.ClientCertificateValidation</c>.
    /// </summary>
    /// <remarks>Kestrel calls it only for clients that show a certificate: set <c>ClientCertificateMode</c> to <c>RequireCertificate</c>.</remarks>
    public Func<X509Certificate2, X509Chain?, SslPolicyErrors, bool> ForKestrel()
    {
        var callback = ForClient();
        return (certificate, chain, errors) => callback(this, certificate, chain, errors);
    }

    /// <summary>
    /// A callback for clients during a migration: it returns what <paramref name="other"/> answers, and only tells what <see cref="ForServer"/>
    /// would.
    /// </summary>
    /// <param name="other">Decides, as it did before. What it throws is thrown.</param>
    /// <param name="serverName">As in <see cref="ForServer"/>.</param>
    /// <exception cref="ArgumentNullException"><paramref name="other"/> is null.</exception>
    /// <exception cref="FormatException"><paramref name="serverName"/> is neither a DNS name nor an address.</exception>
    public RemoteCertificateValidationCallback ShadowForServer(RemoteCertificateValidationCallback other, string? serverName = null) =>
        Shadowing(other, PeerRole.Server, ParseName(serverName));

    /// <summary>
    /// A callback for servers during a migration: it returns what <paramref name="other"/> answers, and only tells what <see cref="ForClient"/>
    /// would.
    /// </summary>
    /// <param name="other">Decides, as it did before. What it throws is thrown.</param>
    /// <exception cref="ArgumentNullException"><paramref name="other"/> is null.</exception>
    public RemoteCertificateValidationCallback ShadowForClient(RemoteCertificateValidationCallback other) =>
        Shadowing(other, PeerRole.Client, name: null);

    /// <summary>The same as <see cref="ShadowForClient"/>, in the form of Kestrel's <c>ClientCertificateValidation</c>.</summary>
    /// <param name="other">Decides, as it did before. What it throws is thrown.</param>
    /// <exception cref="ArgumentNullException"><paramref name="other"/> is null.</exception>
    public Func<X509Certificate2, X509Chain?, SslPolicyErrors, bool> ShadowForKestrel(Func<X509Certificate2, X509Chain?, SslPolicyErrors, bool> other)
    {
        ArgumentNullException.ThrowIfNull(other);
        var callback = ShadowForClient((_, certificate, chain, errors) => other((X509Certificate2)certificate!, chain, errors));
        return (certificate, chain, errors) => callback(this, certificate, chain, errors);
    }

    private static ServerName? ParseName(string? serverName) => serverName is null ? null : ServerName.Parse(serverName);

    private RemoteCertificateValidationCallback Enforcing(PeerRole role, ServerName? name) => (sender, certificate, chain, _) =>
    {
        var verdict = Judge(Look(role, name, sender, certificate, chain), out var evidence);
        Tell(new CallbackJudgement(evidence, verdict, isShadow: false, otherAccepted: null));
        return verdict is CertificateVerdict.Accepted;
    };

    private RemoteCertificateValidationCallback Shadowing(RemoteCertificateValidationCallback other, PeerRole role, ServerName? name)
    {
        ArgumentNullException.ThrowIfNull(other);
        return (sender, certificate, chain, errors) =>
        {
            // The other one may dispose of what it is given.
            var look = Look(role, name, sender, certificate, chain);
            bool? answer = null;
            try
            {
                answer = other(sender, certificate, chain, errors);
                return answer.Value;
            }
            finally
            {
                var verdict = Judge(look, out var evidence);
                Tell(new CallbackJudgement(evidence, verdict, isShadow: true, answer));
            }
        };
    }

    /// <summary>Copies what the peer showed. Never throws: what cannot be read is an objection.</summary>
    private static (PeerEvidence Evidence, Rejection? Objection) Look(
        PeerRole role, ServerName? name, object? sender, X509Certificate? certificate, X509Chain? chain)
    {
        try
        {
            var tls = sender as SslStream;
            if (tls is not null && tls.IsServer != (role == PeerRole.Client))
            {
                return (new PeerEvidence(role, []), new Rejection(
                    RejectionReason.ValidatorFaulted, $"a callback that judges {(tls.IsServer ? "clients" : "servers")}", "one for the other role")
                {
                    IsOurFault = true,
                    Hint = $"Use {(tls.IsServer ? nameof(ForClient) : nameof(ForServer))}.",
                });
            }

            if (role == PeerRole.Server && name is null && tls is not null)
            {
                name = ServerName.TryParse(tls.TargetHostName, out var target) ? target : null;
            }

            return (new PeerEvidence(role, ShownCertificates.Of(certificate, chain)) { DialledName = name }, null);
        }
        catch (Exception exception)
        {
            return (new PeerEvidence(role, []), Fault("a certificate that the platform can read", exception));
        }
    }

    /// <summary>Never throws.</summary>
    private CertificateVerdict Judge((PeerEvidence Evidence, Rejection? Objection) look, out PeerEvidence evidence)
    {
        evidence = look.Evidence;
        try
        {
            if (look.Objection is { } objection)
            {
                return new CertificateVerdict.Rejected(objection, null);
            }

            var verdict = _stage.Judge(evidence, _options.TimeProvider.GetUtcNow());
            return verdict is CertificateVerdict.Rejected rejected && HintFor(evidence, rejected.Rejection) is { } hint
                ? new CertificateVerdict.Rejected(rejected.Rejection with { Hint = hint }, rejected.ClaimedName)
                : verdict;
        }
        catch (Exception exception)
        {
            return new CertificateVerdict.Rejected(Fault("the time of day", exception), null);
        }
    }

    /// <summary>What only a callback can be the cause of; null for the hint of the stage.</summary>
    private static string? HintFor(PeerEvidence evidence, Rejection rejection) => (rejection.Reason, evidence.Role) switch
    {
        (RejectionReason.ServerNameMismatch, PeerRole.Server) when evidence.DialledName is null =>
            $"The callback knows no name: its caller is no SslStream with a target host. Give {nameof(ForServer)} the name.",
        (RejectionReason.UnknownAuthority, PeerRole.Client) when evidence.Certificates.Length == 1 =>
            $"{rejection.Hint} If it did send them: a server that resumes sessions hands over the client's own certificate alone; set "
                + $"{nameof(SslServerAuthenticationOptions.AllowTlsResume)} to false there.",
        _ => null,
    };

    /// <summary>Logs, counts and calls the application. Never throws, and changes no answer.</summary>
    private void Tell(CallbackJudgement judgement)
    {
        CallbackLog.Judged(_stage.Logger, _options.Name, judgement);
        CallbackLog.Count(_options.Name, judgement);
        try
        {
            _options.OnJudged?.Invoke(judgement);
        }
        catch (Exception exception)
        {
            CallbackLog.ObserverFaulted(_stage.Logger, _options.Name, exception);
        }
    }

    private static Rejection Fault(string what, Exception exception) =>
        new(RejectionReason.SourceFaulted, what, $"an exception, {exception.GetType().Name}") { IsOurFault = true };
}
