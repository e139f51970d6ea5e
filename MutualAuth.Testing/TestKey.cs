using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using MutualAuth.Testing.Building;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.EdEC;
using Org.BouncyCastle.Asn1.Pkcs;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Pkcs;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.X509;

namespace MutualAuth.Testing;

/// <summary>A key pair for tests.</summary>
/// <remarks>Immutable and safe to share. The private key lies in ordinary memory: never use one outside a test.</remarks>
public sealed class TestKey
{
    private readonly byte[]? _pkcs8;
    private readonly byte[] _publicKey;
    private readonly Lazy<AsymmetricKeyParameter> _private;
    private readonly Lazy<AsymmetricAlgorithm?> _framework;
    private readonly ConcurrentDictionary<string, RevocationRegister> _registers = new();

    internal TestKey(KeyAlgorithm algorithm, byte[] pkcs8, byte[] publicKey)
    {
        Algorithm = algorithm;
        _pkcs8 = pkcs8;
        _publicKey = publicKey;
        _private = new(() => PrivateKeyFactory.CreateKey(pkcs8));
        _framework = new(CreateFrameworkKey);
    }

    private TestKey(KeyAlgorithm algorithm, byte[] publicKey)
    {
        Algorithm = algorithm;
        _publicKey = publicKey;
        _private = new(() => throw NoPrivateKey());
        _framework = new(() => throw NoPrivateKey());
    }

    internal TestKey(KeyAlgorithm algorithm, AsymmetricKeyParameter privateKey, bool deterministic)
        : this(
            algorithm,
            PrivateKeyInfoOf(privateKey).GetDerEncoded(),
            SubjectPublicKeyInfoFactory.CreateSubjectPublicKeyInfo(PublicOf(privateKey)).GetDerEncoded())
    {
        _private = new(privateKey);
        IsDeterministic = deterministic;
    }

    private TestKey(TestKey other, ConcurrentDictionary<string, RevocationRegister> registers)
    {
        Algorithm = other.Algorithm;
        IsDeterministic = other.IsDeterministic;
        IsShared = other.IsShared;
        _pkcs8 = other._pkcs8;
        _publicKey = other._publicKey;
        _private = other._private;
        _framework = other._framework;
        _registers = registers;
    }

    /// <summary>What kind of key this is.</summary>
    public KeyAlgorithm Algorithm { get; }

    /// <summary>The public key as a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) in DER: what a pin is made of.</summary>
    public ReadOnlyMemory<byte> SubjectPublicKeyInfo => _publicKey;

    /// <summary>Whether the private half is there: it is not in what <see cref="FromPublicKey"/> made.</summary>
    public bool HasPrivateKey => _pkcs8 is not null;

    /// <summary>The private key as PKCS#8 (RFC 5958, version 1) in DER.</summary>
    /// <exception cref="InvalidOperationException">There is no private key here.</exception>
    public ReadOnlyMemory<byte> Pkcs8 => _pkcs8 ?? throw NoPrivateKey();

    /// <summary>The private key as PKCS#8 in PEM, not encrypted.</summary>
    /// <exception cref="InvalidOperationException">There is no private key here.</exception>
    public string PrivateKeyPem => PemText.Of("PRIVATE KEY", Pkcs8.Span);

    /// <summary>Whether the key comes from a seed, so that what it signs is reproducible as well.</summary>
    internal bool IsDeterministic { get; private init; }

    /// <summary>
    /// The same key, which signs reproducibly, and of which nothing has been revoked: what was before with a key that is of no seed would make
    /// another list of each run.
    /// </summary>
    internal TestKey Reproducible() => IsDeterministic || !HasPrivateKey ? this : new TestKey(this, new()) { IsDeterministic = true };

    /// <summary>Whether those who know nothing of each other have this object: it is cached for the whole process.</summary>
    internal bool IsShared { get; private init; }

    /// <summary>The same key, marked as one that the whole process has.</summary>
    internal TestKey AsShared() => new(this, _registers) { IsShared = true };

    /// <summary>
    /// The key as an authority has it: one that the whole process shares becomes an object of its own, so that only who takes it from this
    /// authority is the same issuer.
    /// </summary>
    internal TestKey ForAuthority() => IsShared ? new TestKey(this, new()) { IsShared = false } : this;

