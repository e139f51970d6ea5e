using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;

namespace MutualAuth.Testing.BadPeers;

public static partial class Gallery
{
    private const string NameRule = "RFC 9525 §6.3";

    /// <summary>Another server.</summary>
    public static BadPeer WrongServerName { get; } = Named(
        "A good server of the same authority, whose name is not the one that was dialled.",
        (spec, scene) => spec with { Subject = "CN=other", DnsNames = ["other." + scene.Names.Server] }).With(
            "CVE-2012-5783, and every client that stops at the path");

    /// <summary>The name stands in the subject alone.</summary>
    public static BadPeer CommonNameOnly { get; } = Named(
        "The dialled name is its common name, and its certificate has no DNS name.",
        (spec, scene) => spec with { Subject = scene.CommonName, DnsNames = [] }).With("Platform validators that fall back to the common name");

    /// <summary>The name stands in the subject, another one where it counts.</summary>
    public static BadPeer CommonNameBesideOtherName { get; } = Named(
        "The dialled name is its common name; its DNS names are others.",
        (spec, scene) => spec with { Subject = scene.CommonName, DnsNames = ["other." + scene.Names.Server] });

    /// <summary>A wildcard over two labels.</summary>
    public static BadPeer WildcardOverTwoLabels { get; } = Wild(
        "Its wildcard would have to stand for two labels.",
        "a.b.{0}",
        "*.{0}",
        "*.b.{0}");

    /// <summary>A wildcard for part of a label.</summary>
    public static BadPeer PartialWildcard { get; } = Wild("Its wildcard stands for a part of a label.", "www.{0}", "w*.{0}", "*.{0}");

    /// <summary>A wildcard that is not on the left.</summary>
    public static BadPeer WildcardInTheMiddle { get; } = Wild("Its wildcard is not the left-most label.", "www.a.{0}", "www.*.{0}", "*.a.{0}");

    /// <summary>A wildcard for everything.</summary>
    public static BadPeer BareWildcard { get; } = Wild("Its name is one asterisk.", "{0}", "*", "{0}");

    /// <summary>A wildcard over a whole top-level domain.</summary>
    public static BadPeer WildcardOverPublicSuffix { get; } = Wild(
        "Its wildcard claims every name directly below a top-level domain.",
        "gallery.example",
        "*.example",
        "gallery.example");

    /// <summary>A wildcard that would cover the name's own parent.</summary>
    public static BadPeer WildcardForItsParent { get; } = Wild(
        "Its wildcard covers the names below the dialled one, and not that name itself.", "{0}", "*.{0}", "{0}");

    /// <summary>A name with a NUL in it.</summary>
    public static BadPeer NulInName { get; } = Named(
        "Its name is the dialled one, a NUL and a domain of its own: software in C stops reading at the NUL, and the authority checked the end.",
        (spec, scene) => spec with { DnsNames = [scene.Names.Server + "\0.evil.example"] }).With("CVE-2009-2408");

    /// <summary>A name that looks the same.</summary>
    public static BadPeer HomographName { get; } = Named(
        "One letter of its name is a Cyrillic one that looks like the Latin one, written as an A-label as it should be.",
        (spec, scene) => spec with { DnsNames = [HomographOf(scene.Names.Server)] });

    /// <summary>A name beyond ASCII.</summary>
    public static BadPeer NameBeyondAscii { get; } = BadPeer.Leaf(
        RejectionReason.CertificateMalformed,
        "RFC 5280 §7.2",
        "Its DNS name holds a Cyrillic letter as it is, where only ASCII is allowed.",
        (spec, scene) => spec with { DnsNames = ["ѕ" + scene.Name[1..]] }).With(demand: RequiredCheck.StrictEncoding);

    /// <summary>The dialled name in front of a domain of its own.</summary>
    public static BadPeer NameAsPrefix { get; } = Named(
        "Its name begins with the dialled one and goes on.",
        (spec, scene) => spec with { DnsNames = [scene.Names.Server + ".evil.example"] });

