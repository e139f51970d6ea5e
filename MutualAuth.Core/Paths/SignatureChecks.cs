using System.Collections.Immutable;
using MutualAuth.Certificates;
using MutualAuth.Collections;

namespace MutualAuth.Paths;

/// <summary>Checks signatures, each at most once in a validation.</summary>
/// <param name="validator">The validator whose cache has the known signatures.</param>
/// <param name="verified">A path whose signatures were verified before; empty when there is none. A verified signature stays valid for ever.</param>
internal ref struct SignatureChecks(PathValidator validator, ImmutableArray<Certificate> verified)
{
    private ShortList<(Certificate Subject, PublicKeyInfo Key, bool IsValid)> _checked;

    /// <summary>Whether the issuer's key signed the subject (RFC 5280 §6.1.3 (a)(1)). The budget pays for it.</summary>
    internal Rejection? Examine(Certificate subject, PathPosition position, Certificate issuer, ref WorkBudget budget)
    {
        if (Recall(subject, issuer.PublicKey) is not { } isValid)
        {
            // A cached signature costs as much as any other, so that the verdict does not depend on the content of the cache.
            if (!budget.SpendSignatureChecks(1))
            {
                return Exhausted(subject, position);
            }

            isValid = issuer.PublicKey.MayHaveSigned(subject.Scheme, subject.Signature.Length)
                && (WasVerified(subject, issuer.PublicKey)
                    || (position == PathPosition.Leaf ? validator.Peers : validator.Authorities).IsSignedBy(subject, issuer.PublicKey)
                    || issuer.PublicKey.Verify(subject.Scheme, subject.Signed.Span, subject.Signature.Span));
            _checked.Add((subject, issuer.PublicKey, isValid));

            // An honest peer needs one successful check for each certificate. A failed check costs as much as the key does.
            if (!isValid && !budget.SpendSignatureChecks(issuer.PublicKey.CheckCost - 1))
            {
                return Exhausted(subject, position);
            }
        }

        return isValid ? null : Describe(subject, position, issuer);
    }

    /// <summary>Whether it is already known that this issuer's key has not signed the subject.</summary>
    internal bool IsKnownNotToSign(Certificate subject, Certificate issuer) => Recall(subject, issuer.PublicKey) is false;

    private static Rejection Exhausted(Certificate subject, PathPosition position) =>
        PathRejection.Make(
            RejectionReason.BudgetExceeded, subject, position, "ValidationBudget", "a signature that may be checked", "no budget left");

    private static Rejection Describe(Certificate subject, PathPosition position, Certificate issuer)
    {
        var wanted = subject.Extensions.AuthorityKeyId.KeyId.Span;
        var has = issuer.Extensions.SubjectKeyId.Span;
        var isOtherKey = !wanted.IsEmpty && !has.IsEmpty && !wanted.SequenceEqual(has);
        return isOtherKey
            ? PathRejection.Make(
                RejectionReason.UnknownAuthority, subject, position, "RFC 5280 §4.2.1.1", "a certificate signed by a known authority's key",
                $"one signed by another key than that of {issuer}, which bears the issuer's name")
            : PathRejection.Make(
                RejectionReason.SignatureInvalid,
                subject,
                position,
                "RFC 5280 §6.1.3",
                $"a signature by the key of {issuer}",
                "one that does not verify with it",
                "An authority that was created again under its old name has another key: configure the anchor that issued this certificate.");
    }

    /// <summary>Whether the path that was verified before has the subject, signed by this key.</summary>
    internal bool WasVerified(Certificate subject, PublicKeyInfo key)
    {
        for (var i = 0; i < verified.Length - 1; i++)
        {
            if (verified[i].Equals(subject) && verified[i + 1].SubjectPublicKeyInfo.Span.SequenceEqual(key.Encoding.Span))
            {
                return true;
            }
        }

        return false;
    }

    private bool? Recall(Certificate subject, PublicKeyInfo key)
    {
        foreach (var (seen, by, isValid) in _checked.Items)
        {
            if (ReferenceEquals(seen, subject) && (ReferenceEquals(by, key) || by.Encoding.Span.SequenceEqual(key.Encoding.Span)))
            {
                return isValid;
            }
        }

        return null;
    }
}
