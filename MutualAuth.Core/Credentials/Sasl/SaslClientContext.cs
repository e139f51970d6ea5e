using System.Collections.Immutable;

namespace MutualAuth.Credentials;

/// <summary>What a client's mechanism knows of the connection on which it logs in. The server's certificate has been accepted.</summary>
public sealed class SaslClientContext
{
    internal SaslClientContext(AuthenticatedPeer server, ChannelBinding? channelBinding, ImmutableArray<string> offered)
    {
        Server = server;
        ChannelBinding = channelBinding;
        Offered = offered;
    }

    /// <summary>
    /// What we have shown to the server on this connection, which may not be what our source has by now; null when we have shown nothing, because
    /// we have nothing or were not asked.
    /// </summary>
    public Identity? OwnIdentity { get; internal init; }

    /// <summary>The server as its accepted certificate shows it.</summary>
    public AuthenticatedPeer Server { get; }

    /// <summary>What identifies the channel; null when the server's certificate has no binding.</summary>
    public ChannelBinding? ChannelBinding { get; }

    /// <summary>The mechanisms that the server offers.</summary>
    public ImmutableArray<string> Offered { get; }

    /// <summary>Where mechanisms get their nonces; tests replay published examples through it.</summary>
    internal Func<string> Nonce { get; init; } = ScramNonce.Create;

    internal KeyDerivation KeyDerivation { get; init; } = KeyDerivation.Unbounded;
}
