using System.Buffers.Binary;

namespace MutualAuth.Hello;

/// <summary>
/// Which key exchanges a hello asks for (RFC 8446 §4.2.7, §4.2.8). With a finite field (RFC 7919) a stranger has us raise a number of 8,192 bits for
/// the price of a thousand random octets (CVE-2002-20001); every client of TLS 1.2 or later supports something better.
/// </summary>
internal static class KeyExchangeCost
{
    private const string Rule = "RFC 7919, CVE-2002-20001";

    private const string Hint = "Let the peer offer X25519, P-256 or another elliptic curve.";

    /// <summary>Judges a complete hello. Null: it costs a curve at most.</summary>
    /// <param name="groups">The contents of <c>supported_groups</c>: whole groups.</param>
    /// <param name="hasGroups">Whether there was one. A hello without it is an old client's, who has not heard of groups.</param>
    /// <param name="shares">The contents of <c>key_share</c>, well-formed; empty where TLS 1.3 is not offered.</param>
    internal static Rejection? Examine(ReadOnlySpan<byte> groups, bool hasGroups, ReadOnlySpan<byte> shares)
    {
        var reader = new WireReader(shares);
        while (reader.TryReadUInt16(out var group) && reader.TryReadVector16(out var key))
        {
            if (IsFiniteField(group))
            {
                return new Rejection(
                    RejectionReason.NoCommonCipherSuite,
                    "key shares on elliptic curves",
                    $"one of {key.Length} bytes in the finite field 0x{group:x4}")
                {
                    Rule = Rule,
                    Hint = Hint,
                };
            }
        }

        if (!hasGroups || HoldsCurve(groups))
        {
            return null;
        }

        return new Rejection(RejectionReason.NoCommonCipherSuite, "an elliptic-curve or hybrid group", $"{groups.Length / 2} groups without one")
        { Rule = Rule, Hint = Hint };
    }

    private static bool HoldsCurve(ReadOnlySpan<byte> groups)
    {
        for (var at = 0; at + 1 < groups.Length; at += 2)
        {
            if (IsCurve(BinaryPrimitives.ReadUInt16BigEndian(groups[at..])))
            {
                return true;
            }
        }

        return false;
    }

    // RFC 7919 §2 keeps the whole range for finite fields.
    private static bool IsFiniteField(int group) => group is >= 0x0100 and <= 0x01ff;

    // The registry of supported groups: elliptic curves; ML-KEM; hybrids of both, final and as browsers tried them first.
    private static bool IsCurve(int group) =>
        group is (>= 0x0001 and <= 0x0029) or (>= 0x0200 and <= 0x0202) or (>= 0x11eb and <= 0x11ee) or 0x6399 or 0x639a;
}
