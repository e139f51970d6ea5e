using System.Collections.Immutable;
using MutualAuth.Certificates;
using MutualAuth.Names;

namespace MutualAuth.Trust;

/// <summary>All certificates that may issue others in one validation, found by name and put into an order of their own.</summary>
/// <remarks>The order depends on the certificates alone, so that what the peer sent first plays no part.</remarks>
internal sealed class CandidatePool
{
    private readonly TrustAnchors _trust;
    private readonly List<Certificate> _presented;

    internal CandidatePool(Certificate leaf, IReadOnlyList<Certificate> presented, TrustAnchors trust, CertificateMemory memory)
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

    /// <summary>Everything that calls itself the issuer of <paramref name="subject"/>, the most promising first.</summary>
    internal List<Candidate> IssuersOf(Certificate subject)
    {
        var candidates = new List<Candidate>(2);
        foreach (var anchor in _trust.AnchorsNamed(subject.Issuer))
        {
            candidates.Add(new Candidate(anchor, IsAnchor: true));
        }

        foreach (var helper in _trust.IntermediatesNamed(subject.Issuer))
        {
            AddIntermediate(candidates, helper);
        }

        foreach (var presented in _presented)
        {
            if (presented.Subject.Equals(subject.Issuer))
            {
                AddIntermediate(candidates, presented);
            }
        }

        if (candidates.Count > 1)
        {
            var wanted = subject.Extensions.AuthorityKeyId.KeyId;
            candidates.Sort((left, right) => Compare(left, right, wanted));
        }

        return candidates;
    }

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

            foreach (var issuer in _trust.IntermediatesNamed(name).Concat(_presented.Where(presented => presented.Subject.Equals(name))))
            {
                pending.Enqueue(issuer.Issuer);
            }
        }

        return false;
    }

    private static void AddIntermediate(List<Candidate> candidates, Certificate certificate)
    {
        foreach (var known in candidates)
        {
            if (known.Certificate.Equals(certificate))
            {
                return;
            }
        }

        candidates.Add(new Candidate(certificate, IsAnchor: false));
    }

    /// <summary>Anchors before others, a matching key identifier before none before another, longer validity first, and then the octets.</summary>
    private static int Compare(Candidate left, Candidate right, ReadOnlyMemory<byte> wantedKeyId)
    {
        var order = right.IsAnchor.CompareTo(left.IsAnchor);
        order = order != 0 ? order : KeyIdRank(left.Certificate, wantedKeyId.Span).CompareTo(KeyIdRank(right.Certificate, wantedKeyId.Span));
        order = order != 0 ? order : right.Certificate.NotAfter.CompareTo(left.Certificate.NotAfter);
        return order != 0 ? order : left.Certificate.RawData.Span.SequenceCompareTo(right.Certificate.RawData.Span);
    }

    private static int KeyIdRank(Certificate issuer, ReadOnlySpan<byte> wanted)
    {
        var has = issuer.Extensions.SubjectKeyId.Span;
        return wanted.IsEmpty || has.IsEmpty ? 1 : has.SequenceEqual(wanted) ? 0 : 2;
    }
}

/// <summary>A certificate that may have issued another.</summary>
internal readonly record struct Candidate(Certificate Certificate, bool IsAnchor);
