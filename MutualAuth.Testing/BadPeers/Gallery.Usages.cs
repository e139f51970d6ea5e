using System.Security.Cryptography.X509Certificates;

namespace MutualAuth.Testing.BadPeers;

public static partial class Gallery
{
    private const string ExtendedUsage = "RFC 5280 §4.2.1.12";

    /// <summary>A server that turns its certificate round.</summary>
    public static BadPeer ServerCertificateUsedAsClient { get; } = BadPeer.Leaf(
        RejectionReason.WrongUsage,
        ExtendedUsage,
        "A server uses its certificate, which is for servers only, to log in as a client: one broken web server would open every other door.",
        (spec, _) => spec with { ExtendedKeyUsages = [ExtendedKeyUsage.ServerAuth] }).With(onlyAs: PeerRole.Client);

    /// <summary>A client that poses as a server.</summary>
    public static BadPeer ClientCertificateUsedAsServer { get; } = BadPeer.Leaf(
        RejectionReason.WrongUsage,
        ExtendedUsage,
        "A client uses its certificate, which is for clients only, to pose as a server to its fellows.",
        (spec, _) => spec with { ExtendedKeyUsages = [ExtendedKeyUsage.ClientAuth] }).With(
            "VPN users who could play the gateway, before remote-cert-tls became the advice", onlyAs: PeerRole.Server);

    /// <summary>Does not say what it is for.</summary>
    public static BadPeer NoExtendedKeyUsage { get; } = BadPeer.Leaf(
        RejectionReason.WrongUsage,
        ExtendedUsage,
        "Its certificate names no purpose. RFC 5280 lets that pass; where peers must not play each other's part, the purpose must stand there.",
        (spec, _) => spec with { ExtendedKeyUsages = [] }).With(demand: RequiredCheck.ExplicitPurpose);

    /// <summary>Is for anything.</summary>
    public static BadPeer AnyExtendedKeyUsage { get; } = BadPeer.Leaf(
        RejectionReason.WrongUsage,
        ExtendedUsage,
        "Its certificate is for any purpose at all, which is no purpose.",
        (spec, _) => spec with { ExtendedKeyUsages = [ExtendedKeyUsage.Any] }).With(demand: RequiredCheck.ExplicitPurpose);

    /// <summary>Is for signing programs.</summary>
    public static BadPeer CodeSigningCertificate { get; } = BadPeer.Leaf(
        RejectionReason.WrongUsage,
        ExtendedUsage,
        "Its certificate is for signing code, issued by the same authority to another department.",
        (spec, _) => spec with { ExtendedKeyUsages = [ExtendedKeyUsage.CodeSigning] });

    /// <summary>Is for answering OCSP.</summary>
    public static BadPeer OcspSigningCertificate { get; } = BadPeer.Leaf(
        RejectionReason.WrongUsage,
        ExtendedUsage,
        "It is the authority's OCSP responder, whose certificate is exempt from revocation.",
        (spec, _) => spec with { ExtendedKeyUsages = [ExtendedKeyUsage.OcspSigning], Extensions = [CertificateExtension.OcspNoCheck] });

    /// <summary>Beneath an intermediate that is for the other role.</summary>
    public static BadPeer IntermediateOfTheOtherRole { get; } = BadPeer.Under(
        RejectionReason.WrongUsage,
        ExtendedUsage + "; CA/B Baseline Requirements §7.1.2.10.6",
        "Its own usage is right, but its intermediate may issue for the other role only.",
        (spec, scene) => spec with { ExtendedKeyUsages = [scene.OtherUsage] },
        (spec, scene) => spec with { ExtendedKeyUsages = [scene.Usage] }).With(demand: RequiredCheck.StrictProfile);

    /// <summary>A key that may not sign.</summary>
    public static BadPeer KeyAgreementOnly { get; } = BadPeer.Leaf(
        RejectionReason.WrongUsage,
        "RFC 5280 §4.2.1.3; RFC 8446 §4.4.2.2",
        "Its key may be used for key agreement only, and signs the handshake all the same.",
        (spec, _) => spec with { KeyUsage = X509KeyUsageFlags.KeyAgreement }).With(demand: RequiredCheck.StrictProfile);

    /// <summary>A leaf that may sign certificates.</summary>
    public static BadPeer LeafWithCertSign { get; } = BadPeer.Leaf(
        RejectionReason.ProfileViolated,
        "RFC 5280 §4.2.1.3, §4.2.1.9; SPIFFE X509-SVID §4.3",
        "It says that it is no authority, and that its key may sign certificates.",
        (spec, _) => spec with { KeyUsage = X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign }).With(
            demand: RequiredCheck.StrictProfile);

    /// <summary>Without the policy that an authority above it demands.</summary>
    public static BadPeer PolicyMissing { get; } = new BadPeer(
        RejectionReason.PolicyRequired,
        "RFC 5280 §4.2.1.11, §6.1.3 (f)",
        "Its intermediate demands a certificate policy all along the path, and its own certificate has none.",
        scene =>
        {
            var intermediate = scene.Intermediate(spec => spec with
            {
                Policies = ["1.3.6.1.4.1.55555.2"],
                Extensions = [new CertificateExtension("2.5.29.36", true, new byte[] { 0x30, 0x03, 0x80, 0x01, 0x00 })],
            });
            return (scene.Leaf(issuer: intermediate), scene.Leaf(spec => spec with { Policies = ["1.3.6.1.4.1.55555.2"] }, intermediate));
        }).With("CVE-2023-0465: policy checks that were skipped without a word", demand: RequiredCheck.Policies);

    private static IEnumerable<BadPeer> Usages =>
    [
        ServerCertificateUsedAsClient,
        ClientCertificateUsedAsServer,
        NoExtendedKeyUsage,
        AnyExtendedKeyUsage,
        CodeSigningCertificate,
        OcspSigningCertificate,
        IntermediateOfTheOtherRole, KeyAgreementOnly, LeafWithCertSign, PolicyMissing,
    ];
}
