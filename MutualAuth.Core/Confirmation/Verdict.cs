namespace MutualAuth.Confirmation;

/// <summary>What one side tells the other at the end of its certificate stage: accepted, or refused with a public reason.</summary>
internal readonly record struct Verdict
{
    private const ushort AcceptedCode = 0;

    private Verdict(ushort code)
    {
        Code = code;
        IsAccepted = code == AcceptedCode;
    }

    internal static Verdict Accepted { get; } = new(AcceptedCode);

    /// <summary>The number on the wire: 0, or that of a <see cref="PublicReason"/>.</summary>
    internal ushort Code { get; }

    /// <summary>Stored, so that an unset verdict (<c>default</c>) is not an acceptance.</summary>
    internal bool IsAccepted { get; }

    /// <summary>The reason; a number that the registry does not know is still a refusal. Null when accepted.</summary>
    internal PublicReason? Refusal => IsAccepted ? null : (PublicReason)Code;

    internal static Verdict Refused(PublicReason reason) => new(checked((ushort)reason));

    internal static Verdict FromWire(ushort code) => new(code);
}
