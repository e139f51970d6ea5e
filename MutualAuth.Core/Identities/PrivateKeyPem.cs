using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Asn1;
using MutualAuth.Certificates;
using MutualAuth.Errors;

namespace MutualAuth.Identities;

/// <summary>Finds the private key of a certificate in PEM, in the clear or encrypted, in every form that OpenSSL writes.</summary>
internal static class PrivateKeyPem
{
    internal const string GiveAnother = "Give a key on P-256, P-384 or P-521, or an RSA key of 2,048 bits or more, and a certificate issued for it";

    /// <summary>The certificate together with its key.</summary>
    /// <param name="certificate">The certificate, whose key is supported.</param>
    /// <param name="pem">The text with the key, which may have other blocks and other keys, too.</param>
    /// <param name="password">The password of an encrypted key; empty for a key in the clear.</param>
    /// <param name="origin">Where the text comes from.</param>
    /// <exception cref="MaterialException">There is no key that can be used, or only keys of other certificates.</exception>
    internal static X509Certificate2 Attach(
        X509Certificate2 certificate, ReadOnlyMemory<byte> pem, ReadOnlySpan<char> password, PemOrigin origin)
    {
        MaterialException? problem = null;
        foreach (var block in ReadKeys(pem, origin))
        {
            try
            {
                using var key = Open(block, password, origin);
                if (TryAttach(certificate, key) is { } attached)
                {
                    return attached;
                }
            }
            catch (MaterialException unusable)
            {
                problem ??= unusable;
            }
        }

        throw problem ?? Unusable(
            origin,
            MaterialProblem.KeyMismatch,
            $"it is not the key of the first certificate, {SafeText.Quote(certificate.Subject)}. Give the key that this certificate was issued for, "
                + "and put our own certificate first in the chain");
    }

    internal static MaterialException Unusable(PemOrigin origin, MaterialProblem problem, string what, Exception? inner = null) =>
        new($"The private key in {origin.Name} cannot be used: {what}.", inner) { Problem = problem };

    private static List<PemBlock> ReadKeys(ReadOnlyMemory<byte> pem, PemOrigin origin)
    {
        var keys = new List<PemBlock>();
        var reader = new PemReader(pem.Span, origin.Source, MaterialProblem.NoKey);
        while (reader.TryRead(out var block))
        {
            if (block.IsPrivateKey)
            {
                keys.Add(block);
            }
        }

        return keys.Count > 0
            ? keys
            : throw Unusable(
                origin,
                MaterialProblem.NoKey,
                BinaryForms.WayToPem(BinaryForms.Of(pem), origin, "CERTIFICATE") is { } way ? $"it is not PEM; {way}"
                    : "there is no private key in it. Give an RSA, EC or ML-DSA key in PEM (PKCS#8, PKCS#1 or SEC 1)");
    }

    private static IDisposable Open(PemBlock block, ReadOnlySpan<char> password, PemOrigin origin)
    {
        var isTraditional = block.Headers.Contains("ENCRYPTED", StringComparison.Ordinal);
        if (!isTraditional && block.Label != "ENCRYPTED PRIVATE KEY")
        {
            return password.IsEmpty
                ? Import(block.Label, block.Contents, origin, MaterialProblem.NoKey, $"PEM block {block.Number} is damaged. Export it again")
                : throw Unusable(origin, MaterialProblem.WrongPassword, "it is not encrypted: leave the password out");
        }

        if (password.IsEmpty)
        {
            throw Unusable(origin, MaterialProblem.WrongPassword, "it is encrypted, so give its password");
        }

        var clear = isTraditional
            ? TraditionalEncryption.Decrypt(block, password, origin)
            : Pkcs8Encryption.Decrypt(block.Contents, password, origin);
        try
        {
            // One wrong password of 256 leaves padding that looks right.
            return Import(isTraditional ? block.Label : "PRIVATE KEY", clear, origin, MaterialProblem.WrongPassword, WrongPassword);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(clear);
        }
    }

    internal const string WrongPassword = "the password does not open it";

    private static IDisposable Import(string label, ReadOnlyMemory<byte> der, PemOrigin origin, MaterialProblem problem, string damaged)
    {
        AsymmetricAlgorithm? key = null;
        try
        {
            switch (label)
            {
                case "RSA PRIVATE KEY":
                    var rsa = RSA.Create();
                    key = rsa;
                    rsa.ImportRSAPrivateKey(der.Span, out _);
                    return key;
                case "EC PRIVATE KEY":
                    var ecdsa = ECDsa.Create();
                    key = ecdsa;
                    ecdsa.ImportECPrivateKey(der.Span, out _);
                    return key;
                case "PRIVATE KEY":
                    var algorithm = AlgorithmOf(der);
                    if (MLDsaSet.Of(algorithm.Span) is { } set)
                    {
                        return MLDsaPrivateKey.Import(set, der, origin);
                    }

                    key = Create(algorithm.Span, origin);
                    key.ImportPkcs8PrivateKey(der.Span, out _);
                    return key;
                case "OPENSSH PRIVATE KEY":
                    throw Unusable(origin, MaterialProblem.NoKey,
                        $"it is in the form of OpenSSH. Convert a copy of it, ssh-keygen -p -m PEM -f {origin.Argument}, and give that file");
                default:
                    throw NotSupported(origin, SafeText.Quote(label));
            }
        }
        catch (Exception exception) when (exception is CryptographicException or AsnContentException)
        {
            key?.Dispose();
            throw Unusable(origin, problem, damaged, exception);
        }
    }

    private static ReadOnlyMemory<byte> AlgorithmOf(ReadOnlyMemory<byte> pkcs8)
    {
        var reader = new DerReader(pkcs8).ReadSequence();
        reader.ReadInteger();
        return reader.ReadSequence().ReadOid();
    }

    private static AsymmetricAlgorithm Create(ReadOnlySpan<byte> algorithm, PemOrigin origin) =>
        algorithm.SequenceEqual(Oids.RsaEncryption) ? RSA.Create()
            : algorithm.SequenceEqual(Oids.EcPublicKey) ? ECDsa.Create()
            : throw NotSupported(origin, Oids.NameOfKey(algorithm));

    private static MaterialException NotSupported(PemOrigin origin, string algorithm) =>
        Unusable(origin, MaterialProblem.NoKey, $"{algorithm} is not supported. {GiveAnother}");

    private static X509Certificate2? TryAttach(X509Certificate2 certificate, IDisposable key)
    {
        try
        {
            using var ephemeral = OpenSslKey.Attach(certificate, key);

            // SChannel cannot use a key that lives only in memory; a round trip through PKCS#12 gives it one that it can.
            return OperatingSystem.IsWindows()
                ? X509CertificateLoader.LoadPkcs12(ephemeral.Export(X509ContentType.Pkcs12), null)
                : new X509Certificate2(ephemeral);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException or InvalidOperationException)
        {
            return null; // the key of another certificate
        }
    }
}
