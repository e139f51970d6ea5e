using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using MutualAuth.AspNetCore.OwnTls;
using MutualAuth.Callbacks;
using MutualAuth.Validation;

namespace MutualAuth.AspNetCore;

/// <summary>Has the certificate stage of this library judge clients of Kestrel's own TLS.</summary>
public static class MutualAuthHttpsExtensions
{
    /// <summary>
    /// Demands a certificate of every client, and has <paramref name="stage"/> decide about it. The peer is a feature of the connection
    /// (<see cref="IMutualTlsFeature"/>), so that the authentication scheme and the policies hold there too.
    /// </summary>
    /// <remarks>
    /// Of the judgement it has all. It has neither confirmation nor logins, none of the bounds of a <see cref="MutualTlsListener"/>, and nothing
    /// judges a connection again while it lives. TLS sessions are not resumed, since a resumed one is not judged. Kestrel itself turns away clients
    /// without a certificate. A callback that was set before as <see cref="HttpsConnectionAdapterOptions.ClientCertificateValidation"/> does not
    /// run any more; <see cref="HttpsConnectionAdapterOptions.OnAuthenticate"/> runs, where it is set before and not after. HTTP/3 and the choice
    /// of a certificate by <c>Sni</c> in the configuration are outside of it.
    /// </remarks>
    /// <param name="https">The options of <c>UseHttps</c>.</param>
    /// <param name="stage">Decides. Its sources must outlive the connections.</param>
    /// <param name="options">How to tell what was decided; null for the defaults.</param>
    /// <exception cref="ArgumentNullException"><paramref name="https"/> or <paramref name="stage"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// The options of the stage demand more than a callback can decide, or <paramref name="options"/> contradict themselves; the message lists
    /// every problem.
    /// </exception>
    /// <example>
    /// <code>
    /// kestrel.ListenAnyIP(8443, listen =&gt; listen.UseHttps(https =&gt;
    /// {
    ///     https.ServerCertificate = certificate;
    ///     https.UseMutualAuth(new CertificateStage(clientOptions));
    /// }));
    /// </code>
    /// </example>
    public static HttpsConnectionAdapterOptions UseMutualAuth(
        this HttpsConnectionAdapterOptions https, CertificateStage stage, ValidationCallbackOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(https);
        options ??= new ValidationCallbackOptions { Name = "Kestrel" };
        var tell = options.OnJudged;
        var current = new AsyncLocal<ConnectionContext?>();
        var callbacks = new ValidationCallbacks(stage, options with
        {
            OnJudged = judged =>
            {
                current.Value?.Features.Set<IMutualTlsFeature>(judged.Peer is { } peer ? new JudgedPeer(peer) : null);
                tell?.Invoke(judged);
            },
        });
        https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
        https.ClientCertificateValidation = callbacks.ForKestrel();
        var before = https.OnAuthenticate;
        https.OnAuthenticate = (context, tls) =>
        {
            before?.Invoke(context, tls);
            tls.AllowTlsResume = false;
            current.Value = context; // the handshake that follows runs in this flow, and so does its callback
        };
        return https;
    }
}
