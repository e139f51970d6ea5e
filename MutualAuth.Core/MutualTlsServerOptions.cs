using MutualAuth.Certificates;
using MutualAuth.Handshake;

namespace MutualAuth;

/// <summary>How a server proves who it is, whom it trusts and whom it lets in.</summary>
/// <remarks>Immutable. The <see cref="MutualTlsServer"/> constructor reports every problem at once.</remarks>
public sealed record MutualTlsServerOptions : HandshakeOptions
{
    /// <summary>What we present.</summary>
    public required IIdentitySource Identity { get; init; }

    /// <summary>Chooses, by the ClientHello, the server that carries the handshake on. Default: this one serves everybody.</summary>
    public ServerSelector? SelectServer { get; init; }

    internal override IEnumerable<string> Problems() =>
        Identity is null ? base.Problems().Prepend($"{nameof(Identity)} is missing: a server must present a certificate.") : base.Problems();
}

/// <summary>Chooses a server by what a client asks for. It runs within the handshake's deadline and may wait for others.</summary>
/// <param name="hello">What the client asks for; nothing of it is verified.</param>
/// <param name="front">The server that was asked: return it to serve the client with its own configuration.</param>
/// <param name="cancellationToken">Ends with the handshake's deadline.</param>
/// <returns>The server that carries on; null turns the client away as <see cref="Errors.RejectionReason.UnrecognizedServerName"/>.</returns>
public delegate ValueTask<MutualTlsServer?> ServerSelector(ClientHello hello, MutualTlsServer front, CancellationToken cancellationToken);