    /// <summary>The dialled name at the end of a longer label.</summary>
    public static BadPeer NameAsSuffix { get; } = Named(
        "Its name ends with the dialled one, without a dot in between.",
        (spec, scene) => spec with { DnsNames = ["evil" + scene.Names.Server] });

    /// <summary>The name as a URI.</summary>
    public static BadPeer NameInUriOnly { get; } = Named(
        "The dialled name stands in a URI of its certificate, and in no DNS name.",
        (spec, scene) => spec with { DnsNames = [], Uris = [scene.SpiffeId, $"https://{scene.Names.Server}/"] }).With("CVE-2021-44531");

    /// <summary>An address written as a DNS name.</summary>
    public static BadPeer AddressAsDnsName { get; } = Addressed(
        "An address was dialled, and stands in its certificate as a DNS name.",
        spec => spec with { DnsNames = ["192.0.2.1"] });

    /// <summary>A wildcard over addresses.</summary>
    public static BadPeer WildcardOverAddresses { get; } = Addressed(
        "An address was dialled, and its certificate has a wildcard that would cover it.",
        spec => spec with { DnsNames = ["*.0.2.1"] }).With("CVE-2010-3170");

    /// <summary>Another address.</summary>
    public static BadPeer WrongAddress { get; } = Addressed(
        "An address was dialled, and its certificate has another.", spec => spec with { IPAddresses = [IPAddress.Parse("192.0.2.2")] });

    private static IEnumerable<BadPeer> ServerNames =>
    [
        WrongServerName, CommonNameOnly, CommonNameBesideOtherName, WildcardOverTwoLabels, PartialWildcard, WildcardInTheMiddle, BareWildcard,
        WildcardOverPublicSuffix,
        WildcardForItsParent, NulInName, HomographName, NameBeyondAscii, NameAsPrefix, NameAsSuffix, NameInUriOnly, AddressAsDnsName,
        WildcardOverAddresses, WrongAddress,
    ];

    private static string LabelOf(string name) => name.Split('.')[0];

    /// <summary>The name with a Cyrillic letter in front, as an A-label (RFC 5890 §2.3.2.1).</summary>
    private static string HomographOf(string name)
    {
        var label = LabelOf(name);
        try
        {
            return new IdnMapping().GetAscii("ѕ" + label[1..]) + name[label.Length..];
        }
        catch (ArgumentException)
        {
            return $"xn--{label[1..]}-7of{name[label.Length..]}"; // A label that is too long already has no A-label, but one that looks like it.
        }
    }

    private static BadPeer Named(
        string story, Func<CertificateSpec, BadPeerBuilder, CertificateSpec> wrong, [CallerMemberName] string name = "") =>
        BadPeer.Leaf(RejectionReason.ServerNameMismatch, NameRule, story, wrong, name: name).With(
            demand: RequiredCheck.ServerName, onlyAs: PeerRole.Server);

    private static BadPeer Wild(
        string story, string dialled, string wrong, string right, [CallerMemberName] string name = "") => new BadPeer(
        RejectionReason.ServerNameMismatch,
        NameRule,
        story,
        scene =>
        {
            string Fill(string pattern) => pattern.Replace("{0}", scene.Names.Server, StringComparison.Ordinal);
            scene.DialledName = Fill(dialled);
            return (scene.Leaf(spec => spec with { DnsNames = [Fill(wrong)] }), scene.Leaf(spec => spec with { DnsNames = [Fill(right)] }));
        },
        name).With(demand: RequiredCheck.ServerName, onlyAs: PeerRole.Server);

    private static BadPeer Addressed(
        string story, Func<CertificateSpec, CertificateSpec> wrong, [CallerMemberName] string name = "") => new BadPeer(
        RejectionReason.ServerNameMismatch,
        "RFC 9525 §6.4",
        story,
        scene =>
        {
            scene.DialledName = "192.0.2.1";
            return (scene.Leaf(wrong), scene.Leaf(spec => spec with { IPAddresses = [IPAddress.Parse("192.0.2.1")] }));
        },
        name).With(demand: RequiredCheck.ServerName, onlyAs: PeerRole.Server);
}
