using System.Collections.Immutable;
using MutualAuth.Certificates;
using MutualAuth.Collections;
using MutualAuth.Errors;

namespace MutualAuth.Paths;

/// <summary>Searches, depth first and with backtracking, for a path that satisfies every rule. One instance serves one validation.</summary>
/// <remarks>
/// Cheap checks are made at each step. Signatures are checked when the path has reached an anchor, and from the anchor down: a key is used
/// only after a trusted key has certified it, so that unknown peers cannot make us work with keys of their own. Names, policies and
/// revocation are checked after that, so that only the constraints of trusted authorities are evaluated. It lives on the stack: most
/// searches find one path of three certificates at once, and nothing of them is left but that.
/// </remarks>
internal ref struct PathBuilder
{
    private readonly CandidatePool _pool;
    private readonly ValidationProfile _profile;
    private readonly PathValidator _validator;
    private readonly CertificateRules _rules;
    private readonly IRevocationSource? _revocation;
    private readonly PeerRole _role;
    private readonly DateTimeOffset _at;
    private WorkBudget _budget;
    private SignatureChecks _signatures;
    private ShortList<Certificate> _path;
    private ShortList<(Certificate Certificate, PathPosition Position, Rejection? Objection)> _examined;
    private List<(Certificate Authority, Certificate Certificate, Rejection? Objection)>? _constrained;
    private NameConstraintRules? _names;
    private PathFailure? _failure;
    private ImmutableArray<string> _policies = [];
    private bool _isStraight = true;

    // The part of the path from this index on must be replaced, because the check of the last complete path failed there.
    private int _broken = int.MaxValue;

    internal PathBuilder(
        CandidatePool pool,
        PathValidator validator,
        PeerRole role,
        DateTimeOffset at,
        IRevocationSource? revocation,
        ImmutableArray<Certificate> verified)
    {
        _pool = pool;
        _profile = validator.Profile;
        _validator = validator;
        _rules = new CertificateRules(pool.Leaf, _profile, role, at);
        _revocation = revocation;
        _role = role;
        _at = at;
        _budget = new WorkBudget(_profile.Budget);
        _signatures = new SignatureChecks(validator, verified);
    }

    // Most paths have no constraints on names, and nothing wrong.
    private NameConstraintRules Names => _names ??= new NameConstraintRules(_profile.Form == CertificateForm.Tolerant);

    private PathFailure Failure => _failure ??= new PathFailure();

    internal PathResult Build()
    {
        if (_rules.Examine(_pool.Leaf, PathPosition.Leaf) is { } unfit)
        {
            // When no authority is known, report that, whatever else is wrong with the certificate.
            return PathResult.Rejected(
                _pool.NamesReachAnAnchor() || _pool.Trust.TryGetAnchor(_pool.Leaf, out _) ? unfit : UnknownAuthority(_pool.Leaf));
        }

        _path.Add(_pool.Leaf);
        if (_pool.Trust.TryGetAnchor(_pool.Leaf, out _) ? Complete() : Extend(_pool.Leaf, intermediates: 0))
        {
            Remember();
            return PathResult.Found([.. _path.Items], _policies);
        }

        return PathResult.Rejected(_budget.Exhausted is { } exhausted
            ? new Rejection(RejectionReason.BudgetExceeded, $"certificates that can be validated within {exhausted}", "more than that")
            {
                Hint = "The certificates have more cross-links, or longer or more names, than most authorities need. "
                    + "docs/how-to/size-certificates.md has the limits.",
            }
            : Failure.Worst ?? UnknownAuthority(_pool.Leaf));
    }

    /// <summary>
    /// The search that was just made, where it never had a choice to take back, compared no names, and found the path that it had found before;
    /// otherwise null.
    /// </summary>
    /// <param name="presented">What the peer sent beside its own certificate.</param>
    /// <param name="stoodOn">The path by which the peer was accepted before.</param>
    internal StraightPath? Straight(IReadOnlyList<Certificate> presented, ImmutableArray<Certificate> stoodOn) =>
        _isStraight && _names is null && _path.Count > 1 && stoodOn.AsSpan().SequenceEqual(_path.Items)
        && _pool.HasAll(presented) && _profile.Purpose != PurposeRule.DangerouslyServerAuthForClients
            ? new(stoodOn, _rules, _pool, presented, _role, _at, _revocation, _policies)
            : null;

    private void Remember()
    {
        for (var i = 0; i < _path.Count - 1; i++)
        {
            _path[i].ShareNameOf(_path[i + 1]);
            if (_signatures.WasVerified(_path[i], _path[i + 1].PublicKey))
            {
                continue; // many connections that are judged again must not displace the peers that connect now
            }

            (i == 0 ? _validator.Peers : _validator.Authorities).Remember(_path[i], _path[i + 1].PublicKey);
        }
    }

    /// <summary>Tries every issuer of the last certificate of the path.</summary>
    /// <param name="current">The last certificate of the path.</param>
    /// <param name="intermediates">How many authorities that are not self-issued are in the path so far.</param>
    private bool Extend(Certificate current, int intermediates)
    {
        var found = false;
        foreach (var candidate in _pool.IssuersOf(current))
        {
            if (!_budget.SpendCandidate())
            {
                return false;
            }

            if (IsOnPath(candidate.Certificate))
            {
                _isStraight = false;
                continue;
            }

            found = true;
            if (_signatures.IsKnownNotToSign(current, candidate.Certificate))
            {
                _isStraight = false;
                continue;
            }

            if (Examine(candidate, intermediates) is { } objection)
            {
                _isStraight = false;
                Failure.Note(objection, candidate.IsAnchor, _path.Count);
                continue;
            }

            _path.Add(candidate.Certificate);
            var below = candidate.Certificate.IsSelfIssued ? intermediates : intermediates + 1;
            if (candidate.IsAnchor ? Complete() : Extend(candidate.Certificate, below))
            {
                return true;
            }

            _isStraight = false;
            _path.RemoveLast();
            if (_broken < _path.Count)
            {
                return false;
            }

            _broken = int.MaxValue;
        }

        if (!found)
        {
            Failure.Note(UnknownAuthority(current), reachedAnchor: false, _path.Count);
        }

        return false;
    }

    /// <summary>The objection to this issuer in the current path, as far as it can be found without its key.</summary>
    private Rejection? Examine(Candidate candidate, int intermediates)
    {
        var position = candidate.IsAnchor ? PathPosition.Anchor : PathPosition.Intermediate;
        return ExamineAlone(candidate.Certificate, position) ?? ExamineLength(candidate.Certificate, position, intermediates);
    }

    /// <summary>The rules about one certificate do not depend on the path, and are checked once.</summary>
    private Rejection? ExamineAlone(Certificate issuer, PathPosition position)
    {
        foreach (var (certificate, at, objection) in _examined.Items)
        {
            if (ReferenceEquals(certificate, issuer) && at == position)
            {
                return objection;
            }
        }

        var found = _rules.Examine(issuer, position);
        _examined.Add((issuer, position, found));
        return found;
    }

    private Rejection? ExamineLength(Certificate issuer, PathPosition position, int intermediates)
    {
        if (issuer.PathLength is { } allowed && intermediates > allowed)
        {
            return PathRejection.Make(
                RejectionReason.PathTooLong, issuer, position, "RFC 5280 §4.2.1.9", $"at most {allowed} authorities below it", $"{intermediates}");
        }

        // Self-issued certificates do not count, but their number would be unlimited, so they have a bound as well.
        var counted = position == PathPosition.Anchor || issuer.IsSelfIssued ? intermediates : intermediates + 1;
        return counted <= _profile.MaxIntermediates && _path.Count <= 2 * (_profile.MaxIntermediates + 1)
            ? null
            : PathRejection.Make(
                RejectionReason.PathTooLong, issuer, position, "ValidationProfile.MaxIntermediates",
                $"at most {_profile.MaxIntermediates} authorities between the peer and the anchor", "more");
    }

    /// <summary>Makes the checks that need a whole path, the most expensive last.</summary>
    private bool Complete()
    {
        if (!AreSignaturesGood() || !AreNamesGood())
        {
            return false;
        }

        var constraints = _pool.Trust.ConstraintsOf(_path[^1]);
        var objection = ExamineConstraints(constraints)
            ?? PolicyRules.Examine(_path.Items, constraints, _profile, _validator.Policies, out _policies)
            ?? ExamineRevocation();
        if (objection is not null)
        {
            Failure.Note(objection, reachedAnchor: true, _path.Count);
        }

        return objection is null;
    }

    /// <summary>From the anchor down, so that each key that is used is certified by a trusted key.</summary>
    private bool AreSignaturesGood()
    {
        for (var i = _path.Count - 2; i >= 0; i--)
        {
            if (_signatures.Examine(_path[i], PositionOf(_path[i]), _path[i + 1], ref _budget) is { } objection)
            {
                Failure.Note(objection, reachedAnchor: true, i + 1);
                _broken = i + 1;
                return false;
            }
        }

        return true;
    }

    /// <summary>Checks all certificates of the path against the name constraints of each authority above them (RFC 5280 §6.1.3 (b), (c)).</summary>
    private bool AreNamesGood()
    {
        for (var authority = 1; authority < _path.Count; authority++)
        {
            if (_path[authority].Extensions.NameConstraints is { } constraints && ExamineNames(constraints, authority) is { } objection)
            {
                Failure.Note(objection, reachedAnchor: true, _path.Count);
                _broken = authority;
                return false;
            }
        }

        return true;
    }

    private Rejection? ExamineNames(NameConstraintSet constraints, int authority)
    {
        var position = authority == _path.Count - 1 ? PathPosition.Anchor : PathPosition.Intermediate;
        for (var i = 0; i < authority; i++)
        {
            var isLeaf = i == 0;
            if ((isLeaf || !_path[i].IsSelfIssued)
                && ExamineNames(
                    constraints, _path[authority], position, _path[i], isLeaf ? PathPosition.Leaf : PathPosition.Intermediate) is { } objection)
            {
                return objection;
            }
        }

        return null;
    }

    private Rejection? ExamineNames(
        NameConstraintSet constraints, Certificate authority, PathPosition authorityPosition, Certificate certificate, PathPosition position)
    {
        foreach (var (above, below, objection) in _constrained ??= [])
        {
            if (ReferenceEquals(above, authority) && ReferenceEquals(below, certificate))
            {
                return objection;
            }
        }

        var found = Names.Examine(constraints, authority, authorityPosition, certificate, position, ref _budget);
        _constrained.Add((authority, certificate, found));
        return found;
    }

    /// <summary>Depth and names below the anchor, as the operator constrains them (RFC 5280 §6.1.1, RFC 5937 §3.2).</summary>
    private Rejection? ExamineConstraints(ImmutableArray<AnchorConstraints> constraints)
    {
        foreach (var one in constraints)
        {
            if ((ExamineDepth(one) ?? (one.Names is { } names ? ExamineNamesBelowAnchor(names) : null)) is { } objection)
            {
                return objection;
            }
        }

        return null;
    }

    private Rejection? ExamineDepth(AnchorConstraints constraints)
    {
        var between = 0;
        for (var i = 1; i < _path.Count - 1; i++)
        {
            between += _path[i].IsSelfIssued ? 0 : 1;
        }

        return constraints.MaximumIntermediates is not { } allowed || between <= allowed
            ? null
            : PathRejection.Make(
                RejectionReason.PathTooLong, _path[^1], PathPosition.Anchor, nameof(AnchorConstraints), $"at most {allowed} authorities below it",
                $"{between}");
    }

    /// <summary>An anchor that is itself the peer has its own names examined.</summary>
    private Rejection? ExamineNamesBelowAnchor(NameConstraintSet names)
    {
        for (var i = 0; i < Math.Max(1, _path.Count - 1); i++)
        {
            if ((i == 0 || !_path[i].IsSelfIssued)
                && Names.Examine(names, _path[^1], PathPosition.Anchor, _path[i], PositionOf(_path[i]), ref _budget) is { } objection)
            {
                return objection.Reason == RejectionReason.NameConstraintViolated ? objection with { Rule = nameof(AnchorConstraints) } : objection;
            }
        }

        return null;
    }

    private Rejection? ExamineRevocation()
    {
        if (_revocation is null)
        {
            return null;
        }

        Certificate[] path = [.. _path.Items];
        for (var i = path.Length - 2; i >= 0; i--)
        {
            if (_revocation.Check(path, i, _pool, _at) is { } objection)
            {
                return objection;
            }
        }

        return null;
    }

    /// <summary>
    /// Whether the path already has this certificate, or another one with its name and key: then it is a loop (RFC 4158 §2.4.2).
    /// </summary>
    private bool IsOnPath(Certificate candidate)
    {
        foreach (var passed in _path.Items)
        {
            if (IsSameEntity(passed, candidate))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether both have the same name and key.</summary>
    internal static bool IsSameEntity(Certificate one, Certificate other) =>
        one.Subject.Equals(other.Subject) && one.SubjectPublicKeyInfo.Span.SequenceEqual(other.SubjectPublicKeyInfo.Span);

    private PathPosition PositionOf(Certificate certificate) =>
        ReferenceEquals(certificate, _pool.Leaf) ? PathPosition.Leaf : PathPosition.Intermediate;

    private Rejection UnknownAuthority(Certificate certificate) => PathRejection.Make(
        RejectionReason.UnknownAuthority, certificate, PositionOf(certificate), "RFC 5280 §6.1",
        $"a path to {NamesOf(_pool.Trust.Certificates)}",
        $"the issuer {SafeText.Quote(certificate.Issuer.ToString())}, whose certificate is not known",
        "Trust the authority, or have the peer send the certificates between it and the anchor.");

    /// <summary>The anchors by name where they are few: the reader sees at once which authority is missing.</summary>
    private static string NamesOf(ImmutableArray<Certificate> anchors)
    {
        const int Few = 3;
        return anchors.Length is 0 or > Few
            ? $"one of {anchors.Length} trust anchors"
            : $"the trust {(anchors.Length == 1 ? "anchor" : "anchors")} "
                + string.Join(" or ", anchors.Select(anchor => SafeText.Quote(anchor.Subject.ToString())));
    }
}
