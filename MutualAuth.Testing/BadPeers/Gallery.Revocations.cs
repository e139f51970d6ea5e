using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using MutualAuth.Testing.Revocation;

namespace MutualAuth.Testing.BadPeers;

public static partial class Gallery
{
    private const string CrlRule = "RFC 5280 §6.3.3";

    /// <summary>Revoked.</summary>
    public static BadPeer RevokedLeaf { get; } = new BadPeer(
        RejectionReason.CertificateRevoked,
        CrlRule,
        "Its key was stolen, and its authority has revoked the certificate.",
        scene =>
        {
            var (bad, good) = (scene.Leaf(), scene.Leaf());
            scene.Crls.Add(CrlOf(scene.Root, bad));
            return (bad, good);
        }).With("Heartbleed, 2014: stolen keys by the million", RequiredCheck.Revocation);

    /// <summary>Beneath an intermediate that was revoked.</summary>
    public static BadPeer RevokedIntermediate { get; } = new BadPeer(
        RejectionReason.CertificateRevoked,
        CrlRule,
        "Its own certificate is on no list, but the root has revoked the intermediate above it.",
        scene =>
        {
            var (lost, kept) = (scene.Intermediate(name: "Lost Intermediate"), scene.Intermediate(name: "Kept Intermediate"));
            scene.Crls.AddRange([CrlOf(scene.Root, lost.AsCertificate), CrlOf(lost), CrlOf(kept)]);
            return (scene.Leaf(issuer: lost), scene.Leaf(issuer: kept));
        }).With("DigiNotar and Comodo, 2011", RequiredCheck.Revocation);

    /// <summary>Revoked by a list that has an ML-DSA signature, in a path of both kinds of algorithm.</summary>
    public static BadPeer RevokedByMLDsaList { get; } = new BadPeer(
        RejectionReason.CertificateRevoked,
        CrlRule,
        "An intermediate with an ML-DSA-65 key, beneath the trusted root, has revoked its certificate: who cannot read that list must not accept it.",
        scene =>
        {
            var issuing = scene.Intermediate(spec => spec with { KeyAlgorithm = KeyAlgorithm.MLDsa65 });
            var (bad, good) = (scene.Leaf(issuer: issuing), scene.Leaf(issuer: System.Security.Cryptography.MLDsa.IsSupported ? issuing : null));
            scene.Crls.AddRange([CrlOf(scene.Root), CrlOf(issuing, bad)]);
            return (bad, good);
        }).With(demand: RequiredCheck.Revocation, needsMLDsa: true);

    /// <summary>Put on hold.</summary>
    public static BadPeer SuspendedLeaf { get; } = new BadPeer(
        RejectionReason.CertificateRevoked,
        "RFC 5280 §5.3.1",
        "Its certificate is on hold, which is not revoked for ever, and not good today either.",
        scene =>
        {
            var (bad, good) = (scene.Leaf(), scene.Leaf());
            scene.Crls.Add(scene.Root.IssueCrl(spec => spec with
            {
                Revoked = [new RevokedCertificate(bad.SerialNumber, scene.Now.AddHours(-2), X509RevocationReason.CertificateHold)],
            }));
            return (bad, good);
        }).With(demand: RequiredCheck.Revocation);

    /// <summary>Beneath an authority of whose list there is none.</summary>
    public static BadPeer NoRevocationList { get; } = Uncovered(
        "Its intermediate publishes no revocation list: what is not known to be good is refused.",
        (_, _) => null);

    /// <summary>Beneath an authority whose list has expired.</summary>
    public static BadPeer StaleRevocationList { get; } = Uncovered(
        "The last list of its intermediate expired yesterday: an attacker may be holding the next one back.",
        (authority, scene) => authority.IssueCrl(spec => spec with { ThisUpdate = scene.Now.AddDays(-9), NextUpdate = scene.Now.AddDays(-1) }));

    /// <summary>Beneath an authority whose list another authority has signed.</summary>
    public static BadPeer ForgedRevocationList { get; } = Uncovered(
        "Another key has signed its intermediate's list, which no longer mentions it.",
        (authority, scene) => authority.IssueCrl(spec => spec with { SigningKey = scene.Root.StrangeKey() }));

    /// <summary>Beneath an authority whose list speaks of authorities only.</summary>
    public static BadPeer RevocationListForOthers { get; } = Uncovered(
        "Its intermediate's list speaks of authorities only: that it is not on it says nothing.",
        (authority, _) => authority.IssueCrl(
            spec => spec with { IssuingDistributionPoint = new IssuingDistributionPoint { OnlyAuthorities = true } }));

    private static IEnumerable<BadPeer> Revocations =>
        [
            RevokedLeaf, RevokedIntermediate, RevokedByMLDsaList, SuspendedLeaf, NoRevocationList, StaleRevocationList, ForgedRevocationList,
            RevocationListForOthers,
        ];

    private static BadPeer Uncovered(
        string story, Func<TestAuthority, BadPeerBuilder, TestCrl?> list, [CallerMemberName] string name = "") => new BadPeer(
        RejectionReason.RevocationStatusUnknown,
        CrlRule,
        story,
        scene =>
        {
            var (wrong, right) = (scene.Intermediate(name: "Unlisted Intermediate"), scene.Intermediate(name: "Listed Intermediate"));
            scene.Crls.AddRange([CrlOf(scene.Root), CrlOf(right)]);
            if (list(wrong, scene) is { } crl)
            {
                scene.Crls.Add(crl);
            }

            return (scene.Leaf(issuer: wrong), scene.Leaf(issuer: right));
        },
        name).With(demand: RequiredCheck.Revocation);

    // The trusted authority is the caller's: what is revoked for an exhibit stands in a list of its own, and not in the authority's.
    private static TestCrl CrlOf(TestAuthority authority, params TestCertificate[] revoked) => authority.IssueCrl(spec => spec with
    {
        Revoked =
            [.. revoked.Select(certificate => new RevokedCertificate(certificate.SerialNumber, spec.ThisUpdate, X509RevocationReason.KeyCompromise))],
    });
}
