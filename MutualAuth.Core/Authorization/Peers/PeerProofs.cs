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

    /// <summary>It gave the one-time code of the moment, or of the next transaction (RFC 6238), which was not used before.</summary>
    OneTimeCode = 32,

    /// <summary>Its authenticator signed the server's challenge with a registered passkey (WebAuthn Level 2).</summary>
    Passkey = 64,

    /// <summary>The authenticator says that it verified the person, by a PIN or a biometric trait; it does not say which.</summary>
    UserVerification = 128,

    /// <summary>It gave one of the user's recovery codes, which is used up now: a means to recover an account (NIST SP 800-63B-4 §4.2).</summary>
    RecoveryCode = 256,

    /// <summary>It presented a ticket of a Kerberos realm that the server accepts (RFC 4120).</summary>
    Kerberos = 512,

    /// <summary>
    /// It showed a reconnect credential: what stands beside it was proven at an earlier login, and not now; of a server, that it has issued ours.
    /// </summary>
    ReconnectCredential = 1024,
}
