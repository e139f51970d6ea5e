namespace MutualAuth.Testing.BadPeers;

public static partial class Gallery
{
    private const string Validity = "RFC 5280 §4.1.2.5";

    /// <summary>Out of date since yesterday.</summary>
    public static BadPeer ExpiredLeaf { get; } = BadPeer.Leaf(
        RejectionReason.CertificateExpired,
        Validity,
        "Its certificate expired yesterday, and was not renewed.",
        (spec, scene) => spec with { NotBefore = scene.Now.AddDays(-30), NotAfter = scene.Now.AddDays(-1) });

    /// <summary>Out of date by one second.</summary>
    public static BadPeer ExpiredASecondAgo { get; } = BadPeer.Leaf(
        RejectionReason.CertificateExpired,
        Validity,
        "Its certificate expired a second ago: nothing is added to the end of validity.",
        (spec, scene) => spec with { NotAfter = scene.Now.AddSeconds(-1) },
        (spec, scene) => spec with { NotAfter = scene.Now.AddMinutes(10) });

    /// <summary>Not valid until tomorrow.</summary>
    public static BadPeer NotYetValidLeaf { get; } = BadPeer.Leaf(
        RejectionReason.CertificateNotYetValid,
        Validity,
        "Its certificate begins tomorrow, as after a renewal by a machine whose clock is wrong.",
        (spec, scene) => spec with { NotBefore = scene.Now.AddDays(1) });

    /// <summary>A good leaf under an intermediate that has expired.</summary>
    public static BadPeer ExpiredIntermediate { get; } = BadPeer.Under(
        RejectionReason.CertificateExpired,
        Validity + ", §6.1.3",
        "Its own certificate is valid, but the intermediate above it has expired.",
        (spec, scene) => spec with { NotBefore = scene.Now.AddDays(-30), NotAfter = scene.Now.AddDays(-1) }).With(
            "The expiry of AddTrust External CA Root, May 2020, which old validators met in the middle of good chains");

    /// <summary>A good leaf under an intermediate that is not valid yet.</summary>
    public static BadPeer NotYetValidIntermediate { get; } = BadPeer.Under(
        RejectionReason.CertificateNotYetValid,
        Validity + ", §6.1.3",
        "Its own certificate is valid, but the intermediate above it begins tomorrow.",
        (spec, scene) => spec with { NotBefore = scene.Now.AddDays(1) });

    /// <summary>Expired in the last century, written with two digits of the year.</summary>
    public static BadPeer ExpiredInTheLastCentury { get; } = BadPeer.Leaf(
        RejectionReason.CertificateExpired,
        "RFC 5280 §4.1.2.5.1",
        "Its certificate ended in 1999, which UTCTime writes as 99: a reader that knows only this century takes it for 2099.",
        (spec, _) => spec with { NotBefore = new(1998, 1, 1, 0, 0, 0, TimeSpan.Zero), NotAfter = new(1999, 1, 1, 0, 0, 0, TimeSpan.Zero) });

    private static IEnumerable<BadPeer> Dates =>
        [ExpiredLeaf, ExpiredASecondAgo, NotYetValidLeaf, ExpiredIntermediate, NotYetValidIntermediate, ExpiredInTheLastCentury];
}