    /// <summary>What has been issued and revoked with this key under a name, in DER: one register for one issuer.</summary>
    internal RevocationRegister RegisterOf(byte[] issuerName) =>
        _registers.GetOrAdd(Convert.ToHexString(issuerName), _ => new RevocationRegister());

    internal AsymmetricKeyParameter Private => _private.Value;

    /// <summary>The framework's object for signing, shared; null where the framework has none.</summary>
    internal AsymmetricAlgorithm? Framework => _framework.Value;

    /// <summary>Makes a new key.</summary>
    public static TestKey Generate(KeyAlgorithm algorithm = KeyAlgorithm.EcdsaP256) => KeyFactory.Generate(algorithm, seed: null);

    /// <summary>The key of this kind and number that the whole process shares, made on first use: for RSA keys, which cost up to seconds.</summary>
    /// <param name="algorithm">The kind of key.</param>
    /// <param name="index">Which one: two certificates that must not have the same key take two numbers.</param>
    public static TestKey Shared(KeyAlgorithm algorithm, int index = 0) =>
        KeyFactory.Cached(algorithm, index.ToString(CultureInfo.InvariantCulture), () => Generate(algorithm));

    /// <summary>The key that <paramref name="seed"/> stands for: always the same.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="seed"/> is null.</exception>
    public static TestKey FromSeed(KeyAlgorithm algorithm, string seed)
    {
        ArgumentNullException.ThrowIfNull(seed);
        return KeyFactory.Generate(algorithm, Seed.Of(seed).Derive("key"));
    }

    /// <summary>A key that exists already: PEM of PKCS#8, plain or encrypted, or in the older forms of OpenSSL (RFC 5915, RFC 8017).</summary>
    /// <param name="pem">The first private key in it counts.</param>
    /// <param name="password">The password of an encrypted one; null where it is not encrypted.</param>
    /// <exception cref="ArgumentNullException"><paramref name="pem"/> is null.</exception>
    /// <exception cref="ArgumentException">There is no private key of a known kind in it, or the password is wrong.</exception>
    /// <example><code>var key = TestKey.FromPem(File.ReadAllText("authority.key"));</code></example>
    public static TestKey FromPem(string pem, string? password = null) => KeyImport.FromPem(pem, password);

    /// <summary>The public half of a key that its owner keeps, to issue a certificate for it.</summary>
    /// <param name="subjectPublicKeyInfo">A SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) in DER.</param>
    /// <exception cref="ArgumentException">It is not one, or of no kind of <see cref="KeyAlgorithm"/>.</exception>
    public static TestKey FromPublicKey(ReadOnlySpan<byte> subjectPublicKeyInfo) =>
        new(KeyImport.AlgorithmOf(subjectPublicKeyInfo), subjectPublicKeyInfo.ToArray());

    /// <summary>The private key as encrypted PKCS#8 in PEM (PBES2: AES-256-CBC under PBKDF2 with HMAC-SHA-256).</summary>
    /// <param name="password">The password, whose UTF-8 is what counts (RFC 8018 §3).</param>
    /// <param name="iterations">PBKDF2 iterations. Default: 2048, which is quick and not strong.</param>
    /// <exception cref="ArgumentNullException"><paramref name="password"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="iterations"/> is not positive.</exception>
    public string ToEncryptedPem(string password, int iterations = 2048)
    {
        ArgumentNullException.ThrowIfNull(password);
        ArgumentOutOfRangeException.ThrowIfLessThan(iterations, 1);
        return PemEncoding.WriteString("ENCRYPTED PRIVATE KEY", PasswordEncryption.Encrypt(this, password, iterations).GetDerEncoded()) + "\n";
    }

