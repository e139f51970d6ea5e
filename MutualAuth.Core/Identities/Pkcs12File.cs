using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Certificates;
using MutualAuth.Errors;

namespace MutualAuth.Identities;

/// <summary>Reads the operator's PKCS#12 files (RFC 7292).</summary>
internal static class Pkcs12File
{
    // The file is the operator's: a high count makes its password harder to guess, and costs us one start.
    private static readonly Pkcs12LoaderLimits s_limits = new(Pkcs12LoaderLimits.Defaults)
    {
        MacIterationLimit = 10_000_000,
        IndividualKdfIterationLimit = 10_000_000,
        TotalKdfIterationLimit = 30_000_000,
    };

    /// <exception cref="MaterialException">It is no PKCS#12, or the password does not open it.</exception>
    internal static X509Certificate2Collection Read(byte[] bytes, ReadOnlySpan<char> password, PemOrigin origin)
    {
        var form = BinaryForms.Of(bytes);
        if (form is not (BinaryForm.None or BinaryForm.Pkcs12) || bytes.AsSpan().IndexOf("-----BEGIN "u8) >= 0)
        {
            throw new MaterialException(
                form == BinaryForm.None
                    ? $"{origin.Source} is PEM, and not PKCS#12. Load it with Identity.FromPemFiles, or follow it with IdentityFiles.FromPem."
                    : $"{origin.Source} is not PKCS#12: {BinaryForms.WayToPem(form, origin, "CERTIFICATE")}.")
            { Problem = MaterialProblem.NoKey };
        }

        try
        {
            return X509CertificateLoader.LoadPkcs12Collection(bytes, password, X509KeyStorageFlags.DefaultKeySet, s_limits);
        }
        catch (Pkcs12LoadLimitExceededException exception)
        {
            throw new MaterialException(
                $"{origin.Source} asks for more than is allowed of a PKCS#12 file: {exception.Message} Export it again with fewer iterations.",
                exception)
            { Problem = MaterialProblem.Unreadable };
        }
        catch (CryptographicException exception)
        {
            if (form == BinaryForm.Pkcs12 && TryReadWithoutKeys(bytes, password) is { } held)
            {
                throw new MaterialException(
                    $"{origin.Source}: the password opens it, and the platform cannot use a private key in it. {held}. {exception.Message}",
                    exception)
                { Problem = MaterialProblem.NoKey };
            }

            throw form == BinaryForm.Pkcs12
                ? new MaterialException($"{origin.Source}: the password does not open it, or it is damaged. {exception.Message}", exception)
                { Problem = MaterialProblem.WrongPassword }
                : new MaterialException($"{origin.Source} is not a PKCS#12 file, or it is cut. {exception.Message}", exception)
                { Problem = MaterialProblem.NoKey };
        }
    }

    /// <summary>What the certificates in it are, and what would do; null when it does not open without its keys either.</summary>
    private static string? TryReadWithoutKeys(byte[] bytes, ReadOnlySpan<char> password)
    {
        try
        {
            var limits = new Pkcs12LoaderLimits(s_limits) { IgnorePrivateKeys = true };
            var keys = X509CertificateLoader.LoadPkcs12Collection(bytes, password, X509KeyStorageFlags.DefaultKeySet, limits)
                .Select(certificate => Certificate.TryParse(certificate.RawDataMemory, out var read, out _) ? read.PublicKey : null)
                .OfType<PublicKeyInfo>().ToList();
            return keys.Count == 0 ? null
                : $"Its certificates have {string.Join(", ", keys.Select(key => key.Description).Distinct())}. "
                    + (keys.Find(key => key is { MLDsa: not null, IsVerifiableHere: false }) is null
                        ? PrivateKeyPem.GiveAnother
                        : $"For ML-DSA, {MLDsaSet.Missing}");
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>The one certificate that is ours.</summary>
    /// <exception cref="MaterialException">There is none, or more than one.</exception>
    internal static X509Certificate2 Choose(X509Certificate2[] held, Func<Certificate, bool>? choose, PemOrigin origin)
    {
        var readable = Array.ConvertAll(held, certificate => Certificate.TryParse(certificate.RawDataMemory, out var read, out _) ? read : null);
        var chosen = held.Where((_, index) => choose is null || (readable[index] is { } read && choose(read))).ToArray();
        if (chosen.Length == 1)
        {
            return chosen[0];
        }

        if (held.Length == 0)
        {
            throw new MaterialException(
                $"{origin.Source} holds no certificate with a private key. Export it again together with the key.")
            { Problem = MaterialProblem.NoKey };
        }

        var list = string.Join("; ", held.Select(
            (certificate, index) => $"{SafeText.Quote(certificate.Subject)}, SHA-256 {Certificate.DigestOf(certificate.RawDataMemory)}, "
                + $"key identifier {readable[index]?.SubjectKeyIdentifier ?? "none"}"));
        var found = choose is null ? null : $", of which {chosen.Length} are chosen";
        throw new MaterialException(
            $"{origin.Source} holds {held.Length} certificates with a private key{found}; "
                + $"exactly one is expected: {list}. Choose one of them with the overload of FromPkcs12 or FromPkcs12File that takes a function.")
        { Problem = MaterialProblem.NoKey };
    }
}
