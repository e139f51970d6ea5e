using System.Collections.Immutable;
using System.Net.Security;
using MutualAuth.Certificates;
using MutualAuth.Collections;

namespace MutualAuth.Platforms;

/// <summary>
/// What the platform beneath a server or client may be at most: <c>RequirePlatform = PlatformRequirements.Fapi</c>. Where it is more, or cannot be
/// told, the server or client is not made.
/// </summary>
/// <remarks>
/// It judges what the process puts on the wire, which OpenSSL's configuration decides: <c>mutualauth config openssl --profile fapi</c> prints one
/// that meets <see cref="Fapi"/>, and so on. Certificates are judged by <see cref="Paths.ValidationProfile"/>. Immutable; compared by what it
/// requires.
/// </remarks>
public sealed record PlatformRequirements
{
    private EquatableArray<TlsCipherSuite> _cipherSuites = new([]);
    private EquatableArray<KeyExchangeGroup> _groups = new([]);
    private EquatableArray<TlsSignatureScheme> _schemes = new([]);

    private static readonly ImmutableArray<KeyExchangeGroup> s_notFinite =
    [
        .. Enum.GetValues<KeyExchangeGroup>().Where(group => group is < KeyExchangeGroup.Ffdhe2048 or > KeyExchangeGroup.Ffdhe8192),
    ];

    // The other two of TLS 1.3 are for small devices. The four of TLS 1.2 are those of RFC 9325 §4.2.
    private static readonly ImmutableArray<TlsCipherSuite> s_suites13 =
    [
        TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256, TlsCipherSuite.TLS_AES_128_GCM_SHA256,
    ];

    private static readonly ImmutableArray<TlsCipherSuite> s_rfc9325 =
    [
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ];

    // With SHA-2 of 256 bits or more, and what hashes by itself.
    private static readonly ImmutableArray<TlsSignatureScheme> s_modernSchemes =
    [
        .. Enum.GetValues<TlsSignatureScheme>().Where(scheme => scheme is >= TlsSignatureScheme.RsaPkcs1Sha256
            and not (TlsSignatureScheme.DsaSha256 or TlsSignatureScheme.DsaSha384 or TlsSignatureScheme.DsaSha512)),
    ];

    /// <summary>
    /// What the configuration <c>default</c> (docs/security/openssl-strict.cnf) leaves: TLS 1.2 and 1.3, elliptic curves and hybrids, authenticated
    /// encryption with forward secrecy, no sessions, no key logging.
    /// </summary>
    public static PlatformRequirements Default { get; } = new()
    {
        Name = "default",
        CipherSuites =
        [
            .. s_suites13, .. s_rfc9325, TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
            TlsCipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        ],
        KeyExchangeGroups = s_notFinite,
        NoSessions = true,
    };

    /// <summary>
    /// The Financial-grade API (FAPI 2.0 Security Profile §5.2): TLS 1.2 with the four suites of RFC 9325 §4.2, or TLS 1.3. Elliptic curves and
    /// hybrids alone, signatures with SHA-256 or stronger.
    /// </summary>
    public static PlatformRequirements Fapi { get; } = new()
    {
        Name = "fapi",
        CipherSuites = [.. s_suites13, .. s_rfc9325],
        KeyExchangeGroups = s_notFinite,
        SignatureSchemes = s_modernSchemes,
    };

    /// <summary>
    /// CNSA 1.0 for TLS (RFC 9151): AES-256 with SHA-384, P-384, signatures with SHA-384. Of what it permits, finite fields are left out, as
    /// servers of this library do not compute in them.
    /// </summary>
    public static PlatformRequirements Cnsa1 { get; } = new()
    {
        Name = "cnsa-1.0",
        CipherSuites = AlgorithmSuite.Cnsa1.CipherSuites,
        KeyExchangeGroups = [KeyExchangeGroup.Secp384r1],
        SignatureSchemes =
        [
            TlsSignatureScheme.EcdsaSecp384r1Sha384, TlsSignatureScheme.RsaPssPssSha384, TlsSignatureScheme.RsaPssRsaeSha384,
            TlsSignatureScheme.RsaPkcs1Sha384,
        ],
    };

    /// <summary>
    /// CNSA 2.0 for TLS: TLS 1.3, AES-256 with SHA-384, ML-KEM-1024, ML-DSA-87. It needs OpenSSL 3.5 or later; on an earlier one nothing
    /// meets it.
    /// </summary>
    public static PlatformRequirements Cnsa2 { get; } = new()
    {
        Name = "cnsa-2.0",
        MinimumTlsVersion = TlsVersion.Tls13,
        CipherSuites = AlgorithmSuite.Cnsa2.CipherSuites,
        KeyExchangeGroups = AlgorithmSuite.Cnsa2.KeyExchangeGroups,
        SignatureSchemes = [TlsSignatureScheme.MLDsa87],
    };

    /// <summary>Those that have a name: <see cref="Default"/>, <see cref="Fapi"/>, <see cref="Cnsa1"/> and <see cref="Cnsa2"/>.</summary>
    public static ImmutableArray<PlatformRequirements> Named { get; } = [Default, Fapi, Cnsa1, Cnsa2];

    /// <summary>Its name in logs, exceptions and commands. Default: <c>custom</c>.</summary>
    public string Name { get; init; } = "custom";

    /// <summary>The lowest TLS version that may be offered or answered. Default: <see cref="TlsVersion.Tls12"/>.</summary>
    public TlsVersion MinimumTlsVersion { get; init; } = TlsVersion.Tls12;

    /// <summary>The cipher suites that may be offered or answered. Default: empty, any.</summary>
    public ImmutableArray<TlsCipherSuite> CipherSuites
    {
        get => _cipherSuites.Items;
        init => _cipherSuites = new(value);
    }

    /// <summary>The groups that may be offered or answered. Default: empty, any.</summary>
    public ImmutableArray<KeyExchangeGroup> KeyExchangeGroups
    {
        get => _groups.Items;
        init => _groups = new(value);
    }

    /// <summary>The signatures that peers may be told to use, and that our servers may use. Default: empty, any.</summary>
    public ImmutableArray<TlsSignatureScheme> SignatureSchemes
    {
        get => _schemes.Items;
        init => _schemes = new(value);
    }

    /// <summary>Whether the platform must give and take no sessions at all. Default: false, as the library uses none.</summary>
    public bool NoSessions { get; init; }

    /// <summary>Whether OpenSSL's algorithms must come from a FIPS provider alone. Default: false.</summary>
    public bool Fips { get; init; }

    /// <summary>
    /// Lets the process write the keys of its connections to a file, for a debugging session. Default: false.
    /// </summary>
    public bool DangerousAllowKeyLogging { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>What is wrong with it.</summary>
    internal IEnumerable<string> Problems()
    {
        if (string.IsNullOrWhiteSpace(Name) || Name.Length > 64 || Name.Any(char.IsControl))
        {
            yield return $"{nameof(PlatformRequirements)}.{nameof(Name)} must have 1 to 64 characters, and no control characters.";
        }

        if (!Enum.IsDefined(MinimumTlsVersion))
        {
            yield return $"{nameof(PlatformRequirements)}.{nameof(MinimumTlsVersion)} must be TLS 1.2 or 1.3; it is {MinimumTlsVersion}.";
        }

        if (CipherSuites.IsDefault || KeyExchangeGroups.IsDefault || SignatureSchemes.IsDefault)
        {
            yield return $"{nameof(CipherSuites)}, {nameof(KeyExchangeGroups)} and {nameof(SignatureSchemes)} of {nameof(PlatformRequirements)} "
                + "must be set; leave them empty for any.";
        }
    }
}
