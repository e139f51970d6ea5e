using MutualAuth.Credentials;
using MutualAuth.Handshake;
using MutualAuth.Identities;

namespace MutualAuth;

/// <summary>A server's identity, its trust anchors, and the clients that it accepts.</summary>
/// <remarks>Immutable. The <see cref="MutualTlsServer"/> constructor reports every problem at once.</remarks>
public sealed record MutualTlsServerOptions : HandshakeOptions
{
    /// <summary>The identity that we present; use <see cref="ServerIdentities"/> to choose one by the server name that the client requests.</summary>
    public required IIdentitySource Identity { get; init; }

    /// <summary>
    /// What clients must present: a certificate (the default), user credentials, both or either. See <see cref="Require"/>. Clients that log in must
    /// speak the confirmation protocol, whatever <see cref="HandshakeOptions.Confirmation"/> says.
    /// </summary>
    public CredentialPolicy Credentials { get; init; } = Require.Certificate;

    /// <summary>
    /// Whether to send clients the names of the trusted authorities, so that a client with several certificates can choose (RFC 8446 §4.2.4). Every
    /// client that connects can read them. Default: false. Names of more than 65,535 octets together are not sent.
    /// </summary>
    public bool SendAcceptableIssuers { get; init; }

    internal override bool NamesAcceptableIssuers => SendAcceptableIssuers;

    internal override CredentialPolicy RequiredCredentials => Credentials;

    /// <summary>
    /// What happens to open connections that are no longer valid: the peer was revoked, a certificate expired, a maximum age was reached. Default:
    /// see the type.
    /// </summary>
    public RevalidationPolicy Revalidation { get; init; } = new();

    /// <summary>Chooses, by the ClientHello, the server that continues the handshake. Default: null, this server serves all clients.</summary>
    public ServerSelector? SelectServer { get; init; }

    internal override IEnumerable<string> Problems()
    {
        if (Identity is null)
        {
            yield return $"{nameof(Identity)} is missing: a server must present a certificate.";
        }

        if (Revalidation is null)
        {
            yield return $"{nameof(Revalidation)} must not be null.";
        }

        if (Credentials is null)
        {
            yield return $"{nameof(Credentials)} must not be null; {nameof(Require)}.{nameof(Require.Certificate)} is the default.";
            yield break;
        }

        foreach (var problem in base.Problems().Concat(Credentials.Problems()).Concat(Revalidation?.Problems() ?? []))
        {
            yield return problem;
        }
    }
}

/// <summary>Chooses a server by the ClientHello. It runs within the handshake's deadline and may wait for other services.</summary>
/// <param name="hello">The ClientHello; none of it is verified.</param>
/// <param name="front">The server that received the hello; return it to serve the client with its own configuration.</param>
/// <param name="cancellationToken">Cancelled at the handshake's deadline.</param>
/// <returns>The server that continues the handshake; null rejects the client as <see cref="RejectionReason.UnrecognizedServerName"/>.</returns>
public delegate ValueTask<MutualTlsServer?> ServerSelector(ClientHello hello, MutualTlsServer front, CancellationToken cancellationToken);
