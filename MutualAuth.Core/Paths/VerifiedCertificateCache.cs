using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using MutualAuth.Certificates;
using MutualAuth.Collections;

namespace MutualAuth.Paths;

/// <summary>
/// Caches certificates of verified paths: their parsed content, their imported keys, and the keys that are known to have signed them.
/// </summary>
/// <remarks>
/// The content of a certificate, and the fact that a key has signed it, never change, whatever the trust, profile or revocation lists, so
/// that no entry becomes stale. No verdict is cached, and every other rule is applied again each time. Only a path that was accepted as a
/// whole is cached, so that an unknown peer cannot fill the cache. Bounded: two generations, of which the older is dropped when the younger
/// is full. Safe for concurrent use.
/// </remarks>
internal sealed class VerifiedCertificateCache
{
    private const int MaxSigners = 8;

    private readonly int _capacity;
    private Generation _young = new();
    private Generation _old = new();

    /// <summary>A cache for at least this many certificates; 0 caches nothing.</summary>
    internal VerifiedCertificateCache(int capacity) => _capacity = CacheSize.Of(capacity);

    /// <summary>The number of cached certificates, for tests.</summary>
    internal int Count => _young.Count + _old.Count;

    /// <summary>The cached certificate with this encoding; null when it is not cached.</summary>
    internal Certificate? Find(ReadOnlySpan<byte> der) => TryFind(der, out var entry) ? entry.Certificate : null;

    /// <summary>The instance of this certificate whose key is already imported; the certificate itself when it is not cached.</summary>
    internal Certificate Known(Certificate certificate) => Find(certificate.RawData.Span) ?? certificate;

    /// <summary>Whether this key is known to have signed this certificate.</summary>
    internal bool IsSignedBy(Certificate certificate, PublicKeyInfo key)
    {
        if (TryFind(certificate.RawData.Span, out var entry))
        {
            foreach (var signer in entry.Signers)
            {
                if (signer.Span.SequenceEqual(key.Encoding.Span))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Adds a certificate of an accepted path, and the key that has signed it.</summary>
    internal void Remember(Certificate certificate, PublicKeyInfo signer)
    {
        if (_capacity == 0 || IsSignedBy(certificate, signer))
        {
            return;
        }

        _young.Entries.AddOrUpdate(
            certificate,
            static (certificate, key) => new Entry(certificate, [key]),
            static (_, entry, key) => entry.Signers.Length < MaxSigners ? entry with { Signers = entry.Signers.Add(key) } : entry,
            signer.Encoding);
        if (_young.Count > _capacity)
        {
            _old = Interlocked.Exchange(ref _young, new());
        }
    }

    private bool TryFind(ReadOnlySpan<byte> der, [NotNullWhen(true)] out Entry? entry)
    {
        entry = null;
        if (_capacity == 0)
        {
            return false;
        }

        if (!_young.ByEncoding.TryGetValue(der, out entry) && _old.ByEncoding.TryRemove(der, out _, out entry))
        {
            // Used again: it moves to the younger generation.
            _young.Entries.TryAdd(entry.Certificate, entry);
        }

        return entry is not null;
    }

    private sealed class Generation
    {
        internal Generation() => ByEncoding = Entries.GetAlternateLookup<ReadOnlySpan<byte>>();

        internal ConcurrentDictionary<Certificate, Entry> Entries { get; } = new(new EncodingComparer());

        internal ConcurrentDictionary<Certificate, Entry>.AlternateLookup<ReadOnlySpan<byte>> ByEncoding { get; }

        // Count takes every lock of the dictionary, so it is read only after an addition.
        internal int Count => Entries.Count;
    }

    /// <summary>Finds a certificate by its octets alone, with a hash whose seed is new in each process.</summary>
    private sealed class EncodingComparer : IEqualityComparer<Certificate>, IAlternateEqualityComparer<ReadOnlySpan<byte>, Certificate>
    {
        public bool Equals(Certificate? x, Certificate? y) => object.Equals(x, y);

        public int GetHashCode(Certificate obj) => GetHashCode(obj.RawData.Span);

        public bool Equals(ReadOnlySpan<byte> alternate, Certificate other) => alternate.SequenceEqual(other.RawData.Span);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = default(HashCode);
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        // Octets are used for lookups only; entries are added as certificates.
        public Certificate Create(ReadOnlySpan<byte> alternate) => Certificate.Parse(alternate.ToArray());
    }

    private sealed record Entry(Certificate Certificate, ImmutableArray<ReadOnlyMemory<byte>> Signers);
}
