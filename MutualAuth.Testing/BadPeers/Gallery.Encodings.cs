using System.Net;

namespace MutualAuth.Testing.BadPeers;

public static partial class Gallery
{
    private const string Form = "RFC 5280 §4.1; X.690";

    /// <summary>A critical extension that is not known.</summary>
    public static BadPeer UnknownCriticalExtension { get; } = BadPeer.Leaf(
        RejectionReason.UnknownCriticalExtension,
        "RFC 5280 §4.2",
        "Its certificate carries a critical extension that no software knows: it may well say that the certificate is good for nothing.",
        (spec, _) => spec with { Extensions = [CertificateExtension.UnknownCritical] },
        (spec, _) => spec with { Extensions = [CertificateExtension.UnknownCritical with { Critical = false }] });

    /// <summary>Beneath an intermediate with such an extension.</summary>
    public static BadPeer UnknownCriticalExtensionAbove { get; } = BadPeer.Under(
        RejectionReason.UnknownCriticalExtension,
        "RFC 5280 §4.2, §6.1.4 (o)",
        "Its intermediate carries a critical extension that no software knows.",
        (spec, _) => spec with { Extensions = [CertificateExtension.UnknownCritical] },
        (spec, _) => spec with { Extensions = [CertificateExtension.UnknownCritical with { Critical = false }] });

    /// <summary>One extension twice.</summary>
    public static BadPeer DuplicateExtension { get; } = BadPeer.Leaf(
        RejectionReason.CertificateMalformed,
        "RFC 5280 §4.2",
        "Its certificate carries the extended key usage twice, so that two readers can see two purposes.",
        (spec, scene) => spec with { Extensions = [new CertificateExtension("2.5.29.37", false, UsageDer(scene.Usage))] });

    /// <summary>Extensions in a certificate of version 1.</summary>
    public static BadPeer ExtensionsInVersionOne { get; } = BadPeer.Leaf(
        RejectionReason.CertificateMalformed,
        "RFC 5280 §4.1.2.1, §4.1.2.9",
        "Its certificate says that it is of version 1, and carries extensions.",
        (spec, _) => spec with { Version = 1 }).With(demand: RequiredCheck.StrictEncoding);

    /// <summary>Two signature algorithms.</summary>
    public static BadPeer SignatureAlgorithmsDisagree { get; } = BadPeer.Leaf(
        RejectionReason.CertificateMalformed,
        "RFC 5280 §4.1.1.2",
        "The signed part of its certificate names another signature algorithm than the unsigned part, which any attacker can change.",
        (spec, _) => spec with { InnerSignatureAlgorithm = SignatureAlgorithm.EcdsaSha512 });

    /// <summary>Cut off.</summary>
    public static BadPeer TruncatedCertificate { get; } = BadPeer.Leaf(
        RejectionReason.CertificateMalformed,
        Form,
        "The last ten octets of its certificate are missing.",
        (spec, _) => spec with { RewriteCertificate = der => der[..^10] });

    /// <summary>With something behind it.</summary>
    public static BadPeer TrailingOctets { get; } = BadPeer.Leaf(
        RejectionReason.CertificateMalformed,
        Form,
        "Two octets follow its certificate: another file of the same peer.",
        (spec, _) => spec with { RewriteCertificate = der => [.. der, 0x05, 0x00] }).With(demand: RequiredCheck.StrictEncoding);

    /// <summary>A length that takes more octets than it needs.</summary>
    public static BadPeer LengthNotMinimal { get; } = BadPeer.Leaf(
        RejectionReason.CertificateMalformed,
        Form + " §10.1",
        "The length of its signed part is written with a zero in front: BER, not DER, and so another fingerprint for the same content.",
        (spec, _) => spec with { RewriteTbs = tbs => [0x30, 0x83, 0x00, .. tbs[2..]] }).With(
            "Deny lists by fingerprint that BER walks around", demand: RequiredCheck.StrictEncoding);

    /// <summary>A usage where no bit is.</summary>
    public static BadPeer UsageBehindTheEnd { get; } = BadPeer.Leaf(
        RejectionReason.CertificateMalformed,
        Form + " §11.2.1",
        "Its key usage has a one behind the end of its bits, so that some readers see a second usage and others do not.",
        (spec, _) => spec with { KeyUsage = null, Extensions = [new("2.5.29.15", true, new byte[] { 0x03, 0x02, 0x07, 0xc0 })] }).With(
            demand: RequiredCheck.StrictEncoding);

    /// <summary>An address of five octets.</summary>
    public static BadPeer AddressOfFiveOctets { get; } = BadPeer.Leaf(
        RejectionReason.CertificateMalformed,
        "RFC 5280 §4.2.1.6",
        "Its certificate carries an IP address of five octets.",
        (spec, _) => spec with { OtherNames = [GeneralName.Raw(7, new byte[] { 192, 0, 2, 1, 0 })] },
        (spec, _) => spec with { IPAddresses = [IPAddress.Parse("192.0.2.1")] }).With(demand: RequiredCheck.StrictEncoding);

    /// <summary>Random octets.</summary>
    public static BadPeer Garbage { get; } = BadPeer.Leaf(
        RejectionReason.CertificateMalformed,
        Form,
        "It sends octets that mean nothing in place of a certificate.",
        (spec, _) => spec with { RewriteCertificate = der => [.. der.Select(octet => (byte)(octet ^ 0x5a))] });

    /// <summary>A CRL where a certificate should be.</summary>
    public static BadPeer CrlInPlaceOfCertificate { get; } = BadPeer.Leaf(
        RejectionReason.CertificateMalformed,
        Form,
        "It sends the authority's revocation list in place of a certificate.",
        (spec, scene) => spec with { RewriteCertificate = _ => scene.Root.IssueCrl().Raw.ToArray() });

    /// <summary>A date that is none.</summary>
    public static BadPeer ImpossibleDate { get; } = BadPeer.Leaf(
        RejectionReason.CertificateMalformed,
        "RFC 5280 §4.1.2.5.1",
        "Its certificate ends on the thirty-ninth of a month.",
        (spec, _) => spec with
        {
            NotAfter = new DateTimeOffset(2049, 3, 29, 12, 0, 0, TimeSpan.Zero),
            RewriteTbs = tbs => Replace(tbs, "490329120000Z"u8.ToArray(), "490339120000Z"u8.ToArray()),
        },
        (spec, _) => spec with { NotAfter = new DateTimeOffset(2049, 3, 29, 12, 0, 0, TimeSpan.Zero) });

    private static IEnumerable<BadPeer> Encodings =>
    [
        UnknownCriticalExtension,
        UnknownCriticalExtensionAbove,
        DuplicateExtension,
        ExtensionsInVersionOne,
        SignatureAlgorithmsDisagree,
        TruncatedCertificate,
        TrailingOctets, LengthNotMinimal, UsageBehindTheEnd, AddressOfFiveOctets, Garbage, CrlInPlaceOfCertificate, ImpossibleDate,
    ];

    private static byte[] UsageDer(string oid) =>
        new Org.BouncyCastle.Asn1.DerSequence(new Org.BouncyCastle.Asn1.DerObjectIdentifier(oid)).GetDerEncoded();
}
