namespace MutualAuth;

/// <summary>The role of a side in the TLS handshake.</summary>
public enum PeerRole
{
    /// <summary>The side that dials and sends the ClientHello.</summary>
    Client = 1,

    /// <summary>The side that listens.</summary>
    Server = 2,
}
