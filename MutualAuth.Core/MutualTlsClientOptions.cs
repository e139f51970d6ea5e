using MutualAuth.Credentials;
using MutualAuth.Handshake;

namespace MutualAuth;

/// <summary>How a client proves who it is, whom it trusts and which server it will talk to.</summary>
/// <remarks>Immutable. The <see cref="MutualTlsClient"/> constructor reports every problem at once.</remarks>
public sealed record MutualTlsClientOptions : HandshakeOptions
{
    /// <summary>What we present; <see cref="ClientIdentity.None"/> says that we present nothing.</summary>
    public required ClientIdentity Identity { get; init; }

    /// <summary>
    /// With what we log in, once the server's certificate has been accepted. See <see cref="Login"/>. Default: null, we do not. A server that does not let
    /// us log in is refused, and so is one that does not speak the confirmation protocol.
    /// </summary>
    public ClientCredentials? Credentials { get; init; }

    /// <summary>What happens to connections that lose their ground while they are open: to a revoked peer's, at expiry, at a maximum age. Default: see the type.</summary>
    public RevalidationPolicy Revalidation { get; init; } = new();

    internal override ClientCredentials? OwnCredentials => Credentials;

    internal override bool AllowsServersThatAskForNothing => DangerousAllowServersThatAskForNoCertificate;

    /// <summary>
    /// Judge the server before our certificate leaves: an impostor then learns nothing of who we are. Default: false.
    /// </summary>
    /// <remarks>
    /// Its price on this platform: only the server's own certificate is to hand at that moment, so that its intermediates must be known in
    /// advance (<see cref="TrustAnchors.WithIntermediates"/>); our own intermediates cannot be sent, so that the server must know them;
    /// and the TLS context is built anew for each connection (<c>docs/platforms.md</c> has the measured cost).
    /// </remarks>
    public bool JudgeServerBeforeShowingIdentity { get; init; }

    /// <summary>
    /// Go on with a server that neither asks for the certificate that we would present nor confirms: it cannot know who we are, and anybody else is the same to
    /// it. Default: false, such a server is refused as <see cref="RejectionReason.ServerAskedForNoCertificate"/>. A server that confirms has its own say
    /// about whom it lets in, and is not concerned. <see cref="SessionFacts.OwnCertificateRequested"/> tells either way.
    /// </summary>
    public bool DangerousAllowServersThatAskForNoCertificate { get; init; }

    /// <summary>How long finding the host and connecting may take, before the handshake's own deadline begins. Default: ten seconds.</summary>
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
            yield return $"{nameof(Identity)} is missing: present a certificate, or say {nameof(ClientIdentity)}.{nameof(ClientIdentity.None)}.";
        }

        if (ConnectTimeout <= TimeSpan.Zero || ConnectTimeout > TimeSpan.FromHours(1))
        {
            yield return $"{nameof(ConnectTimeout)} must be more than nothing and at most an hour; it is {ConnectTimeout}.";
        }

        if (JudgeServerBeforeShowingIdentity && ReferenceEquals(Identity, ClientIdentity.None))
        {
            yield return $"{nameof(JudgeServerBeforeShowingIdentity)} protects an identity, and {nameof(ClientIdentity)}.{nameof(ClientIdentity.None)} has none.";
        }
    }
}
