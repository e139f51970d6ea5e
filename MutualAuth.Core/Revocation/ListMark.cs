using System.Globalization;
using MutualAuth.Errors;
using MutualAuth.Names;

namespace MutualAuth.Revocation;

/// <summary>What tells of a revocation list whether another one may take its place: enough to compare, and nothing of what is revoked.</summary>
internal sealed class ListMark
{
    internal required DistinguishedName Issuer { get; init; }

    /// <summary>The identifier of the key that signed the list, as the list states it; empty for none.</summary>
    internal required ReadOnlyMemory<byte> KeyId { get; init; }

    /// <summary>The SHA-256 of the encoded scope in hex; empty for a list that covers every certificate of its issuer.</summary>
    internal required string Scope { get; init; }

    internal required bool IsDelta { get; init; }

    /// <summary>The CRL number as contents octets, not negative; empty for none.</summary>
    internal required ReadOnlyMemory<byte> Number { get; init; }

    internal required DateTimeOffset ThisUpdate { get; init; }

    internal required DateTimeOffset? NextUpdate { get; init; }

    /// <summary>The SHA-256 of the whole list, in hex.</summary>
    internal required string Digest { get; init; }

    /// <summary>Whether this list may replace the other of the same issuer: same scope, and equally complete.</summary>
    internal bool IsOfTheKindOf(ListMark other) => Scope == other.Scope && (!IsDelta || other.IsDelta);

    /// <summary>Whether both name the same signing key.</summary>
    internal bool NamesTheKeyOf(ListMark other) => KeyId.Span.SequenceEqual(other.KeyId.Span);

    /// <summary>Whether this list stands where the other one stood: of the same issuer, kind and key.</summary>
    internal bool TakesThePlaceOf(ListMark other) => Issuer.Equals(other.Issuer) && IsOfTheKindOf(other) && NamesTheKeyOf(other);

    /// <summary>In what respect this list is older than the other, as text; null when it is not.</summary>
    internal string? BehindWhat(ListMark other) =>
        Number.IsEmpty && !other.Number.IsEmpty ? "it no longer has a number"
        : !other.Number.IsEmpty && Compare(Number.Span, other.Number.Span) < 0
            ? $"its number {Convert.ToHexString(Number.Span)} is behind {Convert.ToHexString(other.Number.Span)}"
        : ThisUpdate < other.ThisUpdate ? "it was made before"
        : null;

    /// <summary>Issuer, number and dates, safe to log.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{(IsDelta ? "delta list" : "list")} {(Number.IsEmpty ? "without number" : Convert.ToHexString(Number.Span))} of "
            + $"{SafeText.Quote(Issuer.ToString())}, {UtcText.Of(ThisUpdate)} to {(NextUpdate is { } next ? UtcText.Of(next) : "no stated end")}");

    /// <summary>Compares two numbers that are not negative, by their contents octets.</summary>
    internal static int Compare(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        left = left.TrimStart((byte)0);
        right = right.TrimStart((byte)0);
        return left.Length != right.Length ? left.Length.CompareTo(right.Length) : left.SequenceCompareTo(right);
    }
}
