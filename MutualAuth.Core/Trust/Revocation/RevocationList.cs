using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using MutualAuth.Certificates;
using MutualAuth.Names;

namespace MutualAuth.Trust.Revocation;

/// <summary>One certificate revocation list (CRL, RFC 5280 §5) as it was loaded. Whether it is genuine shows only when a path has its issuer's key.</summary>
/// <remarks>Immutable and safe to share. It keeps the encoding, and about eight octets for each entry beside it.</remarks>
public sealed class RevocationList
{
    // A real authority has one key, and a second one while it changes. More are checked each time and not remembered.
    private const int MaxRememberedKeys = 8;

    private readonly CrlFields _fields;
    private readonly byte[] _digest;
    private ImmutableArray<CheckedKey> _checked = [];

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
        && Scheme.HashBits >= other.Scheme.HashBits
        && (FormProblem is null || FormProblem == other.FormProblem)
        && _fields.AuthorityKeyId.KeyId.Span.SequenceEqual(other._fields.AuthorityKeyId.KeyId.Span);

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
        $"list {Number ?? "without number"} of {Errors.PeerText.Quote(Issuer.ToString())}, {ThisUpdate:yyyy-MM-ddTHH:mm:ssZ} to {NextUpdate?.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture) ?? "no stated end"}, {Count} entries");

    private readonly record struct CheckedKey(ReadOnlyMemory<byte> Key, bool IsSigner);
}
