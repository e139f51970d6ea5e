using MutualAuth.Names;

namespace MutualAuth.Ocsp;

/// <summary>An OCSP responder that the operator has chosen.</summary>
/// <remarks>
/// Immutable. Answers are signed, so that plain HTTP does for them; with https the platform's own trust decides about the responder's certificate.
/// </remarks>
public sealed record OcspEndpoint
{
    /// <summary>Chooses a responder.</summary>
    /// <param name="address">An absolute http or https address.</param>
    /// <param name="issuer">The authority about whose certificates it is asked; null for every authority that has no responder of its own.</param>
    /// <exception cref="ArgumentNullException"><paramref name="address"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="address"/> is not such an address, or has a user or a fragment in it.</exception>
    public OcspEndpoint(Uri address, DistinguishedName? issuer = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (!address.IsAbsoluteUri || address.Scheme is not ("http" or "https") || address.UserInfo.Length + address.Fragment.Length > 0)
        {
            throw new ArgumentException(
                "Expected an absolute http or https address without user and fragment, such as http://ocsp.example/.", nameof(address));
        }

        Address = address;
        Issuer = issuer;
    }

    /// <summary>Where it answers.</summary>
    public Uri Address { get; }

    /// <summary>The authority about whose certificates it is asked; null for every authority that has no responder of its own.</summary>
    public DistinguishedName? Issuer { get; }
}
