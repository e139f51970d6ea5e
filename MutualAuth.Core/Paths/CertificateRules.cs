using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Asn1;
using MutualAuth.Certificates;
using MutualAuth.Errors;

namespace MutualAuth.Paths;

/// <summary>The rules that concern one certificate by itself, whatever its path (RFC 5280 §4, §6.1.3 (a), §6.1.4 (k)–(o)).</summary>
internal sealed class CertificateRules(ValidationProfile profile, PeerRole role, DateTimeOffset at)
{
    // RFC 5280 §4.1.2.5 has whole seconds only, so the time is truncated to the second.
    private readonly DateTimeOffset _at = new(at.UtcTicks - (at.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);

    /// <summary>What is wrong with the certificate in this position; null when it is acceptable.</summary>
    internal Rejection? Examine(Certificate certificate, PathPosition position) =>
        ExamineValidity(certificate, position)
        ?? ExamineCriticalExtensions(certificate, position)
        ?? KeyRules.Examine(certificate, position, profile)
        ?? (position == PathPosition.Leaf ? ExamineLeaf(certificate) : ExamineAuthority(certificate, position))
        ?? ExaminePurpose(certificate, position)
        ?? FormRules.Examine(certificate, position, profile, role);

    private Rejection? ExamineValidity(Certificate certificate, PathPosition position)
    {
        if (_at < certificate.NotBefore)
        {
            return PathRejection.Make(
                RejectionReason.CertificateNotYetValid, certificate, position, "RFC 5280 §4.1.2.5",
                $"a certificate that is valid at {UtcText.Of(_at)}", $"one that is valid from {UtcText.Of(certificate.NotBefore)}",
                "Check the clocks of this machine and of the authority.");
        }

        return _at <= certificate.NotAfter
            ? null
            : PathRejection.Make(
                RejectionReason.CertificateExpired, certificate, position, "RFC 5280 §4.1.2.5",
                $"a certificate that is valid at {UtcText.Of(_at)}", $"one that was valid until {UtcText.Of(certificate.NotAfter)}", "Renew it.");
    }

    private static Rejection? ExamineCriticalExtensions(Certificate certificate, PathPosition position) =>
        certificate.Extensions.UnknownCritical.IsEmpty
            ? null
            : PathRejection.Make(
                RejectionReason.UnknownCriticalExtension, certificate, position, "RFC 5280 §4.2",
                "critical extensions that are understood", $"a critical extension {Oids.ToDotted(certificate.Extensions.UnknownCritical.Span)}");

    private Rejection? ExamineLeaf(Certificate leaf)
    {
        var extensions = leaf.Extensions;
        if (extensions.IsAuthority)
        {
            return profile.Leaf == LeafRule.AnyCertificate
                ? null
                : PathRejection.Make(
                    RejectionReason.CertificateAuthorityAsLeaf, leaf, PathPosition.Leaf, "RFC 5280 §4.2.1.9",
                    "an end entity's certificate", "one of a certification authority", "Issue the peer a certificate of its own, with cA false; "
                        + $"for one that it signed itself see {nameof(LeafRule)}.{nameof(LeafRule.AnyCertificate)} and KnownPeers.");
        }

        var broken = extensions.PathLength is not null ? "a path length without cA (RFC 5280 §4.2.1.9)"
            : extensions.NameConstraints is not null ? "name constraints in an end entity's certificate (RFC 5280 §4.2.1.10)"
            : extensions.KeyUsage.HasFlag(X509KeyUsageFlags.KeyCertSign) ? "the usage keyCertSign without cA (RFC 5280 §4.2.1.9)"
            : null;
        if (broken is not null)
        {
            return PathRejection.Make(
                RejectionReason.ProfileViolated,
                leaf,
                PathPosition.Leaf,
                "RFC 5280 §4.2.1",
                "an end entity's certificate without an authority's extensions",
                broken);
        }

        return leaf.KeyUsage is { } usage && (usage & profile.LeafKeyUsage) != profile.LeafKeyUsage
            ? PathRejection.Make(
                RejectionReason.WrongUsage, leaf, PathPosition.Leaf, "RFC 5280 §4.2.1.3", $"a key usage with {profile.LeafKeyUsage}", $"{usage}")
            : null;
    }

    private static Rejection? ExamineAuthority(Certificate authority, PathPosition position)
    {
        var broken = authority.Version != 3 ? $"a certificate of version {authority.Version}"
            : !authority.Extensions.IsAuthority ? "a certificate whose basic constraints do not say so"
            : authority.KeyUsage is { } usage && !usage.HasFlag(X509KeyUsageFlags.KeyCertSign) ? $"one whose key is for {usage} only"
            : authority.Subject.IsEmpty ? "one without a subject"
            : null;
        return broken is null
            ? null
            : PathRejection.Make(
                RejectionReason.IssuerNotAuthority, authority, position, "RFC 5280 §4.2.1.9, §4.2.1.3",
                "a certification authority's certificate of version 3, good for signing certificates", broken,
                "Issue it again with basicConstraints critical, CA:TRUE and keyUsage keyCertSign.");
    }

    /// <summary>The purposes that an authority lists limit the certificates below it; an authority that lists none does not restrict them.</summary>
    private Rejection? ExaminePurpose(Certificate certificate, PathPosition position)
    {
        var extensions = certificate.Extensions;
        var wanted = role == PeerRole.Client ? Oids.ClientAuth : Oids.ServerAuth;
        if (extensions.NamesPurpose(wanted))
        {
            return null;
        }

        var isRequired = position == PathPosition.Leaf && profile.Purpose == PurposeRule.Required;
        if (!isRequired && (!extensions.Has(KnownExtension.ExtendedKeyUsage) || extensions.NamesPurpose(Oids.AnyExtendedKeyUsage)))
        {
            return null;
        }

        var name = role == PeerRole.Client ? "clientAuth" : "serverAuth";
        return PathRejection.Make(
            RejectionReason.WrongUsage, certificate, position, "RFC 5280 §4.2.1.12", $"the extended key usage {name}",
            extensions.Purposes.IsEmpty ? "none" : string.Join(", ", extensions.Purposes.Take(8).Select(purpose => Oids.NameOfPurpose(purpose.Span))),
            position != PathPosition.Leaf ? $"Issue this authority's certificate again with {name} in its extendedKeyUsage, or without the extension."
            : $"Have its authority issue it again with {name} in its extendedKeyUsage; "
                + "if a public authority no longer does so, use an authority of your own, and trust that one.");
    }

}
