namespace MutualAuth.Certificates;

/// <summary>What happens to a certificate in a bundle of trust anchors that is whole and cannot be read as RFC 5280 has it.</summary>
public enum UnreadableAnchors
{
    /// <summary>It is left out, named in <see cref="TrustAnchors.LeftOut"/> and logged; the others are loaded.</summary>
    LeaveOut = 1,

    /// <summary>Nothing is loaded.</summary>
    Refuse = 2,
}
