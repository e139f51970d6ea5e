namespace MutualAuth;

/// <summary>The stage at which a handshake failed and the side at fault. Callers usually branch on it.</summary>
public enum HandshakeFailure
{
    /// <summary>No transport to the peer could be made.</summary>
    Unreachable = 1,

    /// <summary>The two sides agree on no TLS version, cipher, application protocol or confirmation, or the peer does not speak TLS.</summary>
    NoAgreement = 2,

    /// <summary>We rejected what the peer presented.</summary>
    PeerRejected = 3,

    /// <summary>The peer rejected what we presented.</summary>
    RefusedByPeer = 4,

    /// <summary>The deadline passed.</summary>
    TimedOut = 5,

    /// <summary>The transport ended or failed before either side gave a verdict.</summary>
    TransportLost = 6,

    /// <summary>The peer broke the protocol.</summary>
    PeerMisbehaved = 7,

    /// <summary>We had no capacity left for this peer, or were shutting down.</summary>
    NoCapacity = 8,

    /// <summary>Our side failed, for example because of an unusable key or the platform's cryptography.</summary>
    OurFault = 9,
}
