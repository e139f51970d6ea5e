using System.Security.Cryptography.X509Certificates;
using MutualAuth.Certificates;
using MutualAuth.Names;
using MutualAuth.Paths;

namespace MutualAuth.Revocation;

/// <summary>
/// Verifies that a list belongs to its issuer: signed by the key of the issuer in the path, or, as after a key change, by another key of
/// the same name to which a path leads from the same anchor (RFC 5280 §6.3.3 (f)). One instance serves one certificate of one path.
/// </summary>
/// <param name="path">The peer's path, whose signatures have been verified.</param>
/// <param name="index">The index of the certificate in the path.</param>
/// <param name="pool">Further possible issuers; null for none.</param>
/// <param name="lists">The lists in force, with the certificates that were given with them.</param>
/// <param name="profile">The rules for keys and lists.</param>
/// <param name="at">The time at which certificates must be valid.</param>
internal sealed class CrlSigners(
    IReadOnlyList<Certificate> path, int index, CandidatePool? pool, RevocationLists lists, ValidationProfile profile, DateTimeOffset at)
{
    // An authority that changes its key has two keys, and sometimes one certificate that links them.
    private const int MaxSteps = 3;

    // A bound for what a revoked peer may send to make us verify.
    private const int MaxChecks = 16;

    private readonly Certificate _issuer = path[index + 1];
    private int _checks;

    /// <summary>Why the list does not belong to its issuer, as text; null when it does.</summary>
    internal string? FlawOf(RevocationList list)
    {
        var mine = FlawOfIssuer(list, _issuer);
        return mine is null || IsSignedByAnother(list) ? null : mine;
    }

    private bool IsSignedByAnother(RevocationList list) =>
        Others(list).Any(signer => FlawOfIssuer(list, signer) is null && MayCount(signer) && IsLedTo(signer, MaxSteps));

    private string? FlawOfIssuer(RevocationList list, Certificate signer) =>
        signer.KeyUsage is { } usage && !usage.HasFlag(X509KeyUsageFlags.CrlSign)
            ? $"a list, although the issuer's key is for {usage} only and not for signing lists (cRLSign)"
        : profile.Form != CertificateForm.Tolerant && list.NamesAnotherKey(signer) ? "a list that names another key of the issuer"
        : !list.IsSignedBy(signer.PublicKey) ? "a list that the issuer's key has not signed"
        : null;

    /// <summary>Certificates with the same name and other keys. A list that names its key is checked only with that key.</summary>
    private IEnumerable<Certificate> Others(RevocationList list) => Known(_issuer.Subject)
        .Where(
            other => !other.SubjectPublicKeyInfo.Span.SequenceEqual(_issuer.SubjectPublicKeyInfo.Span)
                && !list.NamesAnotherKey(other)
                && _checks++ < MaxChecks);

    /// <summary>Whether a key that does not issue certificates is declared for signing lists, and is acceptable otherwise.</summary>
    private bool MayCount(Certificate signer) =>
        IsValid(signer) && (signer.IsCertificateAuthority || signer.KeyUsage is { } usage && usage.HasFlag(X509KeyUsageFlags.CrlSign))
        && KeyRules.Examine(signer, PathPosition.Intermediate, profile) is null;

    private bool IsLedTo(Certificate signer, int steps)
    {
        if (IsOnPath(signer))
        {
            return true;
        }

        if (steps == 0 || lists.Naming(signer.Issuer).Any(list => list.TryFind(signer.Serial.Span, out _)))
        {
            return false;
        }

        return Known(signer.Issuer).Any(issuer => !issuer.Equals(signer) && MayIssue(issuer) && _checks++ < MaxChecks
            && issuer.PublicKey.Verify(signer.Scheme, signer.Signed.Span, signer.Signature.Span) && IsLedTo(issuer, steps - 1));
    }

    private bool MayIssue(Certificate issuer) => IsOnPath(issuer)
        || (IsValid(issuer) && issuer.IsCertificateAuthority && (issuer.KeyUsage is not { } usage || usage.HasFlag(X509KeyUsageFlags.KeyCertSign))
            && KeyRules.Examine(issuer, PathPosition.Intermediate, profile) is null);

    private bool IsValid(Certificate certificate) =>
        at >= certificate.NotBefore && at <= certificate.NotAfter && certificate.Extensions.UnknownCritical.IsEmpty;

    /// <summary>Whether it is one of the authorities of the path, which have been checked already.</summary>
    private bool IsOnPath(Certificate certificate) => path.Skip(1).Contains(certificate);

    private IEnumerable<Certificate> Known(DistinguishedName name) =>
        path.Skip(1).Concat(lists.Certificates).Where(certificate => certificate.Subject.Equals(name))
            .Concat(pool?.Named(name) ?? []).Distinct();
}
