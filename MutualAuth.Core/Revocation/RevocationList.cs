using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Names;

namespace MutualAuth.Revocation;

/// <summary>A loaded certificate revocation list (CRL, RFC 5280 §5). Its signature is verified only when a path has its issuer's key.</summary>
/// <remarks>
/// Safe to share: its content never changes, and the result of the signature check is kept with it. It keeps the encoding, and about eight
/// octets for each entry.
/// </remarks>
public sealed class RevocationList
{
    // An authority has one key, and a second one during a key change. Results for further keys are not cached.
    private const int MaxRememberedKeys = 8;

    private readonly CrlFields _fields;
    private ImmutableArray<CheckedKey> _checked = [];
    private ImmutableArray<RevocationList> _reserve = [];
    private Action<RevocationList>? _whenRefuted;
    private Action? _whenJudged;
    private ListMark? _mark;
    private volatile bool _isProven;
    private volatile bool _isRefuted;

    internal RevocationList(CrlFields fields) => (_fields, Alone) = (fields, [this]);

    /// <summary>The name of the issuer, as stated in the list.</summary>
    public DistinguishedName Issuer => _fields.Issuer;

    /// <summary>The CRL number in upper-case hex, which increases from list to list; null when there is none.</summary>
    public string? Number => _fields.Number.IsEmpty ? null : Convert.ToHexString(_fields.Number.Span);

    /// <summary>The time at which the list was made. It is not valid before.</summary>
    public DateTimeOffset ThisUpdate => _fields.ThisUpdate;

    /// <summary>
    /// The time by which the issuer makes the next list, inclusive; the list is not valid afterwards. Null when the list does not say.
    /// </summary>
    public DateTimeOffset? NextUpdate => _fields.NextUpdate;

    /// <summary>The number of serial numbers on the list.</summary>
    public int Count => _fields.Entries.Count;

    /// <summary>Whether it contains only the changes since another list (a delta CRL, RFC 5280 §5.2.4).</summary>
    public bool IsDelta => !_fields.DeltaBase.IsEmpty;

    /// <summary>This list and no other.</summary>
    internal ImmutableArray<RevocationList> Alone { get; }

    internal bool HasRemovals => _fields.HasRemovals;

    /// <summary>Whether a path needed the list and no key in the path had signed it, and no later path has proven its signature.</summary>
    internal bool IsRefuted => _isRefuted && !_isProven;

    /// <summary>The previous lists that this one replaces once its signature is proven; until then they are used where it does not verify.</summary>
    internal ImmutableArray<RevocationList> Reserve => _reserve;

    /// <summary>Whether a path has proven its signature, in this process or in an earlier one.</summary>
    internal bool IsProven => _isProven;

    /// <summary>What it is compared by with lists of earlier and later times.</summary>
    internal ListMark Mark => _mark ??= new ListMark
    {
        Issuer = Issuer,
        KeyId = _fields.AuthorityKeyId.KeyId,
        Scope = Scope.Digest,
        IsDelta = IsDelta,
        Number = _fields.Number,
        ThisUpdate = ThisUpdate,
        NextUpdate = NextUpdate,
        Digest = Convert.ToHexStringLower(_fields.Digest ?? SHA256.HashData(RawData.Span)),
    };

    internal IssuingScope Scope => _fields.Scope;

    internal ReadOnlyMemory<byte> RawData => _fields.RawData;

    internal SignatureScheme Scheme => _fields.Scheme;

    internal string? FormProblem => _fields.FormProblem;

    /// <summary>The contents octets of every serial number on it, in no order.</summary>
    internal IEnumerable<ReadOnlyMemory<byte>> Serials => _fields.Entries.Serials();

    /// <summary>Whether both are the same list, octet by octet.</summary>
    internal bool IsSameAs(RevocationList other) => RawData.Span.SequenceEqual(other.RawData.Span);

    /// <summary>Whether this list, if genuine and valid, covers every certificate that <paramref name="other"/> covered.</summary>
    internal bool CoversWhat(RevocationList other) =>
        Scope.IsSameAs(other.Scope)
        && IsDelta == other.IsDelta
        && !other.HasRemovals
        && Scheme.HashBits >= other.Scheme.HashBits
        && (FormProblem is null || FormProblem == other.FormProblem)
        && _fields.AuthorityKeyId.KeyId.Span.SequenceEqual(other._fields.AuthorityKeyId.KeyId.Span);

    /// <summary>
    /// Whether this delta can be applied to that list (RFC 5280 §5.2.4): same scope and key, base not newer than that list, delta newer
    /// than it.
    /// </summary>
    internal bool AddsTo(RevocationList full) =>
        !full.IsDelta && full.Number is not null && Scope.IsSameAs(full.Scope) && Mark.NamesTheKeyOf(full.Mark)
        && ListMark.Compare(_fields.DeltaBase.Span, full._fields.Number.Span) <= 0
        && ListMark.Compare(full._fields.Number.Span, _fields.Number.Span) < 0;

