using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Errors;

namespace MutualAuth.Certificates;

/// <summary>
/// Finds out why a PEM key does not match its certificate after the platform has rejected it: the platform's message does not say why.
/// </summary>
internal static class KeyProblem
{
    internal static MaterialException Explain(
        X509Certificate2 certificate, string keyPem, ReadOnlySpan<char> password, string source, Exception exception)
    {
        var isEncrypted = keyPem.Contains("ENCRYPTED", StringComparison.Ordinal);
        var (problem, what) = (isEncrypted, password.IsEmpty) switch
        {
            (true, true) => (MaterialProblem.WrongPassword, "it is encrypted, so give its password"),
            _ when IsKey(keyPem, password) => (MaterialProblem.KeyMismatch,
                $"it is not the key of the first certificate, {SafeText.Quote(certificate.Subject)}. Give the key that this certificate was issued "
                    + "for, and put our own certificate first in the chain"),
            (true, false) => (MaterialProblem.WrongPassword, "the password does not open it"),
            _ => (
                MaterialProblem.NoKey,
                "it is missing, damaged, or of a kind that the platform does not support. Give an RSA or EC key in PEM (PKCS#8, PKCS#1 or SEC 1)"),
        };
        return new MaterialException($"The private key for {source} cannot be used: {what}. {exception.Message}", exception) { Problem = problem };
    }

    private static bool IsKey(string pem, ReadOnlySpan<char> password)
    {
        foreach (var algorithm in new AsymmetricAlgorithm[] { ECDsa.Create(), RSA.Create() })
        {
            using (algorithm)
            {
                try
                {
                    if (password.IsEmpty)
                    {
                        algorithm.ImportFromPem(pem);
                    }
                    else
                    {
                        algorithm.ImportFromEncryptedPem(pem, password);
                    }

                    return true;
                }
                catch (Exception exception) when (exception is CryptographicException or ArgumentException)
                {
                    // Not a key of this kind.
                }
            }
        }

        return false;
    }
}