    /// <summary>An ML-DSA key as PKCS#8 in PEM, not encrypted, in one of the three forms of RFC 9881 §6.</summary>
    /// <param name="form">Which form.</param>
    /// <exception cref="InvalidOperationException">The key is not one of ML-DSA.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="form"/> does not exist.</exception>
    /// <example><code>var pem = TestKey.Generate(KeyAlgorithm.MLDsa65).ToMLDsaPem(MLDsaKeyForm.Seed);</code></example>
    public string ToMLDsaPem(MLDsaKeyForm form)
    {
        if (Private is not MLDsaPrivateKeyParameters key)
        {
            throw new InvalidOperationException($"A key of kind {Algorithm} has no such forms: they are those of ML-DSA.");
        }

        var preferred = form switch
        {
            MLDsaKeyForm.Seed => MLDsaPrivateKeyParameters.Format.SeedOnly,
            MLDsaKeyForm.Expanded => MLDsaPrivateKeyParameters.Format.EncodingOnly,
            MLDsaKeyForm.Both => MLDsaPrivateKeyParameters.Format.SeedAndEncoding,
            _ => throw new ArgumentOutOfRangeException(nameof(form), form, "Not a form of ML-DSA keys."),
        };
        var info = PrivateKeyInfoFactory.CreatePrivateKeyInfo(key.WithPreferredFormat(preferred));
        return PemEncoding.WriteString("PRIVATE KEY", info.GetDerEncoded()) + "\n";
    }

    /// <summary>A new ML-DSA object of the framework, which the caller owns; null for other keys, and where the platform has no ML-DSA.</summary>
    internal MLDsa? CreateFrameworkMLDsa() => !MLDsa.IsSupported || Private is not MLDsaPrivateKeyParameters key ? null
        : MLDsa.ImportMLDsaPrivateKey(
            Algorithm switch
            {
                KeyAlgorithm.MLDsa44 => MLDsaAlgorithm.MLDsa44,
                KeyAlgorithm.MLDsa65 => MLDsaAlgorithm.MLDsa65,
                _ => MLDsaAlgorithm.MLDsa87,
            },
            key.GetEncoded());

    /// <summary>
    /// A new framework object with the private key, which the caller owns; null where the framework has none, and for ML-DSA.
    /// </summary>
    internal AsymmetricAlgorithm? CreateFrameworkKey()
    {
        AsymmetricAlgorithm? key = Algorithm switch
        {
            KeyAlgorithm.EcdsaP256 or KeyAlgorithm.EcdsaP384 or KeyAlgorithm.EcdsaP521 => ECDsa.Create(),
            KeyAlgorithm.Rsa1024 or KeyAlgorithm.Rsa2048 or KeyAlgorithm.Rsa3072 or KeyAlgorithm.Rsa4096 => RSA.Create(),
            _ => null,
        };
        key?.ImportPkcs8PrivateKey(Pkcs8.Span, out _);
        return key;
    }

    /// <summary>Octets for a salt: those of a key from a seed are always the same for one purpose.</summary>
    internal byte[] Salt(string purpose, int count) =>
        IsDeterministic ? Seed.Of(Pkcs8.Span).Derive(purpose).Bytes(count) : RandomNumberGenerator.GetBytes(count);

    private static InvalidOperationException NoPrivateKey() =>
        new("This is the public half of a key: only its owner has the private one.");

    // BouncyCastle adds the public key to those of Edwards curves (version 2 of RFC 5958), which OpenSSL 3.0 and others do not read.
    private static PrivateKeyInfo PrivateKeyInfoOf(AsymmetricKeyParameter privateKey) => privateKey is Ed25519PrivateKeyParameters ed
        ? new PrivateKeyInfo(new AlgorithmIdentifier(EdECObjectIdentifiers.id_Ed25519), new DerOctetString(ed.GetEncoded()))
        : PrivateKeyInfoFactory.CreatePrivateKeyInfo(privateKey);

    private static AsymmetricKeyParameter PublicOf(AsymmetricKeyParameter privateKey) => privateKey switch
    {
        ECPrivateKeyParameters { PublicKeyParamSet: { } curve } ec =>
            new ECPublicKeyParameters("ECDSA", ec.Parameters.G.Multiply(ec.D).Normalize(), curve),
        ECPrivateKeyParameters ec => new ECPublicKeyParameters("ECDSA", ec.Parameters.G.Multiply(ec.D).Normalize(), ec.Parameters),
        RsaPrivateCrtKeyParameters rsa => new RsaKeyParameters(false, rsa.Modulus, rsa.PublicExponent),
        Ed25519PrivateKeyParameters ed => ed.GeneratePublicKey(),
        MLDsaPrivateKeyParameters mlDsa => mlDsa.GetPublicKey(),
        _ => throw new ArgumentException($"{privateKey.GetType().Name} is not a key that this kit knows.", nameof(privateKey)),
    };
}
