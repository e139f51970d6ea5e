namespace MutualAuth;

/// <summary>What a peer has proven about itself in one handshake.</summary>
[Flags]
public enum PeerProofs
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>It holds the key of its certificate, and a trusted authority vouches for that.</summary>
    Certificate = 1,

    /// <summary>It knows the user's password; of a server: it knows the verifier of our password (RFC 5802).</summary>
    Password = 2,

    /// <summary>It presented a token that its issuer vouches for.</summary>
    Token = 4,

    /// <summary>The password or token was bound to this channel, which excludes a man in the middle with another certificate.</summary>
    ChannelBinding = 8,

    /// <summary>A mechanism of the application's own is satisfied.</summary>
    Other = 16,
}
