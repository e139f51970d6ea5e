using System.Security.Cryptography.X509Certificates;
using MutualAuth.Errors;
using MutualAuth.Names;

namespace MutualAuth.Certificates;

/// <summary>Reads the SPIFFE ID of a workload from its certificate, as X509-SVID §5.2 requires it of a leaf.</summary>
internal static class SpiffeSvid
{
    private const X509KeyUsageFlags SigningUsages = X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign;

    /// <summary>The SPIFFE ID; null when the certificate is not a workload's valid X.509-SVID.</summary>
    internal static SpiffeId? IdOf(Certificate certificate) => certificate.Uris.Length == 1 && Read(certificate, out var id) is null ? id : null;

    /// <summary>Reads the ID, or returns the constraint that the certificate breaks.</summary>
    internal static Rejection? Read(Certificate certificate, out SpiffeId? id)
    {
        id = null;
        if (certificate.Uris.Length != 1)
        {
            return NotAnSvid("exactly one URI name", $"{certificate.Uris.Length} of them: {PresentedNames.Of(certificate)}", "X509-SVID §2");
        }

        if (certificate.IsCertificateAuthority)
        {
            return NotAnSvid("the certificate of a workload", "one of a certification authority", "X509-SVID §5.2");
        }

        if (certificate.KeyUsage is { } usage && (usage & SigningUsages) != 0)
        {
            return NotAnSvid("a key usage without keyCertSign and cRLSign", $"{usage & SigningUsages}", "X509-SVID §5.2");
        }

        return SpiffeId.Read(certificate.Uris[0], out id) is { } flaw
            ? NotAnSvid(flaw.Expected, SafeText.Quote(certificate.Uris[0]), "SPIFFE-ID §2")
            : null;
    }

    private static Rejection NotAnSvid(string expected, string presented, string rule) =>
        new(RejectionReason.NotAnSvid, expected, presented) { Element = "leaf certificate", Rule = rule };
}
