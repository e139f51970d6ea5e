using MutualAuth.Certificates;
using MutualAuth.Names;

namespace MutualAuth.Paths;

/// <summary>All certificates that may issue others in one validation, found by name and put into an order of their own.</summary>
/// <remarks>The order depends on the certificates alone, so that what the peer sent first plays no part.</remarks>
internal sealed class CandidatePool
{
    // More of one name than this, of which none bears the key identifier that is asked for, no search would come to the end of.
    private const int MaxHelpers = 256;

    private readonly TrustAnchors _trust;
    private readonly List<Certificate> _presented;
    private readonly List<(Certificate Subject, List<Certificate> Found)> _intermediatesOf = new(4);

    internal CandidatePool(Certificate leaf, IReadOnlyList<Certificate> presented, TrustAnchors trust, VerifiedCertificateCache memory)
    {
        Leaf = leaf;
        _trust = trust;
        _presented = new List<Certificate>(presented.Count);
        for (var i = 0; i < presented.Count; i++)
        {
            // A certificate that is an anchor or a known helper is found as that, with the key that it keeps.
            if (!presented[i].Equals(leaf) && !_presented.Contains(presented[i]))
            {
                _presented.Add(memory.Known(presented[i]));
            }
        }
    }

    internal Certificate Leaf { get; }

    internal TrustAnchors Trust => _trust;

    /// <summary>Everything that calls itself the issuer of <paramref name="subject"/>, the most promising first: anchors before others, then by key identifier, then the longer validity.</summary>
    internal IEnumerable<Candidate> IssuersOf(Certificate subject)
    {
        foreach (var anchor in _trust.AnchorsNamed(subject.Issuer).For(subject.Extensions.AuthorityKeyId.KeyId))
        {
            yield return new Candidate(anchor, IsAnchor: true);
        }

        foreach (var intermediate in IntermediatesOf(subject))
        {
            yield return new Candidate(intermediate, IsAnchor: false);
        }
    }

    /// <summary>Everything of this name, in no order.</summary>
    internal IEnumerable<Certificate> Named(DistinguishedName name) =>
        _trust.AnchorsNamed(name).All.Concat(_trust.IntermediatesNamed(name).All).Concat(_presented.Where(presented => presented.Subject.Equals(name)));

    /// <summary>Whether names alone lead from the leaf to an anchor. Costs no signature check, and visits each certificate once.</summary>
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

    /// <summary>The helpers and what the peer sent, looked for once for each certificate however many paths lead through it.</summary>
    private List<Certificate> IntermediatesOf(Certificate subject)
    {
        foreach (var (known, found) in _intermediatesOf)
        {
            if (ReferenceEquals(known, subject))
            {
                return found;
            }
        }

        var wanted = subject.Extensions.AuthorityKeyId.KeyId;
        List<Certificate> intermediates = [.. _trust.IntermediatesNamed(subject.Issuer).For(wanted).Take(MaxHelpers)];
        foreach (var presented in _presented)
        {
            if (presented.Subject.Equals(subject.Issuer) && !intermediates.Contains(presented))
            {
                intermediates.Add(presented);
            }
        }

        intermediates.Sort((left, right) =>
        {
            var order = SameNameAuthorities.Rank(left, wanted.Span).CompareTo(SameNameAuthorities.Rank(right, wanted.Span));
            return order != 0 ? order : SameNameAuthorities.Compare(left, right);
        });
        _intermediatesOf.Add((subject, intermediates));
        return intermediates;
    }
}

/// <summary>A certificate that may have issued another.</summary>
internal readonly record struct Candidate(Certificate Certificate, bool IsAnchor);
