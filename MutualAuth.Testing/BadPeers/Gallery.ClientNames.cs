using System.Runtime.CompilerServices;

namespace MutualAuth.Testing.BadPeers;

public static partial class Gallery
{
    private const string Svid = "SPIFFE X509-SVID §2";

    /// <summary>Another peer, of the same authority.</summary>
    public static BadPeer AnotherClient { get; } = Client(
        "A good client of the same authority, that is not on the list.",
        (spec, scene) => spec with { Subject = "CN=other", DnsNames = ["other." + scene.Names.Client] }).With(
            "Servers that take authentication for authorization");

    /// <summary>The right name in the subject alone.</summary>
    public static BadPeer ClientNameInSubjectOnly { get; } = Client(
        "The accepted name is its common name, which no authority has checked, and is not among its DNS names.",
        (spec, scene) => spec with { Subject = scene.CommonName, DnsNames = ["other." + scene.Names.Client] });

    /// <summary>A wildcard that would cover the name.</summary>
    public static BadPeer WildcardClient { get; } = Client(
        "Its DNS name is a wildcard that covers the accepted one: wildcards are for servers.",
        (spec, scene) => spec with { DnsNames = ["*" + scene.Names.Client[LabelOf(scene.Names.Client).Length..]] });

    /// <summary>The accepted name, in front of another domain.</summary>
    public static BadPeer ClientNameAsPrefix { get; } = Client(
        "Its name begins with the accepted one and goes on.",
        (spec, scene) => spec with { DnsNames = [scene.Names.Client + ".evil.example"] });

    /// <summary>Two identities in one certificate.</summary>
    public static BadPeer TwoSpiffeIds { get; } = Spiffe(
        RejectionReason.NotAnSvid,
        Svid,
        "Its certificate carries two SPIFFE IDs, so that it can be whichever the reader finds first.",
        (spec, scene) => spec with { Uris = [scene.SpiffeId, $"spiffe://{scene.Names.TrustDomain}/admin"] }).With(
            "Implementations that took the first URI");

    /// <summary>A SPIFFE ID beside another URI.</summary>
    public static BadPeer SpiffeIdBesideOtherUri { get; } = Spiffe(
        RejectionReason.NotAnSvid,
        Svid,
        "Its certificate carries a SPIFFE ID and another URI; exactly one URI is allowed.",
        (spec, scene) => spec with { Uris = [scene.SpiffeId, "https://example.test/"] });

    /// <summary>No SPIFFE ID.</summary>
    public static BadPeer NoSpiffeId { get; } = Spiffe(
        RejectionReason.NotAnSvid,
        Svid,
        "Its certificate is good, and carries no SPIFFE ID.",
        (spec, _) => spec with { Uris = [] });

    /// <summary>A trust domain without a workload.</summary>
    public static BadPeer SpiffeIdWithoutPath { get; } = Spiffe(
        RejectionReason.NotAnSvid,
        "SPIFFE X509-SVID §5.2",
        "Its SPIFFE ID names the trust domain itself, which only its authorities may.",
        (spec, scene) => spec with { Uris = [$"spiffe://{scene.Names.TrustDomain}"] }).With("go-spiffe 375");

    /// <summary>A SPIFFE ID that is not well formed.</summary>
    public static BadPeer SpiffeIdWithQuery { get; } = Spiffe(
        RejectionReason.NotAnSvid,
        "SPIFFE-ID §2",
        "Its SPIFFE ID carries a query, which some parsers drop and others compare.",
        (spec, scene) => spec with { Uris = [scene.SpiffeId + "?role=admin"] });

    /// <summary>A path that climbs.</summary>
    public static BadPeer SpiffeIdWithDotSegments { get; } = Spiffe(
        RejectionReason.NotAnSvid,
        "SPIFFE-ID §2.2",
        "Its SPIFFE ID has dot segments in its path, which a URI library would resolve to another workload's.",
        (spec, scene) => spec with { Uris = [$"spiffe://{scene.Names.TrustDomain}/a/../client"] });

    /// <summary>Another trust domain.</summary>
    public static BadPeer SpiffeIdOfAnotherDomain { get; } = Spiffe(
        RejectionReason.NotAuthorized,
        "SPIFFE-ID §2.1",
        "Its SPIFFE ID is well formed, and of another trust domain.",
        (spec, _) => spec with { Uris = ["spiffe://other.test/client"] });

    /// <summary>A trust domain that begins like ours.</summary>
    public static BadPeer SpiffeIdOfALookAlikeDomain { get; } = Spiffe(
        RejectionReason.NotAuthorized,
        "SPIFFE-ID §2.1",
        "Its trust domain begins with the accepted one and goes on: a judge that compares prefixes accepts it.",
        (spec, scene) => spec with { Uris = [$"spiffe://{scene.Names.TrustDomain}.evil.test/client"] });

    private static IEnumerable<BadPeer> ClientNames =>
    [
        AnotherClient, ClientNameInSubjectOnly, WildcardClient, ClientNameAsPrefix, TwoSpiffeIds, SpiffeIdBesideOtherUri, NoSpiffeId,
        SpiffeIdWithoutPath,
        SpiffeIdWithQuery, SpiffeIdWithDotSegments, SpiffeIdOfAnotherDomain, SpiffeIdOfALookAlikeDomain,
    ];

    private static BadPeer Client(
        string story, Func<CertificateSpec, BadPeerBuilder, CertificateSpec> wrong, [CallerMemberName] string name = "") =>
        BadPeer.Leaf(RejectionReason.NotAuthorized, "RFC 5280 §4.2.1.6", story, wrong, name: name).With(
            demand: RequiredCheck.DnsName, onlyAs: PeerRole.Client);

    private static BadPeer Spiffe(
        RejectionReason reason,
        string rule,
        string story,
        Func<CertificateSpec, BadPeerBuilder, CertificateSpec> wrong,
        [CallerMemberName] string name = "") =>
        BadPeer.Leaf(reason, rule, story, wrong, name: name).With(demand: RequiredCheck.SpiffeId);
}
