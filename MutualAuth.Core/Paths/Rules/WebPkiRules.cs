using System.Text;
using MutualAuth.Asn1;
using MutualAuth.Certificates;

namespace MutualAuth.Paths;

/// <summary>
/// The certificate profiles of the CA/Browser Forum's Baseline Requirements for TLS server certificates (BR §7.1), as far as a verifier can
/// check them.
/// </summary>
internal static class WebPkiRules
{
    internal static FormProblem? Problem(Certificate certificate, PathPosition position, PeerRole role) =>
        certificate.Version != 3 ? new("BR §7.1.1", "a certificate of version 3", $"version {certificate.Version}")
        : position switch
        {
            PathPosition.Anchor => ProblemOfRoot(certificate),
            PathPosition.Intermediate => null,
            _ => ProblemOfSubscriber(certificate, role),
        };

    private static FormProblem? ProblemOfRoot(Certificate root)
    {
        var extensions = root.Extensions;
        if (extensions.Has(KnownExtension.ExtendedKeyUsage) && root.IsSelfIssued)
        {
            return new("BR §7.1.2.1.2", "a root without an extended key usage", "one with it");
        }

        if (!extensions.Has(KnownExtension.AuthorityKeyIdentifier) || !root.IsSelfIssued)
        {
            return null;
        }

        // The rules of form have asked for both key identifiers, and for a serial number exactly where there is an issuer.
        var keyId = extensions.AuthorityKeyId;
        return keyId.HasIssuer || !keyId.KeyId.Span.SequenceEqual(extensions.SubjectKeyId.Span)
            ? new("BR §7.1.2.1.3", "an authority key identifier in a root that is its own key identifier and nothing else", "another one")
            : null;
    }

    private static FormProblem? ProblemOfSubscriber(Certificate leaf, PeerRole role)
    {
        var extensions = leaf.Extensions;
        if (extensions.NamesPurpose(Oids.AnyExtendedKeyUsage) || extensions.IsCritical(KnownExtension.ExtendedKeyUsage))
        {
            return new("BR §7.1.2.7.10", "an extended key usage that is not critical and does not allow any purpose", "another one");
        }

        if (leaf.KeyUsage is null && leaf.PublicKey.Kind == PublicKeyKind.Rsa)
        {
            return new("BR §7.1.2.7.11", "a key usage beside an RSA key", "none");
        }

        if (extensions.AuthorityKeyId.HasIssuer)
        {
            return new("BR §7.1.2.11.1", "an authority key identifier without issuer and serial number", "one with them");
        }

        return role == PeerRole.Server ? ProblemOfServerNames(leaf) : null;
    }

    private static FormProblem? ProblemOfServerNames(Certificate leaf)
    {
        var extensions = leaf.Extensions;
        if (extensions.SubjectNames.IsEmpty)
        {
            return new("BR §7.1.2.7.12", "a subject alternative name", "none");
        }

        if (!leaf.Subject.IsEmpty && extensions.IsCritical(KnownExtension.SubjectAltName))
        {
            return new("BR §7.1.2.7.12", "a subject alternative name that is not critical where there is a subject", "a critical one");
        }

        foreach (var name in extensions.SubjectNames)
        {
            if (name.Form is not (GeneralNameForm.Dns or GeneralNameForm.IPAddress) || (name.Form == GeneralNameForm.Dns && IsTooWide(name.Text)))
            {
                return new(
                    "BR §7.1.2.7.12, §3.2.2.6",
                    "DNS names and addresses, and no wildcard over a whole registry",
                    $"{name.Form} {Errors.SafeText.Quote(name.Text)}");
            }
        }

        return ProblemOfCommonName(leaf);
    }

    /// <summary>A wildcard below which anyone could own a name: one that leaves fewer than two labels.</summary>
    private static bool IsTooWide(string name) => name.StartsWith('*') && name.Count(character => character == '.') < 2;

    /// <summary>BR §7.1.4.3: a common name repeats one of the alternative names character for character.</summary>
    /// <remarks>
    /// A common name is never used as a name. Accepted is one that is itself a plain host name and either accompanies addresses only or is
    /// a parent of an alternative name; another spelling of a name, or another name, is rejected.
    /// </remarks>
    private static FormProblem? ProblemOfCommonName(Certificate leaf)
    {
        foreach (var attribute in leaf.Subject.Rdns.SelectMany(rdn => rdn.Attributes))
        {
            if (attribute.Type.Span.SequenceEqual(Oids.CommonName) && !IsAcceptableCommonName(attribute.Text, leaf))
            {
                return new("BR §7.1.4.3", "a common name that repeats an alternative name", Errors.SafeText.Quote(attribute.Text));
            }
        }

        return null;
    }

    private static bool IsAcceptableCommonName(string? text, Certificate leaf)
    {
        if (text is null || leaf.DnsNames.Contains(text) || leaf.IPAddresses.Any(address => address.ToString() == text))
        {
            return text is not null;
        }

        var isHostName = text.Contains('.')
            && NameSyntax.IsDnsName(Encoding.ASCII.GetBytes(text))
            && !System.Net.IPAddress.TryParse(text, out _);
        return isHostName && (leaf.DnsNames.IsEmpty || leaf.DnsNames.Any(name => name.EndsWith($".{text}", StringComparison.Ordinal)));
    }
}
