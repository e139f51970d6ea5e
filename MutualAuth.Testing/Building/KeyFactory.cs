using System.Collections.Concurrent;
using System.Security.Cryptography;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Sec;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;
using BigInteger = Org.BouncyCastle.Math.BigInteger;

namespace MutualAuth.Testing.Building;

/// <summary>Makes keys: by the framework where it is quick, by BouncyCastle where the framework cannot or where a seed decides.</summary>
internal static class KeyFactory
{
    private static readonly ConcurrentDictionary<(KeyAlgorithm, string), Lazy<TestKey>> s_expensive = new();

    internal static TestKey Generate(KeyAlgorithm algorithm, Seed? seed) => (algorithm, seed) switch
    {
        (KeyAlgorithm.EcdsaP256, null) => Export(algorithm, ECDsa.Create(ECCurve.NamedCurves.nistP256)),
        (KeyAlgorithm.EcdsaP384, null) => Export(algorithm, ECDsa.Create(ECCurve.NamedCurves.nistP384)),
        (KeyAlgorithm.EcdsaP521, null) => Export(algorithm, ECDsa.Create(ECCurve.NamedCurves.nistP521)),
        (KeyAlgorithm.EcdsaP256, _) => DeriveEc(algorithm, SecObjectIdentifiers.SecP256r1, seed),
        (KeyAlgorithm.EcdsaP384, _) => DeriveEc(algorithm, SecObjectIdentifiers.SecP384r1, seed),
        (KeyAlgorithm.EcdsaP521, _) => DeriveEc(algorithm, SecObjectIdentifiers.SecP521r1, seed),
        (KeyAlgorithm.Ed25519, _) => new TestKey(algorithm, new Ed25519PrivateKeyParameters(RawSeed(seed)), deterministic: seed is not null),
        (KeyAlgorithm.MLDsa44, _) => MLDsaKey(algorithm, MLDsaParameters.ml_dsa_44, seed),
        (KeyAlgorithm.MLDsa65, _) => MLDsaKey(algorithm, MLDsaParameters.ml_dsa_65, seed),
        (KeyAlgorithm.MLDsa87, _) => MLDsaKey(algorithm, MLDsaParameters.ml_dsa_87, seed),
        (_, null) => Export(algorithm, RSA.Create(RsaBits(algorithm))),
        _ => Cached(algorithm, seed.Fingerprint, () => DeriveRsa(algorithm, seed)),
    };

    /// <summary>One key per name for the whole process; created once, by the first caller.</summary>
    internal static TestKey Cached(KeyAlgorithm algorithm, string name, Func<TestKey> make) =>
        s_expensive.GetOrAdd((algorithm, name), _ => new Lazy<TestKey>(() => make().AsShared())).Value;

    private static int RsaBits(KeyAlgorithm algorithm) => algorithm switch
    {
        KeyAlgorithm.Rsa1024 => 1024,
        KeyAlgorithm.Rsa2048 => 2048,
        KeyAlgorithm.Rsa3072 => 3072,
        KeyAlgorithm.Rsa4096 => 4096,
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "Not a key algorithm."),
    };

    private static TestKey Export(KeyAlgorithm algorithm, AsymmetricAlgorithm key)
    {
        using (key)
        {
            return new TestKey(algorithm, key.ExportPkcs8PrivateKey(), key.ExportSubjectPublicKeyInfo());
        }
    }

    private static TestKey DeriveEc(KeyAlgorithm algorithm, DerObjectIdentifier curve, Seed seed)
    {
        // 64 bits more than the order has, reduced: the bias is negligible (FIPS 186-5 A.2.1).
        var order = ECNamedDomainParameters.LookupOid(curve).N;
        var wide = new BigInteger(1, seed.Bytes((order.BitLength + 64 + 7) / 8));
        var d = wide.Mod(order.Subtract(BigInteger.One)).Add(BigInteger.One);
        return new TestKey(algorithm, new ECPrivateKeyParameters("ECDSA", d, curve), deterministic: true);
    }

    private static TestKey DeriveRsa(KeyAlgorithm algorithm, Seed seed)
    {
        var generator = new RsaKeyPairGenerator();
        generator.Init(new RsaKeyGenerationParameters(BigInteger.ValueOf(65537), seed.ToRandom(), RsaBits(algorithm), 100));
        return new TestKey(algorithm, generator.GenerateKeyPair().Private, deterministic: true);
    }

    private static TestKey MLDsaKey(KeyAlgorithm algorithm, MLDsaParameters parameters, Seed? seed) =>
        new(algorithm, MLDsaPrivateKeyParameters.FromSeed(parameters, RawSeed(seed)), deterministic: seed is not null);

    private static byte[] RawSeed(Seed? seed) => seed?.Bytes(32) ?? RandomNumberGenerator.GetBytes(32);
}
