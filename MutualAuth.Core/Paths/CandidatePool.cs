using MutualAuth.Certificates;
using MutualAuth.Names;

namespace MutualAuth.Paths;

/// <summary>All certificates that may be issuers in one validation, indexed by name and in a deterministic order.</summary>
/// <remarks>The order depends on the certificates alone, never on the order in which the peer sent them.</remarks>
internal sealed class CandidatePool
{
    // With more certificates of one name than this, none of which has the wanted key identifier, no search could be completed.
    private const int MaxHelpers = 256;

    private readonly TrustAnchors _trust;
    private readonly Certificate[] _presented;
    private List<(Certificate Subject, Certificate[] Found)>? _intermediatesOf; // only where there is more than one to choose from

    internal CandidatePool(Certificate leaf, IReadOnlyList<Certificate> presented, TrustAnchors trust, VerifiedCertificateCache? memory)
    {
        Leaf = leaf;
        _trust = trust;
        _presented = new Certificate[presented.Count];
        var count = 0;
        for (var i = 0; i < presented.Count; i++)
        {
            // A certificate that is an anchor or a known helper is represented by that instance, with its imported key.
            if (!presented[i].Equals(leaf) && !_presented.AsSpan(0, count).Contains(presented[i]))
            {
                _presented[count++] = memory?.Known(presented[i]) ?? presented[i];
            }
        }

        Array.Resize(ref _presented, count);
    }

    internal Certificate Leaf { get; }

    internal TrustAnchors Trust => _trust;

    /// <summary>
    /// All certificates whose subject is the issuer name of <paramref name="subject"/>, the most promising first: anchors first, then by
    /// key identifier, then the longer validity.
    /// </summary>
    internal Candidates IssuersOf(Certificate subject) => new(this, subject);

    /// <summary>Whether nothing of what the peer presented was left out: neither a copy nor its own certificate.</summary>
    internal bool HasAll(IReadOnlyList<Certificate> presented) => _presented.Length == presented.Count;

    /// <summary>All certificates with this name, in no order.</summary>
    internal IEnumerable<Certificate> Named(DistinguishedName name) =>
        _trust.AnchorsNamed(name).All.Concat(_trust.IntermediatesNamed(name).All).Concat(
            _presented.Where(presented => presented.Subject.Equals(name)));

    /// <summary>Whether names alone lead from the leaf to an anchor. Needs no signature check, and visits each certificate once.</summary>
    internal bool NamesReachAnAnchor()
    {
        var visited = new HashSet<DistinguishedName>();
        var pending = new Queue<DistinguishedName>([Leaf.Issuer]);
        while (pending.TryDequeue(out var name))
        {
            if (!visited.Add(name))
            {
                continue;
            }

            if (!_trust.AnchorsNamed(name).IsEmpty)
            {
                return true;
            }

            foreach (var issuer in _trust.IntermediatesNamed(name).All.Concat(_presented.Where(presented => presented.Subject.Equals(name))))
            {
                pending.Enqueue(issuer.Issuer);
            }
        }

        return false;
    }

    /// <summary>What may have issued a certificate, found as it is asked for: the intermediates when no anchor is left.</summary>
    internal struct Candidates(CandidatePool pool, Certificate subject)
    {
        private readonly SameNameAuthorities _anchors = pool._trust.AnchorsNamed(subject.Issuer);
        private IEnumerator<Certificate>? _next; // of several anchors
        private Certificate[]? _intermediates;
        private int _passed;

        public Candidate Current { get; private set; }

        public readonly Candidates GetEnumerator() => this;

        public bool MoveNext()
        {
            if (_intermediates is null && NextAnchor() is { } anchor)
            {
                Current = new Candidate(anchor, IsAnchor: true);
                return true;
            }

            if (_intermediates is null)
            {
                _intermediates = pool.IntermediatesOf(subject);
                _passed = 0;
            }

            if (_passed == _intermediates.Length)
            {
                return false;
            }

            Current = new Candidate(_intermediates[_passed++], IsAnchor: false);
            return true;
        }

        private Certificate? NextAnchor()
        {
            if (_anchors.All.Length < 2)
            {
                return _passed++ < _anchors.All.Length ? _anchors.All[0] : null;
            }

            _next ??= _anchors.For(subject.Extensions.AuthorityKeyId.KeyId).GetEnumerator();
            return _next.MoveNext() ? _next.Current : null;
        }
    }

    /// <summary>The helpers and the presented certificates; looked up once for each certificate, however many paths lead through it.</summary>
    private Certificate[] IntermediatesOf(Certificate subject)
    {
        var helpers = _trust.IntermediatesNamed(subject.Issuer);
        if (helpers.IsEmpty && _presented.Length < 2)
        {
            return _presented.Length == 1 && _presented[0].Subject.Equals(subject.Issuer) ? _presented : [];
        }

        foreach (var (known, found) in _intermediatesOf ??= [])
        {
            if (ReferenceEquals(known, subject))
            {
                return found;
            }
        }

        var wanted = subject.Extensions.AuthorityKeyId.KeyId;
        List<Certificate> several = helpers.IsEmpty ? [] : [.. helpers.For(wanted).Take(MaxHelpers)];
        foreach (var presented in _presented)
        {
            if (presented.Subject.Equals(subject.Issuer) && !several.Contains(presented))
            {
                several.Add(presented);
            }
        }

        if (several.Count > 1)
        {
            Sort(several, wanted);
        }

        Certificate[] intermediates = [.. several];
        _intermediatesOf.Add((subject, intermediates));
        return intermediates;
    }

    private static void Sort(List<Certificate> intermediates, ReadOnlyMemory<byte> wanted) => intermediates.Sort((left, right) =>
    {
        var order = SameNameAuthorities.Rank(left, wanted.Span).CompareTo(SameNameAuthorities.Rank(right, wanted.Span));
        return order != 0 ? order : SameNameAuthorities.Compare(left, right);
    });
}

/// <summary>A certificate that may have issued another.</summary>
internal readonly record struct Candidate(Certificate Certificate, bool IsAnchor);
