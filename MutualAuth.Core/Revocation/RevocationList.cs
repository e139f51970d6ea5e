using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Names;

namespace MutualAuth.Revocation;

/// <summary>One certificate revocation list (CRL, RFC 5280 §5) as it was loaded. Whether it is genuine shows only when a path has its issuer's key.</summary>
/// <remarks>Safe to share: what it says never changes, and what was found out about its signature is kept with it. It keeps the encoding, and about eight octets for each entry beside it.</remarks>
public sealed class RevocationList
{
    // A real authority has one key, and a second one while it changes. More are checked each time and not remembered.
    private const int MaxRememberedKeys = 8;

    private readonly CrlFields _fields;
    private readonly byte[] _digest;
    private ImmutableArray<CheckedKey> _checked = [];
    private ImmutableArray<RevocationList> _reserve = [];
    private Action<RevocationList>? _whenRefuted;
    private volatile bool _isProven;
    private volatile bool _isRefuted;

    internal RevocationList(CrlFields fields)
    {
        _fields = fields;
        _digest = CryptographicOperations.HashData(fields.Scheme.Hash, fields.Signed.Span);
    }

    /// <summary>Who says to have signed it.</summary>
    public DistinguishedName Issuer => _fields.Issuer;

    /// <summary>Its number as upper-case hex, which rises from list to list; null when it has none.</summary>
    public string? Number => _fields.Number.IsEmpty ? null : Convert.ToHexString(_fields.Number.Span);

    /// <summary>When it was made. Before, it does not count.</summary>
    public DateTimeOffset ThisUpdate => _fields.ThisUpdate;

    /// <summary>Until when its issuer makes the next one, inclusive; afterwards it does not count. Null when it does not say.</summary>
    public DateTimeOffset? NextUpdate => _fields.NextUpdate;

    /// <summary>How many serial numbers are on it.</summary>
    public int Count => _fields.Entries.Count;

    /// <summary>Whether it has only what changed since another list (a delta CRL, RFC 5280 §5.2.4).</summary>
    public bool IsDelta => !_fields.DeltaBase.IsEmpty;

    internal bool HasRemovals => _fields.HasRemovals;

    /// <summary>Whether a path has led to the key that signed it.</summary>
    internal bool IsProven => _isProven;

    /// <summary>Whether a path needed it and found that nobody whom the path knows had signed it, and none has proven it since.</summary>
    internal bool IsRefuted => _isRefuted && !_isProven;

    /// <summary>The lists whose place this one takes once it has been proven; until then they count where it does not verify.</summary>
    internal ImmutableArray<RevocationList> Reserve => _reserve;

    internal IssuingScope Scope => _fields.Scope;

    internal ReadOnlyMemory<byte> RawData => _fields.RawData;

    internal SignatureScheme Scheme => _fields.Scheme;

    internal string? FormProblem => _fields.FormProblem;

    /// <summary>The contents octets of every serial number on it, in no order.</summary>
    internal IEnumerable<ReadOnlyMemory<byte>> Serials => _fields.Entries.Serials();

    /// <summary>Whether both are the same list, octet by octet.</summary>
    internal bool IsSameAs(RevocationList other) => ReferenceEquals(this, other) || RawData.Span.SequenceEqual(other.RawData.Span);

    /// <summary>
    /// Whether, for whoever this list covers while it is genuine and in time, a certificate that <paramref name="other"/> covered is covered still.
    /// </summary>
    internal bool CoversWhat(RevocationList other) =>
        Scope.IsSameAs(other.Scope)
        && IsDelta == other.IsDelta
        && !other.HasRemovals
        && Scheme.HashBits >= other.Scheme.HashBits
        && (FormProblem is null || FormProblem == other.FormProblem)
        && _fields.AuthorityKeyId.KeyId.Span.SequenceEqual(other._fields.AuthorityKeyId.KeyId.Span);

    /// <summary>Whether this one may stand in the other's place: of the same issuer and scope, and as full.</summary>
    internal bool IsOfTheKindOf(RevocationList other) => Issuer.Equals(other.Issuer) && Scope.IsSameAs(other.Scope) && (!IsDelta || other.IsDelta);

    /// <summary>Whether both name the same key as that which signed them.</summary>
    internal bool NamesTheKeyOf(RevocationList other) => _fields.AuthorityKeyId.KeyId.Span.SequenceEqual(other._fields.AuthorityKeyId.KeyId.Span);