    /// <summary>Whether that list already includes the changes of this delta.</summary>
    internal bool IsOvertakenBy(RevocationList full) => !full.IsDelta && full.Number is not null && Scope.IsSameAs(full.Scope) && !IsNewerThan(full);

    internal bool IsNewerThan(RevocationList other) => ListMark.Compare(_fields.Number.Span, other._fields.Number.Span) > 0;

    /// <summary>Copies the results of the signature check from the same list that was loaded before.</summary>
    internal void Continue(RevocationList same) => (_checked, _reserve, _whenRefuted, _isProven, _isRefuted) =
        (same._checked, same._reserve, same._whenRefuted, same._isProven, same._isRefuted);

    /// <summary>Keeps a valid list as a fallback where this one does not verify, until this one's signature is proven.</summary>
    internal void HoldInReserve(RevocationList before, Action<RevocationList> whenRefuted)
    {
        _whenRefuted = whenRefuted;
        if (!_isProven)
        {
            // A list that has been proven has no reserve any more.
            _reserve = _reserve.AddRange((before.Reserve.IsEmpty ? [before] : before.Reserve).Where(list => !_reserve.Contains(list)));
        }
    }

    /// <summary>Has a listener told, without waiting for it, when a path proves or refutes the signature.</summary>
    internal void TellWhenJudged(Action whenJudged) => _whenJudged = whenJudged;

    internal void Prove()
    {
        if (!_isProven)
        {
            (_isProven, _reserve) = (true, []);
            _whenJudged?.Invoke();
        }
    }

    /// <summary>Records that a path needed the list and that its signature does not verify there.</summary>
    /// <param name="hasReserve">Whether the list that it should replace does verify, which shows that its issuer did not sign this one.</param>
    internal void Refute(bool hasReserve)
    {
        if (_isProven)
        {
            return;
        }

        if (!_isRefuted)
        {
            _isRefuted = true;
            _whenJudged?.Invoke();
        }

        if (hasReserve && Interlocked.Exchange(ref _whenRefuted, null) is { } tell)
        {
            tell(this);
        }
    }

    /// <summary>The entry of a serial number, given as its contents octets.</summary>
    internal bool TryFind(ReadOnlySpan<byte> serial, out RevokedEntry entry) => _fields.Entries.TryFind(serial, out entry);

    /// <summary>
    /// Whether the list names a key other than the issuer's as its signer. The identifiers only tell keys apart; the signature decides.
    /// </summary>
    internal bool NamesAnotherKey(Certificate issuer) =>
        !_fields.AuthorityKeyId.KeyId.IsEmpty
        && !issuer.Extensions.SubjectKeyId.IsEmpty
        && !_fields.AuthorityKeyId.KeyId.Span.SequenceEqual(issuer.Extensions.SubjectKeyId.Span);

    /// <summary>Whether this key signed the list. Each key is tried once, and the result is kept with the list.</summary>
    internal bool IsSignedBy(PublicKeyInfo key)
    {
        foreach (var known in _checked)
        {
            if (known.Key.Span.SequenceEqual(key.Encoding.Span))
            {
                return known.IsSigner;
            }
        }

        var isSigner = _fields.SignedDigest is null
            ? key.Verify(_fields.Scheme, _fields.Signed.Span, _fields.Signature.Span)
            : key.VerifyDigest(_fields.Scheme, _fields.SignedDigest, _fields.Signature.Span);
        ImmutableInterlocked.Update(
            ref _checked,
            static (before, now) => before.Length < MaxRememberedKeys ? before.Add(now) : before,
            new CheckedKey(key.Encoding, isSigner));
        return isSigner;
    }

    /// <summary>Whether some of the certificates have its issuer's name, and the key of none of them signed it.</summary>
    internal bool IsSignedByNoneOf(ImmutableArray<Certificate> issuers)
    {
        var known = issuers.Where(issuer => issuer.Subject.Equals(Issuer)).ToArray();
        return known.Length > 0 && !known.Any(issuer => IsSignedBy(issuer.PublicKey));
    }

    /// <summary>Issuer, number, dates and size, safe to log.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"list {Number ?? "without number"} of {SafeText.Quote(Issuer.ToString())}, {UtcText.Of(ThisUpdate)} to "
            + $"{(NextUpdate is { } next ? UtcText.Of(next) : "no stated end")}, {Count} entries");

    private readonly record struct CheckedKey(ReadOnlyMemory<byte> Key, bool IsSigner);
}
