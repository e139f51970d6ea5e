using System.Collections.Immutable;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Asn1;

namespace MutualAuth.Paths;

/// <summary>Which rules a path must keep beyond those that always hold.</summary>
/// <remarks>
/// Signatures, validity, authority and path length, name constraints, policies and critical extensions are checked under every profile,
/// and nothing here switches them off. Change a profile with <c>with</c>. Immutable and safe to share.
/// </remarks>
public sealed record ValidationProfile
{
    private ValidationProfile()
    {
    }

    /// <summary>
    /// The default: private authorities. The EKU for the role is required explicitly, a CA certificate is not accepted as a leaf, and
    /// slips of form and of encoding that carry no risk, such as a missing key identifier or a default that is written out, are let pass
    /// because the tools that authorities are run with make them.
    /// </summary>
    public static ValidationProfile MutualTls { get; } = new();

    /// <summary>
    /// The RFC 5280 profile to the letter: what a conforming authority must put into certificates is required of them, and what the RFC
    /// leaves open (a purpose that is not named, an authority as the end of a path) is let pass.
    /// </summary>
    public static ValidationProfile Rfc5280 { get; } = new()
    {
        Form = CertificateForm.Rfc5280,
        Purpose = PurposeRule.UnlessContradicted,
        Leaf = LeafRule.AnyCertificate,
        LeafKeyUsage = X509KeyUsageFlags.None,
    };

    /// <summary>
    /// Public authorities: <see cref="Rfc5280"/> together with the CA/Browser Forum's Baseline Requirements for what a verifier can see.
    /// </summary>
    public static ValidationProfile WebPki { get; } = new() { Form = CertificateForm.WebPki };

    /// <summary>How far the form of certificates is held against them. Default <see cref="CertificateForm.Tolerant"/>.</summary>
    public CertificateForm Form { get; init; }

    /// <summary>What the extended key usage of the peer's certificate must say. Default <see cref="PurposeRule.Required"/>.</summary>
    public PurposeRule Purpose { get; init; }

    /// <summary>What may stand at the end of a path. Default <see cref="LeafRule.EndEntity"/>.</summary>
    public LeafRule Leaf { get; init; }

    /// <summary>
    /// The usages that the peer's key must have where its certificate lists usages (RFC 5280 §4.2.1.3). Default
    /// <see cref="X509KeyUsageFlags.DigitalSignature"/>, which every handshake of TLS 1.3 and every ephemeral one of TLS 1.2 needs.
    /// </summary>
    public X509KeyUsageFlags LeafKeyUsage { get; init; } = X509KeyUsageFlags.DigitalSignature;

    /// <summary>How many authorities may stand between the peer and the anchor; self-issued ones do not count. 0 to 32, default 8.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is outside these bounds.</exception>
    public int MaxIntermediates
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 32);
            field = value;
        }
    } = 8;

    /// <summary>The shortest RSA modulus, in bits. 2,048 to 8,192, default 2,048. Longer than 8,192 is refused always, for what it costs.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is outside these bounds.</exception>
    public int MinimumRsaBits
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 2048);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 8192);
            field = value;
        }
    } = 2048;

    /// <summary>The smallest elliptic curve: 256, 384 or 521 bits, default 256.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is none of the three.</exception>
    public int MinimumCurveBits
    {
        get;
        init => field = value is 256 or 384 or 521 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "256, 384 or 521.");
    } = 256;

    /// <summary>The shortest hash of a signature: 256, 384 or 512 bits of SHA-2, default 256.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is none of the three.</exception>
    public int MinimumHashBits
    {
        get;
        init => field = value is 256 or 384 or 512 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "256, 384 or 512.");
    } = 256;

    /// <summary>
    /// The certificate policies, as dotted identifiers, of which the whole path must be good for at least one (RFC 5280 §6.1.1 (c), RFC
    /// 9618). <c>2.5.29.32.0</c>, anyPolicy, stands for any: a policy is then needed, whichever it is. Empty, the default: any will do, and none is
    /// needed unless an authority in the path requires one.
    /// </summary>
    /// <exception cref="ArgumentException">One is not a dotted object identifier.</exception>
    public ImmutableArray<string> RequiredPolicies
    {
        get;
        init => field = !value.IsDefault && value.All(policy => Oids.FromDotted(policy) is not null)
            ? value
            : throw new ArgumentException("A certificate policy is a dotted object identifier, such as 1.3.6.1.4.1.99999.1.", nameof(value));
    } = [];

    /// <summary>How much work one peer's certificates may cause.</summary>
    public ValidationBudget Budget { get; init; } = new();
}

/// <summary>How far the form of a certificate is held against it, where no rule of path validation depends on it.</summary>
public enum CertificateForm
{
    /// <summary>
    /// Slips of form are let pass: key identifiers missing, extensions critical or not against the rule, odd serial numbers, and encodings that are
    /// not DER to the letter and mean the same (X.690 §11): defaults written out, either type of time, zero bits behind the last one, lists of
    /// nothing, sets out of order.
    /// </summary>
    Tolerant = 0,

    /// <summary>What RFC 5280 demands of conforming authorities is demanded.</summary>
    Rfc5280 = 1,

    /// <summary>That, and the profile of the CA/Browser Forum's Baseline Requirements.</summary>
    WebPki = 2,
}

/// <summary>What the extended key usage of the peer's own certificate must say (RFC 5280 §4.2.1.12).</summary>
public enum PurposeRule
{
    /// <summary>It names the purpose of the peer's role: clientAuth or serverAuth. anyExtendedKeyUsage does not do.</summary>
    Required = 0,

    /// <summary>It is absent, names the purpose, or allows any.</summary>
    UnlessContradicted = 1,
}

/// <summary>What may stand at the end of a path.</summary>
public enum LeafRule
{
    /// <summary>An end entity's certificate only.</summary>
    EndEntity = 0,

    /// <summary>An authority's certificate too, as RFC 5280 allows: the holder of an issuing key can then act as a peer of that name.</summary>
    AnyCertificate = 1,
}
