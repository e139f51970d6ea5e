using System.Net;
using System.Numerics;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Testing.Building;

namespace MutualAuth.Testing;

/// <summary>The content of a certificate. Change anything with <c>with</c>; nothing is checked, so that wrong certificates can be made too.</summary>
/// <remarks>Immutable. The authority fills in what fits the kind of certificate, and the dates from its clock.</remarks>
public sealed record CertificateSpec
{
    private readonly DateTimeOffset? _notBefore;
    private readonly DateTimeOffset? _notAfter;

    /// <summary>The subject in the string form of RFC 4514, such as <c>CN=client.test,O=Example</c>; empty for an empty subject.</summary>
    public string Subject { get; init; } = string.Empty;

    /// <summary>The subject in DER, for what a string cannot say; it wins over <see cref="Subject"/>.</summary>
    public ReadOnlyMemory<byte>? RawSubject { get; init; }

    /// <summary>The issuer in the string form of RFC 4514; null for the subject of the authority that signs.</summary>
    public string? Issuer { get; init; }

    /// <summary>The serial number; null for sixteen random octets. Zero and negative numbers are written as they are.</summary>
    public BigInteger? SerialNumber { get; init; }

    /// <summary>
    /// Begin of validity, to the second. Default: a day before the authority's now, which stands here as soon as an authority has seen the
    /// specification; before that, a specification that you make yourself says <see cref="DateTimeOffset.MinValue"/>.
    /// </summary>
    public DateTimeOffset NotBefore { get => _notBefore ?? default; init => _notBefore = value; }

    /// <summary>
    /// End of validity, to the second. Default: thirty days after the authority's now; ten years for a root, five for an intermediate. It stands
    /// here from when <see cref="NotBefore"/> does.
    /// </summary>
    public DateTimeOffset NotAfter { get => _notAfter ?? default; init => _notAfter = value; }

    /// <summary>The version, 1 to 3; null writes 3. Extensions are written whatever it is.</summary>
    public int? Version { get; init; }

    /// <summary>The kind of key to make. Default: ECDSA on P-256.</summary>
    public KeyAlgorithm KeyAlgorithm { get; init; } = KeyAlgorithm.EcdsaP256;

    /// <summary>A key to use in place of a new one: the same key in two certificates, a shared RSA key.</summary>
    public TestKey? Key { get; init; }

    /// <summary>A SubjectPublicKeyInfo in DER to write in place of the key's own. Such a certificate does not fit its key.</summary>
    public ReadOnlyMemory<byte>? RawPublicKey { get; init; }

    /// <summary>DNS names of the subject alternative name.</summary>
    public IReadOnlyList<string> DnsNames { get; init; } = [];

    /// <summary>IP addresses of the subject alternative name.</summary>
    public IReadOnlyList<IPAddress> IPAddresses { get; init; } = [];

    /// <summary>URIs of the subject alternative name.</summary>
    public IReadOnlyList<string> Uris { get; init; } = [];

    /// <summary>E-mail addresses of the subject alternative name.</summary>
    public IReadOnlyList<string> EmailAddresses { get; init; } = [];

    /// <summary>Names of every other form (or of any form, in an order of your own); they follow the others.</summary>
    public IReadOnlyList<GeneralName> OtherNames { get; init; } = [];

    /// <summary>
    /// Whether the subject alternative name is critical, as RFC 5280 §4.2.1.6 asks when the subject is empty. Default: exactly then.
    /// </summary>
    public bool? NamesCritical { get; init; }

    /// <summary>Basic constraints; null leaves them out.</summary>
    public BasicConstraints? BasicConstraints { get; init; }

    /// <summary>Key usage, written critical; null leaves it out.</summary>
    public X509KeyUsageFlags? KeyUsage { get; init; }

    /// <summary>Extended key usages as object identifiers (<see cref="ExtendedKeyUsage"/>), not critical; empty leaves them out.</summary>
    public IReadOnlyList<string> ExtendedKeyUsages { get; init; } = [];

    /// <summary>Name constraints; null leaves them out.</summary>
    public NameConstraints? NameConstraints { get; init; }

    /// <summary>Certificate policies as object identifiers; empty leaves them out.</summary>
    public IReadOnlyList<string> Policies { get; init; } = [];

    /// <summary>Subject key identifier. Default: computed, of the public key that is written.</summary>
    public KeyIdentifier SubjectKeyIdentifier { get; init; } = KeyIdentifier.Computed;

    /// <summary>Authority key identifier. Default: that of the key that signs; absent on roots.</summary>
    public KeyIdentifier AuthorityKeyIdentifier { get; init; } = KeyIdentifier.Computed;

    /// <summary>The addresses of CRLs, one distribution point each (RFC 5280 §4.2.1.13).</summary>
    public IReadOnlyList<string> CrlDistributionPoints { get; init; } = [];

    /// <summary>The address of an OCSP responder (RFC 5280 §4.2.2.1).</summary>
    public IReadOnlyList<string> OcspUris { get; init; } = [];

    /// <summary>The address of the issuer's certificate (AIA <c>caIssuers</c>, RFC 5280 §4.2.2.1).</summary>
    public IReadOnlyList<string> IssuerUris { get; init; } = [];

    /// <summary>Extensions of your own, written after the others, duplicates included.</summary>
    public IReadOnlyList<CertificateExtension> Extensions { get; init; } = [];

    /// <summary>The signature algorithm; null for the usual one of the key that signs.</summary>
    public SignatureAlgorithm? SignatureAlgorithm { get; init; }

    /// <summary>The algorithm that the signed part names, when it shall differ from the outer one (RFC 5280 §4.1.1.2 forbids it).</summary>
    public SignatureAlgorithm? InnerSignatureAlgorithm { get; init; }

    /// <summary>A key to sign with in place of the authority's: a forgery.</summary>
    public TestKey? SigningKey { get; init; }

    /// <summary>Flips one bit of the signature.</summary>
    public bool CorruptSignature { get; init; }

    /// <summary>Rewrites the TBSCertificate, in DER, before it is signed; null leaves it alone.</summary>
    public Func<byte[], byte[]>? RewriteTbs { get; init; }

    /// <summary>Rewrites the whole certificate, in DER, after it is signed; null leaves it alone.</summary>
    public Func<byte[], byte[]>? RewriteCertificate { get; init; }

    /// <summary>The same with the dates that were left open.</summary>
    internal CertificateSpec DatedAt(DateTimeOffset now) =>
        this with { NotBefore = _notBefore ?? now.ShiftDays(-1), NotAfter = _notAfter ?? now.ShiftDays(30) };
}
