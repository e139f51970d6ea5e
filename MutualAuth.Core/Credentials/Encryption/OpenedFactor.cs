using System.Diagnostics.CodeAnalysis;

namespace MutualAuth.Credentials;

/// <summary>What <see cref="FactorEncryption.OpenAsync"/> found: the factor in plain text, or why there is none.</summary>
public sealed record OpenedFactor
{
    private OpenedFactor()
    {
    }

    /// <summary>The factor with its data in plain text, for the mechanism that verifies it. Null when it was not opened.</summary>
    public StoredFactor? Factor { get; private init; }

    /// <summary>
    /// Why it was not opened: <see cref="RejectionReason.SecondFactorKeyUnavailable"/>, <see cref="RejectionReason.SecondFactorNotAuthentic"/> or
    /// <see cref="RejectionReason.SecondFactorNotEncrypted"/>. Null when it was.
    /// </summary>
    public Rejection? Objection { get; private init; }

    /// <summary>The name of the key with which it was encrypted; null when it was in plain text, or was not opened.</summary>
    public string? KeyId { get; private init; }

    /// <summary>Whether there is a factor.</summary>
    [MemberNotNullWhen(true, nameof(Factor))]
    [MemberNotNullWhen(false, nameof(Objection))]
    public bool IsOpen => Factor is not null;

    internal static OpenedFactor Of(StoredFactor factor, string? keyId) => new() { Factor = factor, KeyId = keyId };

    internal static OpenedFactor Refused(RejectionReason reason, string expected, string presented, string hint) =>
        new() { Objection = new Rejection(reason, expected, presented) { Hint = hint } };
}
