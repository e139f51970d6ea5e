using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Asn1;
using MutualAuth.Certificates;
using MutualAuth.Errors;

namespace MutualAuth.Paths;

/// <summary>The rules that concern one certificate by itself, whatever its path (RFC 5280 §4, §6.1.3 (a), §6.1.4 (k)–(o)).</summary>
internal readonly struct CertificateRules(Certificate leaf, ValidationProfile profile, PeerRole role, DateTimeOffset at)
{
    // One purpose for the whole path: an authority that may not issue for the purpose by which the peer is accepted does not lead to it.
    private readonly bool _forClients = role == PeerRole.Client && !IsByException(leaf, profile, role);

    // RFC 5280 §4.1.2.5 has whole seconds only, so the time is truncated to the second.
    private readonly DateTimeOffset _at = new(at.UtcTicks - (at.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);

    /// <summary>Whether a client's certificate has the right purpose by <see cref="PurposeRule.DangerouslyServerAuthForClients"/> alone.</summary>
    internal static bool IsByException(Certificate leaf, ValidationProfile profile, PeerRole role) =>
        profile.Purpose == PurposeRule.DangerouslyServerAuthForClients && role == PeerRole.Client
        && leaf.Extensions.NamesPurpose(Oids.ServerAuth) && !leaf.Extensions.NamesPurpose(Oids.ClientAuth);

    /// <summary>What is wrong with the certificate in this position; null when it is acceptable.</summary>
    internal Rejection? Examine(Certificate certificate, PathPosition position) =>
        ExamineValidity(certificate, position)
        ?? ExamineCriticalExtensions(certificate, position)
        ?? KeyRules.Examine(certificate, position, profile)
        ?? (position == PathPosition.Leaf ? ExamineLeaf(certificate) ?? ExamineLifetime(certificate) : ExamineAuthority(certificate, position))
        ?? ExaminePurpose(certificate, position)
        ?? FormRules.Examine(certificate, position, profile, role);

    private Rejection? ExamineValidity(Certificate certificate, PathPosition position)
    {
        // Not the other way round: a date at the beginning of time cannot be moved back.
        if (_at < certificate.NotBefore && certificate.NotBefore - _at > profile.NotBeforeTolerance)
        {
            return PathRejection.Make(
                RejectionReason.CertificateNotYetValid, certificate, position, "RFC 5280 §4.1.2.5",
                $"a certificate that is valid at {UtcText.Of(_at)}", $"one that is valid from {UtcText.Of(certificate.NotBefore)}",
                "Check the clocks of this machine and of the authority; ValidationProfile.NotBeforeTolerance allows for a small difference.");
        }

        return _at <= certificate.NotAfter
            ? null
            : PathRejection.Make(
                RejectionReason.CertificateExpired, certificate, position, "RFC 5280 §4.1.2.5",
                $"a certificate that is valid at {UtcText.Of(_at)}", $"one that was valid until {UtcText.Of(certificate.NotAfter)}", "Renew it.");
    }

    private Rejection? ExamineCriticalExtensions(Certificate certificate, PathPosition position)
    {
        foreach (var unknown in certificate.Extensions.UnknownCriticals)
        {
            // What stands in an authority's certificate may limit the path, and no rule of the application is asked about that.
            var oid = Oids.ToDotted(unknown.Span);
            if (position != PathPosition.Leaf || !profile.HandledCriticalExtensions.Contains(oid, StringComparer.Ordinal))
            {
                return PathRejection.Make(
                    RejectionReason.UnknownCriticalExtension, certificate, position, "RFC 5280 §4.2",
                    "critical extensions that are understood", $"a critical extension {oid}",
                    position == PathPosition.Leaf
                        ? $"An application that judges the extension itself says so in {nameof(ValidationProfile)}."
                            + $"{nameof(ValidationProfile.HandledCriticalExtensions)}."
                        : null);
            }
        }

        return null;
    }

    private Rejection? ExamineLeaf(Certificate leaf)
    {
        var extensions = leaf.Extensions;
        if (extensions.IsAuthority)
        {
            return profile.Leaf == LeafRule.AnyCertificate
                ? null
                : PathRejection.Make(
                    RejectionReason.CertificateAuthorityAsLeaf, leaf, PathPosition.Leaf, "RFC 5280 §4.2.1.9",
                    "an end entity's certificate", "one of a certification authority",
                    leaf.IsSelfIssued
                        ? "It is its own authority, as openssl req -x509 makes it: make it with basicConstraints CA:FALSE and trust it with "
                            + "KnownPeers, or accept it as it is with LeafRule.AnyCertificate."
                        : "Issue the peer a certificate of its own, with cA false.");
        }

        var broken = extensions.PathLength is not null ? "a path length without cA (RFC 5280 §4.2.1.9)"
            : extensions.NameConstraints is not null ? "name constraints in an end entity's certificate (RFC 5280 §4.2.1.10)"
            : (extensions.KeyUsage & X509KeyUsageFlags.KeyCertSign) != 0 ? "the usage keyCertSign without cA (RFC 5280 §4.2.1.9)"
            : null;
        if (broken is not null)
        {
            return PathRejection.Make(
                RejectionReason.ProfileViolated,
                leaf,
                PathPosition.Leaf,
                "RFC 5280 §4.2.1",
                "an end entity's certificate without an authority's extensions",
                broken,
                (extensions.KeyUsage & X509KeyUsageFlags.KeyCertSign) != 0 && extensions.PathLength is null && extensions.NameConstraints is null
                    ? leaf.IsSelfIssued
                        ? "OPC UA asks for it in self-signed certificates; RFC 5280 forbids it, and no profile accepts it. Have the peer use one "
                            + "without, or one that an authority has issued."
                        : "Have its authority issue it again without keyCertSign."
                    : null);
        }

        return leaf.KeyUsage is { } usage && (usage & profile.LeafKeyUsage) != profile.LeafKeyUsage
            ? PathRejection.Make(
                RejectionReason.WrongUsage, leaf, PathPosition.Leaf, "RFC 5280 §4.2.1.3", $"a key usage with {profile.LeafKeyUsage}", $"{usage}")
            : null;
    }

    private Rejection? ExamineLifetime(Certificate leaf) => profile.MaximumLifetime is { } longest && leaf.NotAfter - leaf.NotBefore > longest
        ? PathRejection.Make(
            RejectionReason.ProfileViolated, leaf, PathPosition.Leaf, $"{nameof(ValidationProfile)}.{nameof(ValidationProfile.MaximumLifetime)}",
            $"a certificate for at most {Describe(longest)}", $"one for {Describe(leaf.NotAfter - leaf.NotBefore)}",
            "Have its authority issue it for a shorter time, and renew it more often.")
        : null;

    private static string Describe(TimeSpan lifetime) => lifetime.ToString(lifetime < TimeSpan.FromDays(1) ? "c" : @"d\ \d\a\y\s\ hh\:mm\:ss",
        CultureInfo.InvariantCulture);

    private static Rejection? ExamineAuthority(Certificate authority, PathPosition position)
    {
        var broken = authority.Version != 3 ? $"a certificate of version {authority.Version}"
            : !authority.Extensions.IsAuthority ? "a certificate whose basic constraints do not say so"
            : authority.KeyUsage is { } usage && (usage & X509KeyUsageFlags.KeyCertSign) == 0 ? $"one whose key is for {usage} only"
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
        var wanted = _forClients ? Oids.ClientAuth : Oids.ServerAuth;
        if (extensions.NamesPurpose(wanted))
        {
            return null;
        }

        var isRequired = position == PathPosition.Leaf && profile.Purpose != PurposeRule.UnlessContradicted;
        if (!isRequired && (!extensions.Has(KnownExtension.ExtendedKeyUsage) || extensions.NamesPurpose(Oids.AnyExtendedKeyUsage)))
        {
            return null;
        }

        var name = _forClients ? "clientAuth" : "serverAuth";
        return PathRejection.Make(
            RejectionReason.WrongUsage, certificate, position, "RFC 5280 §4.2.1.12", $"the extended key usage {name}",
            extensions.Purposes.IsEmpty ? "none" : string.Join(", ", extensions.Purposes.Take(8).Select(purpose => Oids.NameOfPurpose(purpose.Span))),
            position != PathPosition.Leaf ? $"Issue this authority's certificate again with {name} in its extendedKeyUsage, or without the extension."
            : extensions.Purposes.IsEmpty
            ? $"Have its authority issue it again with extendedKeyUsage {name}; for a cert-manager Certificate that is usages: "
                + $"[{(_forClients ? "client" : "server")} auth], which it does not set by itself."
            : _forClients && extensions.NamesPurpose(Oids.ServerAuth)
            ? "Have its authority issue it again with clientAuth in its extendedKeyUsage. Public authorities no longer do so: use an authority of "
                + "your own, and trust that one, or see PurposeRule.DangerouslyServerAuthForClients for peers that are accepted by their names."
            : $"Have its authority issue it again with {name} in its extendedKeyUsage.");
    }
}
