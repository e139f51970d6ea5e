namespace MutualAuth;

/// <summary>Chooses a server by what a client asks for. It runs within the handshake's deadline and may wait for others.</summary>
/// <param name="hello">What the client asks for; nothing of it is verified.</param>
/// <param name="front">The server that was asked: return it to serve the client with its own configuration.</param>
/// <param name="cancellationToken">Ends with the handshake's deadline.</param>
/// <returns>The server that carries on; null turns the client away as <see cref="RejectionReason.UnrecognizedServerName"/>.</returns>
public delegate ValueTask<MutualTlsServer?> ServerSelector(ClientHello hello, MutualTlsServer front, CancellationToken cancellationToken);
