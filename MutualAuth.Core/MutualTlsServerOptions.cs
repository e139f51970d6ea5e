using MutualAuth.Credentials;
using MutualAuth.Handshake;
using MutualAuth.Identities;

namespace MutualAuth;

/// <summary>How a server proves who it is, whom it trusts and whom it lets in.</summary>
/// <remarks>Immutable. The <see cref="MutualTlsServer"/> constructor reports every problem at once.</remarks>
public sealed record MutualTlsServerOptions : HandshakeOptions
{
    /// <summary>What we present; <see cref="ServerIdentities"/> for several, chosen by the name that the client asks for.</summary>
    public required IIdentitySource Identity { get; init; }

    /// <summary>
    /// What clients must show: a certificate (the default), a user, both or either. See <see cref="Require"/>. Whoever must log in must speak the
    /// confirmation protocol, whatever <see cref="HandshakeOptions.Confirmation"/> says.
    /// </summary>
    public CredentialPolicy Credentials { get; init; } = Require.Certificate;

    /// <summary>
    /// Whether clients are sent the names of the authorities that we trust, so that those with several certificates can choose (RFC 8446 §4.2.4). Everybody
    /// who connects reads them. Default: false. Names of more than 65,535 octets together are not sent.
    /// </summary>
    public bool SendAcceptableIssuers { get; init; }

    internal override bool NamesAcceptableIssuers => SendAcceptableIssuers;

    internal override CredentialPolicy RequiredCredentials => Credentials;

    /// <summary>What happens to connections that lose their ground while they are open: to a revoked peer's, at expiry, at a maximum age. Default: see the type.</summary>
    public RevalidationPolicy Revalidation { get; init; } = new();

    /// <summary>Chooses, by the ClientHello, the server that carries the handshake on. Default: this one serves everybody.</summary>
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
