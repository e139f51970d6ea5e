using MutualAuth.Certificates;
using MutualAuth.Errors;
using MutualAuth.Names;

namespace MutualAuth.Validation;

/// <summary>The one word for a peer: its SPIFFE ID, else its first DNS name, else its subject.</summary>
internal static class PeerName
{
    internal static string Of(Certificate certificate)
    {
        if (certificate.Uris.FirstOrDefault(uri => SpiffeId.TryParse(uri, out _)) is { } spiffeId)
        {
            return PeerText.PercentEncode(spiffeId);
        }

        return PeerText.PercentEncode(certificate.DnsNames is [var first, ..] ? first : certificate.Subject.ToString() ?? string.Empty);
    }
}
