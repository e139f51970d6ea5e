using MutualAuth.Certificates;
using MutualAuth.Errors;

namespace MutualAuth.Validation;

/// <summary>The one word for a peer: the SPIFFE ID of a valid X.509-SVID, else its first DNS name, else its subject.</summary>
internal static class PeerName
{
    internal static string Of(Certificate certificate)
    {
        if (Svid.IdOf(certificate) is { } spiffeId)
        {
            return PeerText.PercentEncode(spiffeId.ToString());
        }

        return PeerText.PercentEncode(certificate.DnsNames is [var first, ..] ? first : certificate.Subject.ToString() ?? string.Empty);
    }
}
