using MutualAuth.Credentials;
using MutualAuth.Handshake;

namespace MutualAuth;

/// <summary>A client's identity, its trust anchors, and the servers that it accepts.</summary>
/// <remarks>Immutable. The <see cref="MutualTlsClient"/> constructor reports every problem at once.</remarks>
public sealed record MutualTlsClientOptions : HandshakeOptions
{
    /// <summary>The identity that we present; <see cref="ClientIdentity.None"/> presents no certificate.</summary>
    public required ClientIdentity Identity { get; init; }

    /// <summary>
    /// The credentials for the login, which follows once the server's certificate is accepted. See <see cref="Login"/>. Default: null, no login. A
    /// server that does not offer a login, or does not speak the confirmation protocol, is rejected.
    /// </summary>
    public ClientCredentials? Credentials { get; init; }

    /// <summary>
    /// What happens to open connections that are no longer valid: the peer was revoked, a certificate expired, a maximum age was reached. Default:
    /// see the type.
    /// </summary>
    public RevalidationPolicy Revalidation { get; init; } = new();

    internal override ClientCredentials? OwnCredentials => Credentials;

    internal override bool AllowsServersThatAskForNothing => DangerousAllowServersThatAskForNoCertificate;

    /// <summary>
    /// Whether to validate the server before we send our certificate, so that an impostor does not learn our identity. Default: false.
    /// </summary>
    /// <remarks>
    /// The cost on this platform: only the server's leaf certificate is available at that point, so its intermediates must be known in
    /// advance (<see cref="TrustAnchors.WithIntermediates"/>); our own intermediates cannot be sent, so the server must know them;
    /// and a new TLS context is built for each connection (<c>docs/platforms.md</c> has the measured cost).
    /// </remarks>
    public bool JudgeServerBeforeShowingIdentity { get; init; }

    /// <summary>
    /// Whether to accept a server that neither requests our certificate nor confirms. Such a server does not know our identity and accepts any
    /// client. Default: false; such a server is rejected as <see cref="RejectionReason.ServerAskedForNoCertificate"/>. The option does not affect
    /// servers that confirm. <see cref="SessionFacts.OwnCertificateRequested"/> says whether the server requested our certificate.
    /// </summary>
    public bool DangerousAllowServersThatAskForNoCertificate { get; init; }

    /// <summary>
    /// The timeout for resolving the host and connecting, before the handshake's own deadline begins. Default: ten seconds; at most one hour.
    /// </summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    internal override IEnumerable<string> Problems()
    {
        foreach (var problem in base.Problems())
        {
            yield return problem;
        }

        if (Revalidation is null)
        {
            yield return $"{nameof(Revalidation)} must not be null.";
        }

        foreach (var problem in (Credentials?.Problems() ?? []).Concat(Revalidation?.Problems() ?? []))
        {
            yield return problem;
        }

        if (Identity is null)
        {
            yield return $"{nameof(Identity)} is missing: give an identity, or {nameof(ClientIdentity)}.{nameof(ClientIdentity.None)}.";
        }

        if (ConnectTimeout <= TimeSpan.Zero || ConnectTimeout > TimeSpan.FromHours(1))
        {
            yield return $"{nameof(ConnectTimeout)} must be greater than zero and at most one hour; it is {ConnectTimeout}.";
        }

        if (JudgeServerBeforeShowingIdentity && ReferenceEquals(Identity, ClientIdentity.None))
        {
            yield return $"{nameof(JudgeServerBeforeShowingIdentity)} protects an identity, and {nameof(ClientIdentity)}.{nameof(ClientIdentity.None)} has none.";
        }
    }
}
