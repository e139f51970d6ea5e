using System.Security.Cryptography;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Operators.Utilities;
using Org.BouncyCastle.Security;

namespace MutualAuth.Testing.Building;

/// <summary>Signs with any key and any algorithm that fits it.</summary>
internal static class Signing
{
    internal static SignatureAlgorithm DefaultFor(KeyAlgorithm key) => key switch
    {
        KeyAlgorithm.EcdsaP256 => SignatureAlgorithm.EcdsaSha256,
        KeyAlgorithm.EcdsaP384 => SignatureAlgorithm.EcdsaSha384,
        KeyAlgorithm.EcdsaP521 => SignatureAlgorithm.EcdsaSha512,
        KeyAlgorithm.Ed25519 => SignatureAlgorithm.Ed25519,
        KeyAlgorithm.MLDsa44 => SignatureAlgorithm.MLDsa44,
        KeyAlgorithm.MLDsa65 => SignatureAlgorithm.MLDsa65,
        KeyAlgorithm.MLDsa87 => SignatureAlgorithm.MLDsa87,
        _ => SignatureAlgorithm.RsaSha256,
    };

    internal static AlgorithmIdentifier IdentifierOf(SignatureAlgorithm algorithm) =>
        DefaultSignatureAlgorithmFinder.Instance.Find(NameOf(algorithm));

    internal static byte[] Sign(TestKey key, SignatureAlgorithm algorithm, byte[] data)
    {
        // The framework is several times as fast, and BouncyCastle is reproducible and knows what the framework may refuse.
        if (!key.IsDeterministic && HashOf(algorithm) is { } hash)
        {
            switch (key.Framework)
            {
                case ECDsa ecdsa when IsEcdsa(algorithm):
                    lock (ecdsa)
                    {
                        return ecdsa.SignData(data, hash, DSASignatureFormat.Rfc3279DerSequence);
                    }

                case RSA rsa when !IsEcdsa(algorithm):
                    lock (rsa)
                    {
                        return rsa.SignData(data, hash, IsPss(algorithm) ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
                    }
            }
        }

        var signer = CreateSigner(key, algorithm, data);
        signer.BlockUpdate(data, 0, data.Length);
        return signer.GenerateSignature();
    }

    private static ISigner CreateSigner(TestKey key, SignatureAlgorithm algorithm, byte[] data)
    {
        if (key.Private is ECPrivateKeyParameters && IsEcdsa(algorithm))
        {
            // RFC 6979: the nonce comes from the key and the message, so the signature is reproducible.
            var digest = DigestOf(algorithm);
            var deterministic = new DsaDigestSigner(new ECDsaSigner(new HMacDsaKCalculator(DigestOf(algorithm))), digest);
            deterministic.Init(true, key.Private);
            return deterministic;
        }

        var random = key.IsDeterministic ? Seed.Of([.. key.Pkcs8.Span, .. data]).Derive("signature").ToRandom() : new SecureRandom();
        try
        {
            return SignerUtilities.InitSigner(NameOf(algorithm), true, key.Private, random);
        }
        catch (Exception exception) when (exception is CryptoException or InvalidCastException or ArgumentException or GeneralSecurityException)
        {
            throw new ArgumentException($"A key of kind {key.Algorithm} cannot sign with {algorithm}.", nameof(algorithm), exception);
        }
    }

    private static IDigest DigestOf(SignatureAlgorithm algorithm) => DigestUtilities.GetDigest(algorithm switch
    {
        SignatureAlgorithm.EcdsaSha1 => "SHA-1",
        SignatureAlgorithm.EcdsaSha256 => "SHA-256",
        SignatureAlgorithm.EcdsaSha384 => "SHA-384",
        _ => "SHA-512",
    });

    private static bool IsEcdsa(SignatureAlgorithm algorithm) => algorithm is >= SignatureAlgorithm.EcdsaSha1 and <= SignatureAlgorithm.EcdsaSha512;

    private static bool IsPss(SignatureAlgorithm algorithm) => algorithm is >= SignatureAlgorithm.RsaPssSha256 and <= SignatureAlgorithm.RsaPssSha512;

    private static HashAlgorithmName? HashOf(SignatureAlgorithm algorithm) => algorithm switch
    {
        SignatureAlgorithm.RsaSha256 or SignatureAlgorithm.RsaPssSha256 or SignatureAlgorithm.EcdsaSha256 => HashAlgorithmName.SHA256,
        SignatureAlgorithm.RsaSha384 or SignatureAlgorithm.RsaPssSha384 or SignatureAlgorithm.EcdsaSha384 => HashAlgorithmName.SHA384,
        SignatureAlgorithm.RsaSha512 or SignatureAlgorithm.RsaPssSha512 or SignatureAlgorithm.EcdsaSha512 => HashAlgorithmName.SHA512,
        _ => null,
    };

    private static string NameOf(SignatureAlgorithm algorithm) => algorithm switch
    {
        SignatureAlgorithm.RsaMd5 => "MD5WITHRSA",
        SignatureAlgorithm.RsaSha1 => "SHA1WITHRSA",
        SignatureAlgorithm.RsaSha256 => "SHA256WITHRSA",
        SignatureAlgorithm.RsaSha384 => "SHA384WITHRSA",
        SignatureAlgorithm.RsaSha512 => "SHA512WITHRSA",
        SignatureAlgorithm.RsaPssSha256 => "SHA256WITHRSAANDMGF1",
        SignatureAlgorithm.RsaPssSha384 => "SHA384WITHRSAANDMGF1",
        SignatureAlgorithm.RsaPssSha512 => "SHA512WITHRSAANDMGF1",
        SignatureAlgorithm.EcdsaSha1 => "SHA1WITHECDSA",
        SignatureAlgorithm.EcdsaSha256 => "SHA256WITHECDSA",
        SignatureAlgorithm.EcdsaSha384 => "SHA384WITHECDSA",
        SignatureAlgorithm.EcdsaSha512 => "SHA512WITHECDSA",
        SignatureAlgorithm.Ed25519 => "ED25519",
        SignatureAlgorithm.MLDsa44 => "ML-DSA-44",
        SignatureAlgorithm.MLDsa65 => "ML-DSA-65",
        SignatureAlgorithm.MLDsa87 => "ML-DSA-87",
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "Not a signature algorithm."),
    };
}
