using System.Collections.Immutable;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Asn1;
using MutualAuth.Certificates;
using MutualAuth.Collections;

namespace MutualAuth.Paths;

/// <summary>Which rules a path must satisfy beyond those that always apply.</summary>
/// <remarks>
/// Signatures, validity, authority and path length, name constraints, policies and critical extensions are checked under every profile, and
/// no setting disables them. Change a profile with <c>with</c>. Immutable and safe to share.
/// </remarks>
public sealed record ValidationProfile
{
    private EquatableArray<string> _requiredPolicies = new([]);
    private EquatableArray<string> _handledCriticalExtensions = new([]);

    private ValidationProfile()
    {
    }

    /// <summary>
    /// The default, for private authorities. The extended key usage for the role is required explicitly, a CA certificate is not accepted
    /// as a leaf, and harmless deviations of form and encoding, such as a missing key identifier or an encoded default value, are accepted
    /// because common tools for authorities produce them.
    /// </summary>
    public static ValidationProfile MutualTls { get; } = new();

    /// <summary>
    /// The RFC 5280 profile to the letter: what a conforming authority must put into certificates is required, and what the RFC leaves open
    /// (a purpose that is not named, a CA certificate as a leaf) is accepted.
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

    /// <summary>
    /// <see cref="MutualTls"/> with the algorithms of CNSA 1.0 alone (<see cref="AlgorithmSuite.Cnsa1"/>): ECDSA on P-384, RSA of 3,072 bits or more,
    /// SHA-384. Give the connection <see cref="AlgorithmSuite.CipherSuites"/> and <see cref="AlgorithmSuite.KeyExchangeGroups"/> too.
    /// </summary>
    public static ValidationProfile Cnsa1 { get; } = new() { Algorithms = AlgorithmSuite.Cnsa1 };

    /// <summary>
    /// <see cref="MutualTls"/> with the algorithms of CNSA 2.0 alone (<see cref="AlgorithmSuite.Cnsa2"/>): ML-DSA-87. A platform without ML-DSA
    /// rejects every peer under it. Give the connection <see cref="AlgorithmSuite.CipherSuites"/>, <see cref="AlgorithmSuite.KeyExchangeGroups"/>
    /// and TLS 1.3 too.
    /// </summary>
    public static ValidationProfile Cnsa2 { get; } = new() { Algorithms = AlgorithmSuite.Cnsa2 };

    /// <summary>How strictly the form of certificates is checked. Default <see cref="CertificateForm.Tolerant"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value does not exist.</exception>
    public CertificateForm Form
    {
        get;
        init => field = Defined(value);
    } = CertificateForm.Tolerant;

    /// <summary>What the extended key usage of the peer's certificate must say. Default <see cref="PurposeRule.Required"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value does not exist.</exception>
    public PurposeRule Purpose
    {
        get;
        init => field = Defined(value);
    } = PurposeRule.Required;