    /// <summary>How this list goes back behind the other, in words; null when it does not.</summary>
    internal string? BehindWhat(RevocationList other) =>
        Number is null && other.Number is not null ? "it has no number any more"
        : other.Number is not null && Compare(_fields.Number.Span, other._fields.Number.Span) < 0 ? $"its number {Number} is behind {other.Number}"
        : ThisUpdate < other.ThisUpdate ? "it was made before"
        : null;

    /// <summary>Whether this delta adds to that list (RFC 5280 §5.2.4): of the same scope and key, its base not after that list, and itself after it.</summary>
    internal bool AddsTo(RevocationList full) =>
        IsDelta && !full.IsDelta && full.Number is not null && Scope.IsSameAs(full.Scope) && NamesTheKeyOf(full)
        && Compare(_fields.DeltaBase.Span, full._fields.Number.Span) <= 0 && Compare(full._fields.Number.Span, _fields.Number.Span) < 0;

    /// <summary>Whether what this delta says is in that list already.</summary>
    internal bool IsOvertakenBy(RevocationList full) => !full.IsDelta && full.Number is not null && Scope.IsSameAs(full.Scope) && !IsNewerThan(full);

    internal bool IsNewerThan(RevocationList other) => Compare(_fields.Number.Span, other._fields.Number.Span) > 0;

    /// <summary>Takes over what was found out about the same list when it was loaded before.</summary>
    internal void Continue(RevocationList same)
    {
        if (!ReferenceEquals(this, same))
        {
            (_checked, _reserve, _whenRefuted, _isProven, _isRefuted) = (same._checked, same._reserve, same._whenRefuted, same._isProven, same._isRefuted);
        }
    }

    /// <summary>Keeps a list that counts where this one does not verify, until it has been proven.</summary>
    internal void HoldInReserve(RevocationList before, Action<RevocationList> whenRefuted)
    {
        _whenRefuted = whenRefuted;
        if (!_isProven)
        {
            _reserve = _reserve.AddRange((before.IsProven || before.Reserve.IsEmpty ? [before] : before.Reserve).Where(list => !_reserve.Contains(list)));
        }
    }

    internal void Prove()
    {
        if (!_isProven)
        {
            (_isProven, _reserve) = (true, []);
        }
    }

    /// <summary>Notes that a path needed it and that it does not verify there.</summary>
    /// <param name="hasReserve">Whether a list that it was to replace does, which shows that this one is none of its issuer's.</param>
    internal void Refute(bool hasReserve)
    {
        if (_isProven)
        {
            return;
        }

        _isRefuted = true;
        if (hasReserve && Interlocked.Exchange(ref _whenRefuted, null) is { } tell)
        {
            tell(this);
        }
    }

    /// <summary>The entry of a serial number, given as its contents octets.</summary>
    internal bool TryFind(ReadOnlySpan<byte> serial, out RevokedEntry entry) => _fields.Entries.TryFind(serial, out entry);

    /// <summary>Whether the list says that another key than the issuer's signed it. The identifiers only tell keys apart; the signature decides.</summary>
    internal bool NamesAnotherKey(Certificate issuer) =>
        !_fields.AuthorityKeyId.KeyId.IsEmpty
        && !issuer.Extensions.SubjectKeyId.IsEmpty
        && !_fields.AuthorityKeyId.KeyId.Span.SequenceEqual(issuer.Extensions.SubjectKeyId.Span);

    /// <summary>Whether this key signed the list. Each key is tried once, and what came of it is remembered with the list.</summary>
    internal bool IsSignedBy(PublicKeyInfo key)
    {
        foreach (var known in _checked)
        {
            if (known.Key.Span.SequenceEqual(key.Encoding.Span))
            {
                return known.IsSigner;
            }
        }

        var isSigner = key.VerifyDigest(_fields.Scheme, _digest, _fields.Signature.Span);
        ImmutableInterlocked.Update(
            ref _checked, static (before, now) => before.Length < MaxRememberedKeys ? before.Add(now) : before, new CheckedKey(key.Encoding, isSigner));
        return isSigner;
    }

    /// <summary>Issuer, number, dates and size, safe to log.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"list {Number ?? "without number"} of {SafeText.Quote(Issuer.ToString())}, {UtcText.Of(ThisUpdate)} to {(NextUpdate is { } next ? UtcText.Of(next) : "no stated end")}, {Count} entries");

    /// <summary>Compares two numbers that are not negative, by their contents octets.</summary>
    private static int Compare(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        left = left.TrimStart((byte)0);
        right = right.TrimStart((byte)0);
        return left.Length != right.Length ? left.Length.CompareTo(right.Length) : left.SequenceCompareTo(right);
    }

    private readonly record struct CheckedKey(ReadOnlyMemory<byte> Key, bool IsSigner);
}
