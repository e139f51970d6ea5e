namespace MutualAuth;

/// <summary>Whether each side must learn, inside the handshake call, that the other has accepted it. See <c>docs/protocol.md</c>.</summary>
public enum ConfirmationPolicy
{
    /// <summary>A peer that does not speak the confirmation protocol is rejected.</summary>
    Required = 1,

    /// <summary>Confirm where the peer can; with others, the guarantee is that of plain TLS, and the connection says so.</summary>
    Preferred = 2,

    /// <summary>Do not offer it. A refused client learns of its refusal only when it first reads.</summary>
    Never = 3,
}
