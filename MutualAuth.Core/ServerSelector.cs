namespace MutualAuth;

/// <summary>Selects a server by a client's ClientHello. It runs within the handshake's deadline and may wait for other services.</summary>
/// <param name="hello">The client's offer, none of which is verified.</param>
/// <param name="front">The server on which the selector is configured: return it to use its configuration.</param>
/// <param name="cancellationToken">Cancelled at the handshake's deadline.</param>
/// <returns>The server that continues; null rejects the client with <see cref="RejectionReason.UnrecognizedServerName"/>.</returns>
public delegate ValueTask<MutualTlsServer?> ServerSelector(ClientHello hello, MutualTlsServer front, CancellationToken cancellationToken);
