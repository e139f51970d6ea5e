using System.Collections.Immutable;
using MutualAuth.Certificates;
using MutualAuth.Names;
using MutualAuth.Revocation;

namespace MutualAuth.Revalidation;

/// <summary>
/// Finds live connections by the certificates on their paths: by issuer, and by the serial numbers that it gave. Not safe for concurrent use.
/// </summary>
/// <remarks>So that one serial number on a new list leads to the few connections that stand on it, and to none of the others.</remarks>
internal sealed class IssuerIndex
{
    // Where connections come and go one by one, the tables of their authorities are not made for each of them.
    private const int MostSpares = 4;

    private readonly Dictionary<DistinguishedName, Issued> _issuers = [];
    private readonly Stack<Issued> _spares = new(MostSpares); // empty ones

    internal void Add(RevalidationEntry entry)
    {
        for (var i = 0; i < entry.Path.Length - 1; i++)
        {
            var issuer = entry.Path[i + 1];
            if (!_issuers.TryGetValue(issuer.Subject, out var issued))
            {
                issued = _spares.TryPop(out var spare) ? spare : new Issued();
                _issuers.Add(issuer.Subject, issued);
            }

            issued.Add(entry, entry.Path[i].Serial, issuer);
        }
    }

    internal void Remove(RevalidationEntry entry)
    {
        for (var i = 0; i < entry.Path.Length - 1; i++)
        {
            var issuer = entry.Path[i + 1];
            if (_issuers.TryGetValue(issuer.Subject, out var issued) && issued.Remove(entry, entry.Path[i].Serial, issuer))
            {
                _issuers.Remove(issuer.Subject);
                if (!issued.HasGrown && _spares.Count < MostSpares)
                {
                    _spares.Push(issued);
                }
            }
        }
    }

    /// <summary>Every connection that depends on a certificate of this issuer.</summary>
    internal IEnumerable<RevalidationEntry> Below(DistinguishedName issuer) => _issuers.TryGetValue(issuer, out var issued) ? issued.All() : [];

    /// <summary>The certificates of this issuer by which live connections know it.</summary>
    internal ImmutableArray<Certificate> CertificatesOf(DistinguishedName issuer) =>
        _issuers.TryGetValue(issuer, out var issued) ? issued.Certificates : [];

    /// <summary>Every connection that depends on a certificate of this issuer whose serial number is on the list.</summary>
    internal IEnumerable<RevalidationEntry> On(RevocationList list)
    {
        if (!_issuers.TryGetValue(list.Issuer, out var issued))
        {
            return [];
        }

        // Whichever is shorter leads: the list, or those who may be on it.
        return list.Count < issued.SerialCount
            ? list.Serials.SelectMany(issued.With)
            : issued.Serials.Where(serial => list.TryFind(serial.Span, out _)).SelectMany(issued.With);
    }

    /// <summary>What authorities of one name have issued.</summary>
    private sealed class Issued
    {
        private const int FewEntries = 8;

        // An entry by itself, as nearly all are, or a set of them.
        private readonly Dictionary<ReadOnlyMemory<byte>, object> _bySerial = new(SerialComparer.Instance);
        private readonly Dictionary<Certificate, int> _certificates = [];
        private HashSet<RevalidationEntry>? _spare; // an empty one

        /// <summary>Whether it holds room for many, and so is not worth keeping.</summary>
        internal bool HasGrown => _bySerial.Capacity > FewEntries || _certificates.Capacity > FewEntries;

        internal int SerialCount => _bySerial.Count;

        internal IEnumerable<ReadOnlyMemory<byte>> Serials => _bySerial.Keys;

        internal ImmutableArray<Certificate> Certificates => [.. _certificates.Keys];

        internal void Add(RevalidationEntry entry, ReadOnlyMemory<byte> serial, Certificate issuer)
        {
            _certificates[issuer] = _certificates.GetValueOrDefault(issuer) + 1;
            if (!_bySerial.TryGetValue(serial, out var found))
            {
                _bySerial.Add(serial, entry);
            }
            else if (found is HashSet<RevalidationEntry> several)
            {
                several.Add(entry);
            }
            else
            {
                var both = _spare ?? [];
                _spare = null;
                both.Add((RevalidationEntry)found);
                both.Add(entry);
                _bySerial[serial] = both;
            }
        }

        /// <summary>Returns true when nothing is left.</summary>
        internal bool Remove(RevalidationEntry entry, ReadOnlyMemory<byte> serial, Certificate issuer)
        {
            var count = _certificates.GetValueOrDefault(issuer);
            if (count > 1)
            {
                _certificates[issuer] = count - 1;
            }
            else
            {
                _certificates.Remove(issuer);
            }

            if (!_bySerial.TryGetValue(serial, out var found))
            {
                return _bySerial.Count == 0;
            }

            if (found is not HashSet<RevalidationEntry> several)
            {
                _bySerial.Remove(serial);
            }
            else if (several.Remove(entry) && several.Count == 0)
            {
                _bySerial.Remove(serial);
                _spare = several.Capacity > FewEntries ? _spare : several;
            }

            return _bySerial.Count == 0;
        }

        internal IEnumerable<RevalidationEntry> All() => _bySerial.Values.SelectMany(Entries);

        internal IEnumerable<RevalidationEntry> With(ReadOnlyMemory<byte> serial) =>
            _bySerial.TryGetValue(serial, out var found) ? Entries(found) : [];

        private static IEnumerable<RevalidationEntry> Entries(object found) =>
            found as HashSet<RevalidationEntry> ?? (IEnumerable<RevalidationEntry>)[(RevalidationEntry)found];
    }

    private sealed class SerialComparer : IEqualityComparer<ReadOnlyMemory<byte>>
    {
        internal static SerialComparer Instance { get; } = new();

        public bool Equals(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceEqual(y.Span);

        public int GetHashCode(ReadOnlyMemory<byte> obj)
        {
            var hash = default(HashCode);
            hash.AddBytes(obj.Span);
            return hash.ToHashCode();
        }
    }
}
