using System.Collections.Immutable;
using System.Globalization;
using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Paths;

namespace MutualAuth.Revocation;

/// <summary>
/// Checks one peer's path against the lists in force (RFC 5280 §6.3.3) and against the deny list. One instance serves one decision.
/// </summary>
internal sealed class RevocationCheck : IRevocationSource
{
    private readonly Certificate _leaf;
    private readonly RevocationPolicy? _policy;
    private readonly RevocationLists? _lists;
    private readonly DenyList? _denied;
    private readonly ValidationProfile _profile;
    private readonly DateTimeOffset? _now;

    /// <summary>Captures the lists in force, so that the whole path is checked against the same ones.</summary>
    /// <param name="leaf">The peer's own certificate.</param>
    /// <param name="policy">The policy for lists; null for none.</param>
    /// <param name="denyList">The operator's own list; null for none.</param>
    /// <param name="profile">The rules for lists.</param>
    /// <param name="now">The time at which the lists must be valid, if it differs from that of the certificates.</param>
    internal RevocationCheck(
        Certificate leaf, RevocationPolicy? policy, IDenyListSource? denyList, ValidationProfile profile, DateTimeOffset? now = null)
    {
        _now = now;
        _leaf = leaf;
        _policy = policy;
        _lists = policy?.Lists.Current is { IsChecked: true } lists ? lists : null;
        _denied = denyList?.Current;
        _profile = profile;
    }

    /// <inheritdoc/>
    /// <remarks>The issuer is looked up on the deny list too, because the anchor is never checked by itself.</remarks>
    public Rejection? Check(IReadOnlyList<Certificate> path, int index, CandidatePool? pool, DateTimeOffset at) =>
        _denied?.Examine(path[index + 1]) ?? _denied?.Examine(path[index])
        ?? (_lists is null ? null : CheckLists(path[index], path[index + 1], new CrlSigners(path, index, pool, _lists, _profile, at), _now ?? at));

    /// <inheritdoc/>
    public bool SaysTheSameOfAuthorities(IRevocationSource other) =>
        other is RevocationCheck check && ReferenceEquals(_policy, check._policy) && ReferenceEquals(_lists, check._lists)
        && ReferenceEquals(_denied, check._denied) && ReferenceEquals(_profile, check._profile)
        && _now is { } now && check._now is { } then && (now == then || (HasWholeSeconds(_policy) && Moment.IsSame(now, then)));

    /// <summary>Whether a date of a list, moved by what the policy allows for, is still one of a whole second.</summary>
    private static bool HasWholeSeconds(RevocationPolicy? policy) => policy is null
        || (policy.DangerousGracePeriod.Ticks % TimeSpan.TicksPerSecond == 0 && policy.ClockSkew.Ticks % TimeSpan.TicksPerSecond == 0);

    private Rejection? CheckLists(Certificate subject, Certificate issuer, CrlSigners signers, DateTimeOffset at)
    {
        var covered = 0;
        string? flaw = null;
        var named = _lists!.Naming(issuer.Subject);
        foreach (var list in named)
        {
            if (list.IsDelta)
            {
                continue;
            }

            foreach (var counting in InForce(list, subject, issuer, signers, at, ref flaw))
            {
                if (FindEntry(counting, subject, issuer, signers, at) is { } entry)
                {
                    return Revoked(subject, entry, counting);
                }

                covered |= counting.Scope.ReasonsFor(subject, issuer);
            }
        }

        foreach (var delta in named)
        {
            // A newer full list contains the whole delta, and may have released the certificate since.
            if (delta.IsDelta
                && !named.Any(delta.IsOvertakenBy)
                && delta.TryFind(subject.Serial.Span, out var entry)
                && entry.Reason != RevocationReason.RemoveFromCrl
                && !named.Any(delta.AddsTo) && InForce(delta, subject, issuer, signers, at, ref flaw).Length > 0)
            {
                return Revoked(subject, entry, delta);
            }
        }

        if (covered == IssuingScope.AllReasons)
        {
            return null;
        }

        return IsStatusNeeded(subject)
            ? Unknown(subject, issuer, flaw ?? (covered == 0 ? "no list of this issuer" : "lists that cover only some of the revocation reasons"))
            : RevokedWhatever(named, subject, issuer, signers);
    }

    /// <summary>The entry of a certificate in a full list, with the changes of the newest delta for it (RFC 5280 §5.2.4, §6.3.3).</summary>
    private RevokedEntry? FindEntry(RevocationList list, Certificate subject, Certificate issuer, CrlSigners signers, DateTimeOffset at)
    {
        RevokedEntry? onList = list.TryFind(subject.Serial.Span, out var entry) ? entry : null;
        RevocationList? newest = null;
        string? ignored = null;
        foreach (var named in _lists!.Naming(issuer.Subject))
        {
            if (!named.IsDelta)
            {
                continue;
            }

            foreach (var delta in InForce(named, subject, issuer, signers, at, ref ignored))
            {
                newest = delta.AddsTo(list) && (newest is null || delta.IsNewerThan(newest)) ? delta : newest;
            }
        }

        return newest is null || !newest.TryFind(subject.Serial.Span, out var since) ? onList
            : since.Reason != RevocationReason.RemoveFromCrl ? since
            : onList is { Reason: RevocationReason.CertificateHold } ? null // only a hold can be lifted
            : onList;
    }

