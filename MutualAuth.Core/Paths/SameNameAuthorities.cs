using System.Collections.Frozen;
using System.Collections.Immutable;
using MutualAuth.Certificates;

namespace MutualAuth.Paths;

/// <summary>The certificates of authorities with the same name, in the order in which a search tries them. Immutable.</summary>
/// <remarks>Sorted and indexed once, when the anchors are loaded, so that thousands of them do not slow a search down.</remarks>
internal sealed class SameNameAuthorities
{
    private readonly ImmutableArray<Certificate> _sorted;
    private readonly IEnumerable<Certificate> _inAnyOrder;
    private readonly FrozenDictionary<string, ImmutableArray<Certificate>> _byKeyId;

    internal SameNameAuthorities(IEnumerable<Certificate> certificates)
    {
        _sorted = [.. certificates.Order(Comparer<Certificate>.Create(Compare))];
        _inAnyOrder = _sorted;
        _byKeyId = _sorted.GroupBy(certificate => KeyIdOf(certificate.Extensions.SubjectKeyId.Span)).ToFrozenDictionary(
            group => group.Key, group => group.ToImmutableArray());
    }

    internal static SameNameAuthorities None { get; } = new([]);

    internal bool IsEmpty => _sorted.IsEmpty;

    /// <summary>All of them, the longest validity first.</summary>
    internal ImmutableArray<Certificate> All => _sorted;

    /// <summary>Longer validity first, and then the octets, so that the order does not depend on the order of the input.</summary>
    internal static int Compare(Certificate left, Certificate right)
    {
        var order = right.NotAfter.CompareTo(left.NotAfter);
        return order != 0 ? order : left.RawData.Span.SequenceCompareTo(right.RawData.Span);
    }

    /// <summary>Whether a key identifier matches (0), is absent (1), or differs (2).</summary>
    internal static int Rank(Certificate issuer, ReadOnlySpan<byte> wanted)
    {
        var has = issuer.Extensions.SubjectKeyId.Span;
        return wanted.IsEmpty || has.IsEmpty ? 1 : has.SequenceEqual(wanted) ? 0 : 2;
    }

    /// <summary>The certificates with this key identifier; those without one, for an empty identifier.</summary>
    internal ImmutableArray<Certificate> WithKeyId(ReadOnlySpan<byte> keyId)
    {
        // One is the same for each identifier that fits, and needs no index.
        return _sorted.Length > 1 ? _byKeyId.GetValueOrDefault(KeyIdOf(keyId), [])
            : !_sorted.IsEmpty && _sorted[0].Extensions.SubjectKeyId.Span.SequenceEqual(keyId) ? _sorted
            : [];
    }

    /// <summary>
    /// All of them, the most promising first: those with the wanted key identifier, those without any, the others. Evaluated lazily.
    /// </summary>
    internal IEnumerable<Certificate> For(ReadOnlyMemory<byte> wantedKeyId) => _sorted.Length == 1 ? _inAnyOrder : Ordered(wantedKeyId);

    private IEnumerable<Certificate> Ordered(ReadOnlyMemory<byte> wantedKeyId)
    {
        if (wantedKeyId.IsEmpty)
        {
            foreach (var certificate in _sorted)
            {
                yield return certificate;
            }

            yield break;
        }

        foreach (var certificate in WithKeyId(wantedKeyId.Span))
        {
            yield return certificate;
        }

        foreach (var certificate in WithKeyId(default))
        {
            yield return certificate;
        }

        foreach (var certificate in _sorted)
        {
            if (Rank(certificate, wantedKeyId.Span) == 2)
            {
                yield return certificate;
            }
        }
    }

    private static string KeyIdOf(ReadOnlySpan<byte> keyId) => Convert.ToHexString(keyId);
}
