using System.Security.Cryptography.X509Certificates;

namespace MutualAuth.Testing.BadPeers;

public static partial class Gallery
{
    private const string BasicConstraintsRule = "RFC 5280 §4.2.1.9";

    /// <summary>Issued by an authority that is not known here.</summary>
    public static BadPeer UnknownAuthority { get; } = new BadPeer(
        RejectionReason.UnknownAuthority,
        "RFC 5280 §6.1",
        "Everything in its certificate is right, but an authority that the judge does not trust has issued it.",
        scene => (scene.Leaf(issuer: scene.Stranger()), scene.Leaf())).With("DigiNotar, 2011: good names, wrong hands");

    /// <summary>Issued by an authority with the trusted one's name and another key.</summary>
    public static BadPeer LookAlikeAuthority { get; } = new BadPeer(
        RejectionReason.UnknownAuthority,
        "RFC 5280 §6.1.3 (a)(1)",
        "Its issuer has the trusted root's very name, and a key of its own: a judge that finds roots by name alone accepts it.",
        scene => (scene.Leaf(issuer: scene.Stranger(spec => spec with { Subject = scene.Root.AsCertificate.Spec.Subject })), scene.Leaf()));

    /// <summary>The look-alike, which sends its own root along.</summary>
    public static BadPeer LookAlikeAuthoritySent { get; } = new BadPeer(
        RejectionReason.SignatureInvalid,
        "RFC 5280 §6.1",
        "As the look-alike, but it sends its false root along: a judge that trusts what is sent, or allows an unknown authority and "
            + "compares names, accepts it.",
        scene =>
        {
            var stranger = scene.Stranger(spec => spec with { Subject = scene.Root.AsCertificate.Spec.Subject });
            return (scene.WithChain(scene.Leaf(issuer: stranger), stranger.AsCertificate.RawCertificate), scene.Leaf());
        }).With("The widespread recipe of AllowUnknownCertificateAuthority with an extra store (MQTTnet 1228)");

    /// <summary>Vouches for itself.</summary>
    public static BadPeer SelfSignedLeaf { get; } = new BadPeer(
        RejectionReason.UnknownAuthority,
        "RFC 5280 §6.1",
        "It has signed its certificate itself, with the right name and usage in it.",
        scene => (scene.Stranger(spec => SelfSigned(spec, scene)).AsCertificate, scene.Leaf()));

    /// <summary>Lacks the certificate in the middle.</summary>
    public static BadPeer MissingIntermediate { get; } = new BadPeer(
        RejectionReason.UnknownAuthority,
        "RFC 8446 §4.4.2",
        "It sends its certificate without the intermediate, and names an address to fetch it from. No judge may fetch from where a stranger says.",
        scene =>
        {
            var intermediate = scene.Intermediate();
            var good = scene.Leaf(issuer: intermediate);
            return (scene.WithChain(scene.Leaf(spec => spec with { IssuerUris = [scene.Trap] }, intermediate)), good);
        }).With("Validators that fetch AIA addresses for unauthenticated peers (dotnet/runtime 26061)");

    /// <summary>Sends an intermediate that is not its own.</summary>
    public static BadPeer ForeignIntermediate { get; } = new BadPeer(
        RejectionReason.UnknownAuthority,
        "RFC 8446 §4.4.2",
        "It sends a good intermediate of the trusted root, but another one than has issued its certificate.",
        scene =>
        {
            var intermediate = scene.Intermediate();
            var good = scene.Leaf(issuer: intermediate);
            return (scene.WithChain(good, scene.Intermediate(name: "Another Intermediate").AsCertificate.RawCertificate), good);
        });

    /// <summary>The trusted root itself, as a peer.</summary>
    public static BadPeer RootAsLeaf { get; } = new BadPeer(
        RejectionReason.CertificateAuthorityAsLeaf,
        BasicConstraintsRule,
        "It presents the trusted root's own certificate and holds its key: an issuing key is no peer's identity.",
        scene => (scene.WithChain(scene.Root.AsCertificate), scene.Leaf())).With(
            "Platform validators that take a trust anchor for a client", demand: RequiredCheck.StrictProfile);

    /// <summary>An intermediate, as a peer.</summary>
    public static BadPeer IntermediateAsLeaf { get; } = BadPeer.Leaf(
        RejectionReason.CertificateAuthorityAsLeaf,
        BasicConstraintsRule,
        "Its certificate has the right name and usage, and is an authority's: its holder can issue certificates at will.",
        (spec, _) => spec with { BasicConstraints = new BasicConstraints(true) }).With(
            "TURKTRUST, 2012: two customers got certificates of intermediates", demand: RequiredCheck.StrictProfile);

    /// <summary>Issued by a good peer, which is no authority.</summary>
    public static BadPeer LeafIssuedByLeaf { get; } = BadPeer.Under(
        RejectionReason.IssuerNotAuthority,
        BasicConstraintsRule + ", §6.1.4 (k)",
        "A peer with a good certificate has used its key to issue another one.",
        (spec, scene) => scene.Good(spec) with
        {
            Subject = scene.CommonName,
            BasicConstraints = new BasicConstraints(false),
            KeyUsage = X509KeyUsageFlags.DigitalSignature,
        }).With("CVE-2002-0862, CVE-2011-0228, CVE-2015-1793");

