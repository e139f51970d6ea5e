using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Cryptography;

namespace MutualAuth.Certificates;

/// <summary>A closed set of algorithms that a standard prescribes by name: keys and signatures of certificates, groups and cipher suites.</summary>
/// <remarks>
/// <see cref="Paths.ValidationProfile.Algorithms"/> holds the certificates of a path, revocation lists and answers of responders to
/// <see cref="Keys"/> and <see cref="Signatures"/>. <see cref="CipherSuites"/> and <see cref="KeyExchangeGroups"/> are for the options of a
/// connection and for the configuration of OpenSSL: the profile does not apply them. Immutable and safe to share.
/// </remarks>
public sealed class AlgorithmSuite
{
    private readonly Func<PublicKeyInfo, bool> _permitsKey;
    private readonly Func<SignatureScheme, bool> _permitsSignature;

    private AlgorithmSuite(string name, string rule, Func<PublicKeyInfo, bool> permitsKey, Func<SignatureScheme, bool> permitsSignature)
    {
        Name = name;
        Rule = rule;
        _permitsKey = permitsKey;
        _permitsSignature = permitsSignature;
    }

    /// <summary>
    /// CNSA 1.0 (CNSSP 15 of 2016, RFC 8603, RFC 9151): ECDSA on P-384, RSA of 3,072 bits or more with an exponent above 2^16, SHA-384.
    /// </summary>
    /// <example><code>var classical = ValidationProfile.MutualTls with { Algorithms = AlgorithmSuite.Cnsa1 };</code></example>
    public static AlgorithmSuite Cnsa1 { get; } = new(
        "CNSA 1.0",
        "RFC 8603",
        key => key.Kind == PublicKeyKind.P384 || (key.RsaBits >= 3072 && key.HasLargeRsaExponent),
        scheme => scheme.Kind is SignatureKind.Ecdsa or SignatureKind.RsaPkcs1 or SignatureKind.RsaPss && scheme.Hash == HashAlgorithmName.SHA384)
    {
        Keys = ["P-384", "RSA of 3,072 bits or more"],
        Signatures = ["ECDSA with SHA-384", "RSA with SHA-384 (PKCS#1 version 1.5 or PSS)"],
        KeyExchangeGroups =
        [
            KeyExchangeGroup.Secp384r1,
            KeyExchangeGroup.Ffdhe3072,
            KeyExchangeGroup.Ffdhe4096,
            KeyExchangeGroup.Ffdhe6144,
            KeyExchangeGroup.Ffdhe8192,
        ],
        CipherSuites =
        [
            TlsCipherSuite.TLS_AES_256_GCM_SHA384,
            TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        ],
    };

    /// <summary>
    /// CNSA 2.0 (NSA, 2022 and later): ML-DSA-87 and nothing else, so that one classical key or signature on the path is enough for a rejection.
    /// It needs a platform with ML-DSA, and TLS 1.3.
    /// </summary>
    /// <example>
    /// <code>
    /// var quantumSafe = serverOptions with
    /// {
    ///     Profile = ValidationProfile.Cnsa2,
    ///     CipherSuites = AlgorithmSuite.Cnsa2.CipherSuites,
    ///     KeyExchange = KeyExchangePolicy.Only(AlgorithmSuite.Cnsa2.KeyExchangeGroups),
    ///     MinimumTlsVersion = TlsVersion.Tls13,
    /// };
    /// </code>
    /// </example>
    public static AlgorithmSuite Cnsa2 { get; } = new(
        "CNSA 2.0", "CNSA 2.0, RFC 9881", key => key.Kind == PublicKeyKind.MLDsa87, scheme => scheme.Kind == SignatureKind.MLDsa87)
    {
        Keys = ["ML-DSA-87"],
        Signatures = ["ML-DSA-87"],
        KeyExchangeGroups = [KeyExchangeGroup.MLKem1024],
        CipherSuites = [TlsCipherSuite.TLS_AES_256_GCM_SHA384],
    };

    /// <summary>Its name, such as <c>CNSA 2.0</c>.</summary>
    public string Name { get; }

    /// <summary>The keys that it permits, in words.</summary>
    public ImmutableArray<string> Keys { get; private init; }

    /// <summary>The signatures that it permits on certificates, revocation lists and answers of responders, in words.</summary>
    public ImmutableArray<string> Signatures { get; private init; }

    /// <summary>
    /// The groups for key exchange, for <c>KeyExchangePolicy.Only</c>. Servers of this library do not accept those of finite fields; OpenSSL 3.5 does
    /// not offer MLKEM1024 unless its configuration (<c>Groups</c>) says so.
    /// </summary>
    public ImmutableArray<KeyExchangeGroup> KeyExchangeGroups { get; private init; }

    /// <summary>The cipher suites that it permits and this library uses: with forward secrecy alone.</summary>
    public ImmutableArray<TlsCipherSuite> CipherSuites { get; private init; }

    /// <summary>Where its rules stand, for rejections.</summary>
    internal string Rule { get; }

    /// <inheritdoc/>
    public override string ToString() => Name;

    internal bool Permits(PublicKeyInfo key) => _permitsKey(key);

    internal bool Permits(SignatureScheme scheme) => _permitsSignature(scheme);
}
