using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using MutualAuth.Certificates;

namespace MutualAuth.Trust;

/// <summary>Remembers intermediates that stood in a verified path, with their imported keys and with the keys that were found to have signed them.</summary>
/// <remarks>
/// That a key has signed some octets is true for ever and under any trust, profile or revocation list, so that nothing ever has to be
/// dropped for being out of date; no verdict is remembered, and every other rule is applied anew each time. Only a path that was accepted
/// as a whole is remembered, so that a stranger cannot fill the memory. Bounded: two generations, of which the older is dropped when the
/// younger is full. Safe for concurrent use.
/// </remarks>
internal sealed class IntermediateMemory
{
    private const int MaxSigners = 8;

    private readonly int _capacity;
    private ConcurrentDictionary<Certificate, Entry> _young = new();
    private ConcurrentDictionary<Certificate, Entry> _old = new();

    /// <summary>A memory for at least this many intermediates; 0 remembers nothing.</summary>
    internal IntermediateMemory(int capacity) => _capacity = capacity;

    /// <summary>The number of intermediates in it, for tests.</summary>
    internal int Count => _young.Count + _old.Count;

    /// <summary>The instance of this certificate that has its key imported already; the certificate itself when it is not remembered.</summary>
    internal Certificate Known(Certificate certificate) => TryFind(certificate, out var entry) ? entry.Certificate : certificate;

    /// <summary>Whether this key is known to have signed this certificate.</summary>
    internal bool IsSignedBy(Certificate certificate, PublicKeyInfo key)
    {
        if (TryFind(certificate, out var entry))
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

    /// <summary>Remembers the intermediates of a path that was accepted, the peer first and the anchor last.</summary>
    internal void Remember(List<Certificate> path)
    {
        for (var i = 1; i < path.Count - 1 && _capacity > 0; i++)
        {
            if (IsSignedBy(path[i], path[i + 1].PublicKey))
            {
                continue;
            }

            var signer = path[i + 1].PublicKey.Encoding;
            _young.AddOrUpdate(
                path[i],
                static (certificate, key) => new Entry(certificate, [key]),
                static (_, entry, key) => entry.Signers.Length < MaxSigners ? entry with { Signers = entry.Signers.Add(key) } : entry,
                signer);
        }

        if (_young.Count > _capacity)
        {
            _old = Interlocked.Exchange(ref _young, new());
        }
    }

    private bool TryFind(Certificate certificate, [NotNullWhen(true)] out Entry? entry)
    {
        entry = null;
        if (_capacity == 0)
        {
            return false;
        }

        if (!_young.TryGetValue(certificate, out entry) && _old.TryRemove(certificate, out entry))
        {
            // Used again: it moves to the younger generation, and stays.
            _young.TryAdd(entry.Certificate, entry);
        }

        return entry is not null;
    }

    private sealed record Entry(Certificate Certificate, ImmutableArray<ReadOnlyMemory<byte>> Signers);
}
