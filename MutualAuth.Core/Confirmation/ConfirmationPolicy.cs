namespace MutualAuth;

/// <summary>Whether each side must learn, inside the handshake call, that the other has accepted it. See <c>docs/protocol.md</c>.</summary>
public enum ConfirmationPolicy
{
    /// <summary>A peer that does not support the confirmation protocol is rejected.</summary>
    Required = 1,

    /// <summary>Confirm if the peer supports it; with other peers, the guarantee is that of plain TLS, and the connection says so.</summary>
    Preferred = 2,

    /// <summary>Do not offer it. A rejected client learns of its rejection only when it first reads.</summary>
    Never = 3,
}
