using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Errors;

namespace MutualAuth.Identities;

/// <summary>Identities in the certificate stores of the platform.</summary>
internal static class StoreIdentity
{
    internal static Identity Load(StoreName name, StoreLocation location, string thumbprint)
    {
        var digits = new string([.. thumbprint.Where(char.IsAsciiHexDigit)]);
        var algorithm = digits.Length switch
        {
            64 => HashAlgorithmName.SHA256,
            40 => HashAlgorithmName.SHA1,
            _ => throw new MaterialException(
                $"{SafeText.Quote(thumbprint)} is not a thumbprint: 64 hexadecimal digits (SHA-256) or 40 (SHA-1) are expected."),
        };
        var certificate = Open(name, location).FirstOrDefault(
            candidate => candidate.GetCertHashString(algorithm).Equals(digits, StringComparison.OrdinalIgnoreCase))
            ?? throw new MaterialException(
                $"The store {location}/{name} holds no certificate with the thumbprint {digits}. Import it together with its key, or "
                    + "give another thumbprint.")
            { Problem = MaterialProblem.NoCertificate };
        return Identity.From(certificate, IssuersOf(certificate, OpenOrEmpty(StoreName.CertificateAuthority, location)));
    }

    /// <summary>The intermediates by name, from the certificate's issuer upwards; a ring of them ends where it closes.</summary>
    private static List<X509Certificate2> IssuersOf(X509Certificate2 certificate, X509Certificate2Collection authorities)
    {
        var issuers = new List<X509Certificate2>();
        var last = certificate;
        while (authorities.FirstOrDefault(
            authority => !issuers.Contains(authority) && authority.SubjectName.RawData.AsSpan().SequenceEqual(last.IssuerName.RawData)) is { } issuer)
        {
            issuers.Add(issuer);
            last = issuer;
        }

        return issuers;
    }

    private static X509Certificate2Collection Open(StoreName name, StoreLocation location)
    {
        try
        {
            using var store = new X509Store(name, location, OpenFlags.ReadOnly | OpenFlags.OpenExistingOnly);
            return store.Certificates;
        }
        catch (CryptographicException exception)
        {
            throw new MaterialException($"The store {location}/{name} cannot be opened: {exception.Message}", exception)
            { Problem = MaterialProblem.Unreadable };
        }
    }

    private static X509Certificate2Collection OpenOrEmpty(StoreName name, StoreLocation location)
    {
        try
        {
            return Open(name, location);
        }
        catch (MaterialException)
        {
            return []; // Not every platform has one.
        }
    }
}
