using System.Globalization;
using MutualAuth.Certificates;
using MutualAuth.Errors;

namespace MutualAuth.Trust.Revocation;

/// <summary>Holds one peer's path against the lists that are in force (RFC 5280 §6.3.3) and against the deny list. One instance serves one judgement.</summary>
internal sealed class RevocationCheck : IRevocationSource
{
    private readonly Certificate _leaf;
    private readonly RevocationPolicy? _policy;
    private readonly RevocationLists? _lists;
    private readonly DenyList? _denied;
    private readonly ValidationProfile _profile;
    private readonly DateTimeOffset? _now;

    /// <summary>Takes the lists of this moment, so that the whole path is held against the same ones.</summary>
    /// <param name="leaf">The peer's own certificate.</param>
    /// <param name="policy">Which lists count; null for none.</param>
    /// <param name="denyList">The operator's own list; null for none.</param>
    /// <param name="profile">The rules that lists are held to.</param>
    /// <param name="now">The time for which the lists must hold, where it is another than that of the certificates.</param>
    internal RevocationCheck(Certificate leaf, RevocationPolicy? policy, IDenyListSource? denyList, ValidationProfile profile, DateTimeOffset? now = null)
    {
        _now = now;
        _leaf = leaf;
        _policy = policy;
        _lists = policy?.Lists.Current is { IsChecked: true } lists ? lists : null;
        _denied = denyList?.Current;
        _profile = profile;
    }

    /// <inheritdoc/>
    /// <remarks>The issuer is looked up on the deny list too, because nobody asks about the anchor by itself.</remarks>
    public Rejection? Check(Certificate subject, Certificate issuer, DateTimeOffset at) =>
        _denied?.Examine(issuer) ?? _denied?.Examine(subject) ?? (_lists is null ? null : CheckLists(subject, issuer, _now ?? at));

    private Rejection? CheckLists(Certificate subject, Certificate issuer, DateTimeOffset at)
    {
        var covered = 0;
        string? flaw = null;
        foreach (var list in _lists!.Naming(issuer.Subject))
        {
            if (FlawOf(list, subject, issuer, at) is { } found)
            {
                flaw ??= found;
                continue;
            }

            if (list.TryFind(subject.Serial.Span, out var entry))
            {
                return new Rejection(RejectionReason.CertificateRevoked, "a certificate that is not revoked", $"one that is {entry} ({list})")
                {
                    Element = Describe(subject),
                    Rule = "RFC 5280 §6.3.3",
                    Hint = entry.Reason == RevocationReason.CertificateHold ? "It is on hold: its authority can release it." : "Its holder needs a new one.",
                };
            }

            covered |= list.Scope.Reasons;
        }

        return covered == IssuingScope.AllReasons || !IsStatusNeeded(subject)
            ? null
            : Unknown(subject, issuer, flaw ?? (covered == 0 ? "no list of this issuer" : "lists that cover some of the reasons for revoking only"));
    }

    /// <summary>Why the list says nothing of the certificate; null when it does.</summary>
    private string? FlawOf(RevocationList list, Certificate subject, Certificate issuer, DateTimeOffset at) =>
        list.Scope.Excludes(subject, issuer) is { } scope ? $"a list that {scope}"
        : FlawOfDates(list, at, _policy!.DangerousGracePeriod)
        ?? (_profile.Form != CertificateForm.Tolerant && list.FormProblem is { } form ? $"a list of which {form}"
        : list.Scheme.HashBits < _profile.MinimumHashBits ? $"a list that is signed with SHA-2 of {list.Scheme.HashBits} bits"
        : issuer.KeyUsage is { } usage && !usage.HasFlag(System.Security.Cryptography.X509Certificates.X509KeyUsageFlags.CrlSign) ? $"a list, although the issuer's key is for {usage} only and not for signing lists (cRLSign)"
        : _profile.Form != CertificateForm.Tolerant && list.NamesAnotherKey(issuer) ? "a list that names another key of the issuer"
        : !list.IsSignedBy(issuer.PublicKey) ? "a list that the issuer's key has not signed"
        : null);

    /// <summary>Why the list does not count at this time; null when it does.</summary>
    internal static string? FlawOfDates(RevocationList list, DateTimeOffset at, TimeSpan grace) =>
        at < list.ThisUpdate ? $"a list that is made later, at {Show(list.ThisUpdate)}"
        : list.NextUpdate is null && grace == TimeSpan.Zero ? "a list that does not say until when it holds"
        : at - grace > (list.NextUpdate ?? list.ThisUpdate) ? $"a list that ran out at {Show(list.NextUpdate ?? list.ThisUpdate)}"
        : null;

    private bool IsStatusNeeded(Certificate subject) => _policy!.Unknown == UnknownStatus.Deny && _policy.Coverage switch
    {
        RevocationCoverage.LeafOnly => IsLeaf(subject),
        RevocationCoverage.AuthoritiesOnly => !IsLeaf(subject),
        _ => true,
    };

    private Rejection Unknown(Certificate subject, Certificate issuer, string found) => new(
        RejectionReason.RevocationStatusUnknown, $"a current, genuine revocation list of {issuer} that speaks of the certificate", found)
    {
        Element = Describe(subject),
        Rule = "RFC 5280 §6.3.3",
        Hint = "Fetch the issuer's current list and load it; lists are taken from nowhere but the configuration.",
    };

    private bool IsLeaf(Certificate certificate) => ReferenceEquals(certificate, _leaf);

    private string Describe(Certificate certificate) => PathRejection.Describe(certificate, IsLeaf(certificate) ? PathPosition.Leaf : PathPosition.Intermediate);

    private static string Show(DateTimeOffset time) => time.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
