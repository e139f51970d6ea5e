using MutualAuth.Credentials;
using MutualAuth.Handshake;
using MutualAuth.Identities;
using MutualAuth.Validation;

namespace MutualAuth;

/// <summary>The identity of a server, the authorities that it trusts and the clients that it accepts.</summary>
/// <remarks>Immutable. The <see cref="MutualTlsServer"/> constructor reports every problem at once.</remarks>
public sealed record MutualTlsServerOptions : HandshakeOptions
{
    /// <summary>The identity that the server presents; <see cref="ServerIdentities"/> for several, selected by the name in the ClientHello.</summary>
    /// <example>
    /// <code>
    /// var following = serverOptions with { Identity = IdentityFiles.FromPem("server.pem", "server.key") };
    /// </code>
    /// </example>
    public required IIdentitySource Identity { get; init; }

    /// <summary>
    /// What clients must present: a certificate (the default), a user, both or either. See <see cref="Require"/>. Clients that must log in must
    /// support the confirmation protocol, whatever <see cref="HandshakeOptions.Confirmation"/> says.
    /// </summary>
    /// <example>
    /// <code>
    /// var alsoAUser = serverOptions with { Credentials = Require.CertificateAndUser(SaslServer.Scram(store)) };
    /// </code>
    /// </example>
    public CredentialPolicy Credentials { get; init; } = Require.Certificate;

    /// <summary>
    /// Whether the server sends the names of its trusted authorities, so that clients with several certificates can choose (RFC 8446 §4.2.4). Every
    /// client that connects can read them. Default: false. Where they are longer together than <see cref="MaxAcceptableIssuerBytes"/>, none are
    /// sent, and event 1010 says so.
    /// </summary>
    /// <example><code>var naming = serverOptions with { SendAcceptableIssuers = true };</code></example>
    public bool SendAcceptableIssuers { get; init; }

    /// <summary>
    /// How many octets the names of the trusted authorities may have together, two for the length of each included, to be sent; where they have
    /// more, none are sent, because a part of the list would turn honest clients away. 1 to 65,535, which is all that TLS can carry. Default:
    /// 16,384. mbedTLS and wolfSSL break off at longer messages, and Java at more than 32,768 octets.
    /// </summary>
    /// <example><code>var generous = serverOptions with { SendAcceptableIssuers = true, MaxAcceptableIssuerBytes = 65_535 };</code></example>
    public int MaxAcceptableIssuerBytes { get; init; } = AcceptableIssuers.DefaultBytes;

    internal override int AcceptableIssuerBytes => SendAcceptableIssuers ? MaxAcceptableIssuerBytes : 0;

    internal override CredentialPolicy RequiredCredentials => Credentials;

    /// <summary>
    /// What happens to open connections that are no longer valid: at revocation of the peer, at expiry, at a maximum age. Default: see the type.
    /// </summary>
    /// <example>
    /// <code>
    /// var strict = serverOptions with { Revalidation = new RevalidationPolicy { OnUnauthorized = InvalidationAction.Abort } };
    /// </code>
    /// </example>
    public RevalidationPolicy Revalidation { get; init; } = new();

    /// <summary>
    /// How many connections one user and one device may have at a time, and what happens to one more. Give the same object to several servers to have
    /// them count together. Default: null, no limit.
    /// </summary>
    /// <example><code>var three = serverOptions with { SessionLimits = new SessionLimits { MaxPerUser = 3 } };</code></example>
    public SessionLimits? SessionLimits { get; init; }

    internal override SessionLimits? LimitsOfSessions => SessionLimits;

    /// <summary>Selects, by the ClientHello, the server that continues the handshake. Default: null, this server serves every client.</summary>
    /// <example>
    /// <code>
    /// var selecting = serverOptions with
    /// {
    ///     SelectServer = (hello, front, _) =&gt;
    ///         ValueTask.FromResult&lt;MutualTlsServer?&gt;(hello.ServerName == "special.example" ? special : front),
    /// };
    /// </code>
    /// </example>
    public ServerSelector? SelectServer { get; init; }

    internal override IEnumerable<string> Problems()
    {
        if (Identity is null)
        {
            yield return $"{nameof(Identity)} is missing: a server must present a certificate.";
        }

        if (Authorization is { AcceptsServersOnly: true })
        {
            yield return $"{nameof(Authorization)} compares the dialled name, which no client has: authorize clients by names of their own.";
        }

        if (MaxAcceptableIssuerBytes is < 1 or > AcceptableIssuers.MaxBytes)
        {
            yield return $"{nameof(MaxAcceptableIssuerBytes)} must be 1 to {AcceptableIssuers.MaxBytes}; it is {MaxAcceptableIssuerBytes}.";
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

        if (Credentials.UniformRefusalTime >= HandshakeTimeout)
        {
            yield return $"{nameof(CredentialPolicy.UniformRefusalTime)} must be less than {nameof(HandshakeTimeout)}, or no refusal would be told.";
        }

        foreach (var problem in base.Problems().Concat(Credentials.Problems()).Concat(Revalidation?.Problems() ?? []))
        {
            yield return problem;
        }
    }
}