    /// <summary>
    /// The longest lifetime of a peer's own certificate, from its first moment to its last: what was issued for longer is rejected, however much
    /// of it is left. More than zero. Default: null, any lifetime.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not more than zero.</exception>
    /// <example>
    /// <code>
    /// var monthly = ValidationProfile.MutualTls with { MaximumLifetime = TimeSpan.FromDays(31) };
    /// </code>
    /// </example>
    public TimeSpan? MaximumLifetime
    {
        get;
        init => field = value is null || value > TimeSpan.Zero
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "More than zero, or null for any lifetime.");
    }

    /// <summary>
    /// How long before its first moment a certificate of the path counts already, where an authority's clock is ahead of ours and issues for the
    /// moment. Zero to one hour. Default: zero, so that the dates hold to the second. The end of a certificate is never moved.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside these bounds.</exception>
    /// <example>
    /// <code>
    /// var patient = ValidationProfile.MutualTls with { NotBeforeTolerance = TimeSpan.FromMinutes(1) };
    /// </code>
    /// </example>
    public TimeSpan NotBeforeTolerance
    {
        get;
        init => field = value >= TimeSpan.Zero && value <= TimeSpan.FromHours(1)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "Zero to one hour.");
    }

    /// <summary>Which certificates are accepted as the end of a path. Default <see cref="LeafRule.EndEntity"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value does not exist.</exception>
    public LeafRule Leaf
    {
        get;
        init => field = Defined(value);
    } = LeafRule.EndEntity;

    /// <summary>
    /// The usages that the peer's key must have if its certificate lists usages (RFC 5280 §4.2.1.3). Default
    /// <see cref="X509KeyUsageFlags.DigitalSignature"/>, which every TLS 1.3 handshake and every ephemeral TLS 1.2 handshake needs.
    /// </summary>
    public X509KeyUsageFlags LeafKeyUsage { get; init; } = X509KeyUsageFlags.DigitalSignature;

    /// <summary>How many authorities may be between the peer and the anchor; self-issued ones do not count. 0 to 32, default 8.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside these bounds.</exception>
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

    /// <summary>
    /// The shortest RSA modulus, in bits. 2,048 to 8,192, default 2,048. A modulus over 8,192 bits is always rejected, because of its cost.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside these bounds.</exception>
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
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the three.</exception>
    public int MinimumCurveBits
    {
        get;
        init => field = value is 256 or 384 or 521 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "256, 384 or 521.");
    } = 256;

    /// <summary>
    /// The algorithms that are prescribed: what is strong enough and not among them is rejected as
    /// <see cref="RejectionReason.AlgorithmNotPermitted"/>, on every certificate of the path; a revocation list or an answer of a responder that is
    /// signed otherwise does not count. Of the anchor, the key counts and not its signature. Default: null, every algorithm that is supported.
    /// </summary>
    public AlgorithmSuite? Algorithms { get; init; }

    /// <summary>
    /// The shortest hash of a signature: 256, 384 or 512 bits of SHA-2, default 256. ML-DSA-44, -65 and -87 count as 256, 384 and 512.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the three.</exception>
    public int MinimumHashBits
    {
        get;
        init => field = value is 256 or 384 or 512 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "256, 384 or 512.");
    } = 256;

    /// <summary>
    /// The certificate policies, as dotted identifiers, of which at least one must be valid for the whole path (RFC 5280 §6.1.1 (c), RFC
    /// 9618). <c>2.5.29.32.0</c>, anyPolicy, means that some policy is needed, whichever it is. Empty, the default: no policy is needed
    /// unless an authority in the path requires one, and then any is accepted.
    /// </summary>
    /// <exception cref="ArgumentException">One of them is not a dotted object identifier.</exception>
    public ImmutableArray<string> RequiredPolicies
    {
        get => _requiredPolicies.Items;
        init => _requiredPolicies = !value.IsDefault && value.All(policy => Oids.FromDotted(policy) is not null)
            ? new(value)
            : throw new ArgumentException("A certificate policy is a dotted object identifier, such as 1.3.6.1.4.1.99999.1.", nameof(value));
    }

    /// <summary>
    /// The critical extensions, as dotted identifiers, that the application judges itself in the certificates of peers, by
    /// <see cref="Authorize.Where"/> or a validator and <see cref="Certificate.FindExtension"/>. Listing one without judging it ignores what its
    /// authority says must not be ignored. In the certificates of authorities they stay unknown. Default: none, so that every critical extension
    /// that this library does not read is a rejection (RFC 5280 §4.2).
    /// </summary>
    /// <exception cref="ArgumentException">One of them is not a dotted object identifier, or is of an extension that is read anyway.</exception>
    /// <example>
    /// <code>
    /// var handling = ValidationProfile.MutualTls with { HandledCriticalExtensions = ["1.3.6.1.4.1.99999.3"] };
    /// </code>
    /// </example>
    public ImmutableArray<string> HandledCriticalExtensions
    {
        get => _handledCriticalExtensions.Items;
        init => _handledCriticalExtensions = !value.IsDefault && value.All(IsLeftToTheApplication)
            ? new(value)
            : throw new ArgumentException(
                "A dotted object identifier, such as 1.3.6.1.4.1.99999.3, of an extension that this library does not read itself.", nameof(value));
    }

    /// <summary>How much work one peer's certificates may cause.</summary>
    public ValidationBudget Budget { get; init; } = new();

    private static bool IsLeftToTheApplication(string extension) =>
        Oids.FromDotted(extension) is { } id && !ExtensionReader.IsKnown(id) && Oids.ToDotted(id) == extension;

    private static T Defined<T>(T value)
        where T : struct, Enum =>
        Enum.IsDefined(value) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"A {typeof(T).Name} that exists.");
}

/// <summary>How strictly the form of a certificate is checked where no rule of path validation depends on it.</summary>
public enum CertificateForm
{
    /// <summary>
    /// Accepts deviations of form: missing key identifiers, extensions whose criticality is against the rule, unusual serial numbers, and
    /// encodings that are not strict DER and mean the same (X.690 §11): encoded default values, either type of time, trailing zero bits,
    /// empty lists, unordered sets.
    /// </summary>
    Tolerant = 1,

    /// <summary>What RFC 5280 requires of conforming authorities is required.</summary>
    Rfc5280 = 2,

    /// <summary>As <see cref="Rfc5280"/>, and also the profile of the CA/Browser Forum's Baseline Requirements.</summary>
    WebPki = 3,
}

/// <summary>What the extended key usage of the peer's own certificate must say (RFC 5280 §4.2.1.12).</summary>
public enum PurposeRule
{
    /// <summary>It must name the purpose of the peer's role: clientAuth or serverAuth. anyExtendedKeyUsage is not sufficient.</summary>
    Required = 1,

    /// <summary>It must be absent, name the purpose, or allow any.</summary>
    UnlessContradicted = 2,

    /// <summary>
    /// As <see cref="Required"/>, but a client whose certificate names serverAuth and not clientAuth is accepted too: public authorities issue no
    /// other certificates any more. The holder of a server's certificate can then act as a client of that name. Only with an authorization rule
    /// that spells out the names of all peers; options with any other rule are rejected. See <c>docs/decisions/0016</c>.
    /// </summary>
    DangerouslyServerAuthForClients = 3,
}

/// <summary>Which certificates are accepted as the end of a path.</summary>
public enum LeafRule
{
    /// <summary>An end entity's certificate only.</summary>
    EndEntity = 1,

    /// <summary>A CA certificate too, as RFC 5280 allows: the holder of an issuing key can then act as a peer of that name.</summary>
    AnyCertificate = 2,
}
