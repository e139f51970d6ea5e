using MutualAuth.Credentials;
using MutualAuth.Handshake;

namespace MutualAuth;

/// <summary>The identity and credentials of a client, the authorities that it trusts and the servers that it accepts.</summary>
/// <remarks>Immutable. The <see cref="MutualTlsClient"/> constructor reports every problem at once.</remarks>
public sealed record MutualTlsClientOptions : HandshakeOptions
{
    /// <summary>The identity that the client presents; <see cref="ClientIdentity.None"/>: no certificate.</summary>
    /// <example><code>var withoutCertificate = clientOptions with { Identity = ClientIdentity.None };</code></example>
    public required ClientIdentity Identity { get; init; }

    /// <summary>
    /// The credentials with which the client logs in once it has accepted the server's certificate. See <see cref="Login"/>. Default: null, no login.
    /// With credentials, a server is rejected that offers no login or does not support the confirmation protocol.
    /// </summary>
    /// <example><code>var withLogin = clientOptions with { Credentials = Login.WithPassword("alice", password) };</code></example>
    public ClientCredentials? Credentials { get; init; }

    /// <summary>
    /// What happens to open connections that are no longer valid: at revocation of the peer, at expiry, at a maximum age. Default: see the type.
    /// </summary>
    /// <example>
    /// <code>
    /// var atMostADay = clientOptions with { Revalidation = new RevalidationPolicy { MaximumAge = TimeSpan.FromDays(1) } };
    /// </code>
    /// </example>
    public RevalidationPolicy Revalidation { get; init; } = new();

    internal override ClientCredentials? OwnCredentials => Credentials;

    internal override bool OwnIdentityIsNone => ReferenceEquals(Identity, ClientIdentity.None);

    internal override bool AllowsServersThatAskForNothing => DangerousAllowServersThatAskForNoCertificate;

    /// <summary>
    /// Validate the server before the client's certificate is sent, so that an impostor does not learn the client's identity. Default: false.
    /// </summary>
    /// <remarks>
    /// Its cost on this platform: only the server's leaf certificate is available at that point, so that its intermediates must be known in
    /// advance (<see cref="TrustAnchors.WithIntermediates"/>); our own intermediates cannot be sent, so that the server must know them;
    /// and the TLS context is built again for each connection (<c>docs/platforms.md</c> has the measured cost).
    /// </remarks>
    /// <example><code>var discreet = clientOptions with { JudgeServerBeforeShowingIdentity = true };</code></example>
    public bool JudgeServerBeforeShowingIdentity { get; init; }

    /// <summary>
    /// Accept a server that neither requests the client's certificate nor confirms: such a server cannot know who the client is, and
    /// treats every client like it. Default: false, such a server is rejected with
    /// <see cref="RejectionReason.ServerAskedForNoCertificate"/>. A server that confirms decides itself which clients it accepts, and is
    /// not affected. <see cref="SessionFacts.OwnCertificateRequested"/> has the fact in both cases.
    /// </summary>
    /// <example><code>var lenient = clientOptions with { DangerousAllowServersThatAskForNoCertificate = true };</code></example>
    public bool DangerousAllowServersThatAskForNoCertificate { get; init; }

    /// <summary>
    /// The time limit for name resolution and connecting, before the handshake's own deadline begins. More than zero, at most an hour. Default: ten
    /// seconds.
    /// </summary>
    /// <example><code>var impatient = clientOptions with { ConnectTimeout = TimeSpan.FromSeconds(3) };</code></example>
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
            yield return $"{nameof(Identity)} is missing: set an identity, or {nameof(ClientIdentity)}.{nameof(ClientIdentity.None)}.";
        }

        if (ConnectTimeout <= TimeSpan.Zero || ConnectTimeout > TimeSpan.FromHours(1))
        {
            yield return $"{nameof(ConnectTimeout)} must be more than zero and at most an hour; it is {ConnectTimeout}.";
        }

        if (JudgeServerBeforeShowingIdentity && ReferenceEquals(Identity, ClientIdentity.None))
        {
            yield return $"{nameof(JudgeServerBeforeShowingIdentity)} protects an identity, and "
                + $"{nameof(ClientIdentity)}.{nameof(ClientIdentity.None)} has none.";
        }
    }
}