    /// <summary>
    /// The list itself when it is valid here; its predecessor when its signature does not verify; nothing when there is no such list.
    /// </summary>
    private ImmutableArray<RevocationList> InForce(
        RevocationList list, Certificate subject, Certificate issuer, CrlSigners signers, DateTimeOffset at, ref string? flaw)
    {
        if (FlawOf(list, subject, issuer, at) is { } found)
        {
            flaw ??= found;
            return [];
        }

        if (signers.FlawOf(list) is not { } forged)
        {
            list.Prove();
            return list.Alone;
        }

        flaw ??= forged;
        return Refute(list, subject, issuer, signers, at);
    }

    /// <summary>The list is not genuine here: those that it should have replaced count, as far as they are valid.</summary>
    private ImmutableArray<RevocationList> Refute(
        RevocationList list, Certificate subject, Certificate issuer, CrlSigners signers, DateTimeOffset at)
    {
        ImmutableArray<RevocationList> reserve =
            [.. list.Reserve.Where(before => FlawOf(before, subject, issuer, at) is null && signers.FlawOf(before) is null)];
        list.Refute(hasReserve: !reserve.IsEmpty);
        return reserve;
    }

    /// <summary>Why the list does not apply to the certificate, apart from its signature; null when it does.</summary>
    private string? FlawOf(RevocationList list, Certificate subject, Certificate issuer, DateTimeOffset at) =>
        list.Scope.Excludes(subject, issuer, _profile.Form) is { } scope ? $"a list that {scope}"
        : FlawOfDates(list, at, _policy!.DangerousGracePeriod, _policy.ClockSkew)
        ?? (_profile.Form != CertificateForm.Tolerant && list.FormProblem is { } form ? $"a list of which {form}"
        : KeyRules.FlawOf(list.Scheme, _profile) is { } signature ? $"a list {signature}"
        : null);

    /// <summary>Why the list is not valid at this time; null when it is.</summary>
    internal static string? FlawOfDates(RevocationList list, DateTimeOffset at, TimeSpan grace, TimeSpan skew) =>
        FlawOfDates(list.Mark, at, grace, skew);

    /// <inheritdoc cref="FlawOfDates(RevocationList, DateTimeOffset, TimeSpan, TimeSpan)"/>
    internal static string? FlawOfDates(ListMark list, DateTimeOffset at, TimeSpan grace, TimeSpan skew) =>
        at + skew < list.ThisUpdate ? $"a list that was made later, at {UtcText.Of(list.ThisUpdate)}"
        : list.NextUpdate is null && grace == TimeSpan.Zero ? "a list without a next update"
        : at - grace > (list.NextUpdate ?? list.ThisUpdate) ? $"a list that expired at {UtcText.Of(list.NextUpdate ?? list.ThisUpdate)}"
        : null;

    /// <summary>If the policy accepts an unknown status, a genuine list that is no longer valid still rejects the certificates on it.</summary>
    private Rejection? RevokedWhatever(ImmutableArray<RevocationList> named, Certificate subject, Certificate issuer, CrlSigners signers)
    {
        foreach (var list in named)
        {
            if (list.TryFind(subject.Serial.Span, out var entry) && entry.Reason != RevocationReason.RemoveFromCrl
                && list.Scope.Excludes(subject, issuer, _profile.Form) is null && signers.FlawOf(list) is null)
            {
                return Revoked(subject, entry, list);
            }
        }

        return null;
    }

    private Rejection Revoked(Certificate subject, RevokedEntry entry, RevocationList list) =>
        new(RejectionReason.CertificateRevoked, "a certificate that is not revoked", $"one that is {entry} ({list})")
        {
            Element = Describe(subject),
            Rule = "RFC 5280 §6.3.3",
            Hint = entry.Reason == RevocationReason.CertificateHold ? "It is on hold: its authority can release it." : "Its holder needs a new one.",
        };

    private bool IsStatusNeeded(Certificate subject) => _policy!.Unknown == UnknownStatus.Deny && !(IsLeaf(subject) && _policy.IsExempt(subject))
        && _policy.Coverage switch
        {
            RevocationCoverage.LeafOnly => IsLeaf(subject),
            RevocationCoverage.AuthoritiesOnly => !IsLeaf(subject),
            _ => true,
        };

    private Rejection Unknown(Certificate subject, Certificate issuer, string found) => new(
        RejectionReason.RevocationStatusUnknown, $"a current, genuine revocation list of {issuer} that covers the certificate", found)
    {
        Element = Describe(subject),
        Rule = "RFC 5280 §6.3.3",
        Hint = "Fetch the issuer's current list and load it; only lists from the configuration are used. If another key of the issuer signed it, add "
            + "that key's certificate to the file.",
    };

    private bool IsLeaf(Certificate certificate) => ReferenceEquals(certificate, _leaf);

    private string Describe(Certificate certificate) =>
        PathRejection.Describe(certificate, IsLeaf(certificate) ? PathPosition.Leaf : PathPosition.Intermediate);

}