    /// <summary>Beneath an intermediate without basic constraints.</summary>
    public static BadPeer IntermediateWithoutBasicConstraints { get; } = BadPeer.Under(
        RejectionReason.IssuerNotAuthority,
        BasicConstraintsRule + ", §6.1.4 (k)",
        "The intermediate may sign certificates by its key usage, and does not say that it is an authority.",
        (spec, _) => spec with { BasicConstraints = null }).With("CVE-2002-0862");

    /// <summary>Beneath an intermediate of version 1.</summary>
    public static BadPeer VersionOneIntermediate { get; } = BadPeer.Under(
        RejectionReason.IssuerNotAuthority,
        "RFC 5280 §6.1.4 (k)",
        "The intermediate is of version 1, which has no extensions and so cannot say whether it is an authority.",
        (spec, _) => Bare(spec) with { Version = 1 }).With("CVE-2014-1959");

    /// <summary>Beneath an intermediate whose key may not sign certificates.</summary>
    public static BadPeer IntermediateWithoutCertSign { get; } = BadPeer.Under(
        RejectionReason.IssuerNotAuthority,
        "RFC 5280 §4.2.1.3, §6.1.4 (n)",
        "The intermediate is an authority, whose key may sign revocation lists only.",
        (spec, _) => spec with { KeyUsage = X509KeyUsageFlags.CrlSign });

    /// <summary>One intermediate too many for the one above it.</summary>
    public static BadPeer PathLengthExceeded { get; } = new BadPeer(
        RejectionReason.PathTooLong,
        BasicConstraintsRule + ", §6.1.4 (l)",
        "An intermediate that may issue to peers only (path length 0) has made another intermediate.",
        scene =>
        {
            var wrong = scene.Intermediate(
                issuer: scene.Intermediate(spec => spec with { BasicConstraints = new BasicConstraints(true, 0) }), name: "Lower");
            var right = scene.Intermediate(
                issuer: scene.Intermediate(spec => spec with { BasicConstraints = new BasicConstraints(true, 1) }), name: "Lower");
            return (scene.Leaf(issuer: wrong), scene.Leaf(issuer: right));
        });

    /// <summary>An endless row of intermediates.</summary>
    public static BadPeer PathTooDeep { get; } = new BadPeer(
        RejectionReason.PathTooLong,
        "RFC 5280 §6.1; a bound of the implementation",
        "Twelve intermediates stand between it and the root, each right in itself.",
        scene => (
            scene.Leaf(
                issuer: Enumerable.Range(1, 12).Aggregate((TestAuthority?)null, (above, n) => scene.Intermediate(issuer: above, name: $"Deep {n}"))),
            scene.Leaf(issuer: scene.Intermediate(issuer: scene.Intermediate(), name: "Lower")))).With(demand: RequiredCheck.Bounds);

    /// <summary>A chain of another root, with a pinned certificate thrown in.</summary>
    public static BadPeer PinnedCertificateAppendedToForeignChain { get; } = new BadPeer(
        RejectionReason.PinMismatch,
        "RFC 7469 §2.6",
        "A trusted authority has issued its certificate, but not for the pinned key. It sends the pinned certificate along, where it is no "
            + "part of the path.",
        scene =>
        {
            var good = scene.Leaf();
            scene.Pins.Add(BadPeerBuilder.PinOf(good.Key));
            return (scene.WithChain(scene.Leaf(), good.RawCertificate), good);
        }).With("CVE-2016-2402", RequiredCheck.Pins);

    /// <summary>Presents nothing.</summary>
    public static BadPeer NoCertificate { get; } = new BadPeer(
        RejectionReason.NoCertificate,
        "RFC 8446 §4.4.2.4",
        "It answers the request for a certificate with an empty list, as the protocol allows.",
        scene => (null, scene.Leaf())).With("Servers that ask for certificates and do not require them", onlyAs: PeerRole.Client);

    private static IEnumerable<BadPeer> Authorities =>
    [
        UnknownAuthority, LookAlikeAuthority, LookAlikeAuthoritySent, SelfSignedLeaf, MissingIntermediate, ForeignIntermediate, RootAsLeaf,
        IntermediateAsLeaf,
        LeafIssuedByLeaf, IntermediateWithoutBasicConstraints, VersionOneIntermediate, IntermediateWithoutCertSign, PathLengthExceeded, PathTooDeep,
        PinnedCertificateAppendedToForeignChain, NoCertificate,
    ];

    private static CertificateSpec SelfSigned(CertificateSpec spec, BadPeerBuilder scene) => scene.Good(spec) with
    {
        Subject = scene.CommonName,
        NotAfter = scene.Now.AddDays(30),
        BasicConstraints = new BasicConstraints(false),
        KeyUsage = X509KeyUsageFlags.DigitalSignature,
    };

    private static CertificateSpec Bare(CertificateSpec spec) => spec with
    {
        BasicConstraints = null,
        KeyUsage = null,
        ExtendedKeyUsages = [],
        DnsNames = [],
        Uris = [],
        SubjectKeyIdentifier = KeyIdentifier.Absent,
        AuthorityKeyIdentifier = KeyIdentifier.Absent,
    };
}
