namespace MutualAuth.Testing.BadPeers;

public static partial class Gallery
{
    /// <summary>A certificate of 200 KB.</summary>
    public static BadPeer HugeCertificate { get; } = BadPeer.Leaf(
        RejectionReason.CertificateTooLarge,
        "A bound of the implementation",
        "Its certificate carries a comment of 200,000 octets: a judge that parses first and counts later does unlimited work for strangers.",
        (spec, _) => spec with { Extensions = [Comment(200_000)] },
        (spec, _) => spec with { Extensions = [Comment(200)] }).With(demand: RequiredCheck.Bounds);

    /// <summary>Sixty certificates.</summary>
    public static BadPeer TooManyCertificates { get; } = new BadPeer(
        RejectionReason.TooManyCertificates,
        "RFC 8446 §4.4.2; a bound of the implementation",
        "It sends sixty certificates, of which one would do.",
        scene =>
        {
            var stranger = scene.Stranger();
            var leaf = scene.Leaf();
            return (
                scene.WithChain(leaf, Enumerable.Repeat(stranger.AsCertificate.RawCertificate, 60)),
                scene.WithChain(leaf, stranger.AsCertificate.RawCertificate));
        }).With(demand: RequiredCheck.Bounds);

    /// <summary>Authorities that certify each other in every way.</summary>
    public static BadPeer CrossSignedThicket { get; } = new BadPeer(
        RejectionReason.BudgetExceeded,
        "RFC 4158 §2.4; a bound of the implementation",
        "Fourteen authorities with one name have certified each other, and none of them leads to the root: naive search tries every order of them.",
        scene =>
        {
            var stranger = scene.Stranger(spec => spec with { Subject = "CN=Thicket" });
            var thicket = new List<TestAuthority> { stranger };
            while (thicket.Count < 14)
            {
                thicket.Add(
                    scene.Intermediate(
                        spec => spec with { Key = thicket.Count % 2 == 0 ? stranger.AsCertificate.Key : null }, thicket[^1], "Thicket"));
            }

            var leaf = scene.Leaf(issuer: thicket[^1]);
            return (scene.WithChain(leaf, thicket.Select(authority => authority.AsCertificate.RawCertificate)), scene.Leaf());
        }).With("CVE-2018-16875");

    /// <summary>Constraints and names by the hundred.</summary>
    public static BadPeer NameConstraintFlood { get; } = new BadPeer(
        RejectionReason.BudgetExceeded,
        "RFC 5280 §6.1.3 (b)(c); a bound of the implementation",
        "Its intermediate has twelve hundred name constraints and its certificate twelve hundred names, each of which must be compared with each.",
        scene =>
        {
            var flood = scene.Intermediate(spec => spec with
            {
                NameConstraints = new NameConstraints { Excluded = [.. Enumerable.Range(0, 1200).Select(n => GeneralName.Dns($"x{n}.example"))] },
            });
            return (
                scene.Leaf(spec => spec with { DnsNames = [.. spec.DnsNames, .. Enumerable.Range(0, 1200).Select(n => $"n{n}.test")] }, flood),
                scene.Leaf(issuer: flood));
        }).With("CVE-2024-34702, and the certificates of x509-limbo's pathological chapter", demand: RequiredCheck.Bounds);

    private static IEnumerable<BadPeer> Excess => [HugeCertificate, TooManyCertificates, CrossSignedThicket, NameConstraintFlood];

    private static CertificateExtension Comment(int octets) =>
        new("2.16.840.1.113730.1.13", false, new Org.BouncyCastle.Asn1.DerIA5String(new string('x', octets)).GetDerEncoded());
}
