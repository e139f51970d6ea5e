using System.Net;
using System.Runtime.CompilerServices;

namespace MutualAuth.Testing.BadPeers;

public static partial class Gallery
{
    /// <summary>A DNS name outside what its authority may certify.</summary>
    public static BadPeer OutsidePermittedDns { get; } = Constrained(
        "Its intermediate may certify names of another domain only.",
        (_, _) => new NameConstraints { Permitted = [GeneralName.Dns("elsewhere.example")] },
        (_, scene) => new NameConstraints { Permitted = [GeneralName.Dns(scene.Name)] });

    /// <summary>A DNS name that its authority may not certify.</summary>
    public static BadPeer InsideExcludedDns { get; } = Constrained(
        "Its intermediate may certify everything but names of the very domain that it claims.",
        (_, scene) => new NameConstraints { Excluded = [GeneralName.Dns(scene.Name)] },
        (_, _) => new NameConstraints { Excluded = [GeneralName.Dns("elsewhere.example")] });

    /// <summary>A URI outside what its authority may certify.</summary>
    public static BadPeer OutsidePermittedUri { get; } = Constrained(
        "Its intermediate may certify URIs of another host only, and it carries a SPIFFE ID of this one.",
        (_, _) => new NameConstraints { Permitted = [GeneralName.Uri("elsewhere.example")] },
        (_, scene) => new NameConstraints { Permitted = [GeneralName.Uri(scene.Names.TrustDomain)] }).With(
            "Federated trust domains that certify each other's workloads");

    /// <summary>An address outside what its authority may certify.</summary>
    public static BadPeer OutsidePermittedAddress { get; } = Constrained(
        "Its intermediate may certify addresses of one network only, and it carries an address of another.",
        (_, _) => new NameConstraints { Permitted = [GeneralName.AddressRange(IPNetwork.Parse("10.0.0.0/8"))] },
        (_, _) => new NameConstraints { Permitted = [GeneralName.AddressRange(IPNetwork.Parse("192.0.2.0/24"))] },
        spec => spec with { IPAddresses = [IPAddress.Parse("192.0.2.7")] });

    /// <summary>An e-mail address outside what its authority may certify.</summary>
    public static BadPeer OutsidePermittedEmail { get; } = Constrained(
        "Its intermediate may certify mailboxes of one host only, and it carries one of another.",
        (_, _) => new NameConstraints { Permitted = [GeneralName.Email("elsewhere.example")] },
        (_, _) => new NameConstraints { Permitted = [GeneralName.Email("gallery.test")] },
        spec => spec with { EmailAddresses = ["peer@gallery.test"] }).With("CVE-2022-3602: the code for this very case overflowed");

    /// <summary>A subject outside what its authority may certify.</summary>
    public static BadPeer OutsidePermittedSubject { get; } = Constrained(
        "Its intermediate may certify subjects of one organisation only, and its subject belongs to another.",
        (_, _) => new NameConstraints { Permitted = [GeneralName.Directory("O=Elsewhere")] },
        (_, _) => new NameConstraints { Permitted = [GeneralName.Directory("O=Gallery")] },
        spec => spec with { Subject = "CN=peer,O=Gallery" }).With(demand: RequiredCheck.PlatformLimit);

    /// <summary>Constrained by an authority further up.</summary>
    public static BadPeer ConstrainedFromAbove { get; } = new BadPeer(
        RejectionReason.NameConstraintViolated,
        NameConstraintRule,
        "Not its issuer but the authority above that one is constrained: constraints hold for everything below.",
        scene =>
        {
            // Java takes the common name of a certificate without alternative names for a DNS name, where it can be one.
            const string Lower = "Lower Intermediate";
            var wrong = scene.Intermediate(
                spec => spec with { NameConstraints = new NameConstraints { Permitted = [GeneralName.Dns("elsewhere.example")] } });
            var right = scene.Intermediate(spec => spec with { NameConstraints = new NameConstraints { Permitted = [GeneralName.Dns(scene.Name)] } });
            return (
                scene.Leaf(issuer: scene.Intermediate(issuer: wrong, name: Lower)),
                scene.Leaf(issuer: scene.Intermediate(issuer: right, name: Lower)));
        }).With("golang 59171: constraints applied to the wrong certificate");

    /// <summary>A second name that its authority may not certify, beside a good one.</summary>
    public static BadPeer SecondNameOutside { get; } = Constrained(
        "Its first name is within what its intermediate may certify, its second is not.",
        (_, scene) => new NameConstraints { Permitted = [GeneralName.Dns(scene.Name)] },
        (_, scene) => new NameConstraints { Permitted = [GeneralName.Dns(scene.Name), GeneralName.Dns("elsewhere.example")] },
        spec => spec with { DnsNames = [.. spec.DnsNames, "www.elsewhere.example"] });

    private const string NameConstraintRule = "RFC 5280 §4.2.1.10, §6.1.3 (b)(c)";

    private static IEnumerable<BadPeer> NameConstraintsChapter =>
    [
        OutsidePermittedDns, InsideExcludedDns, OutsidePermittedUri, OutsidePermittedAddress, OutsidePermittedEmail, OutsidePermittedSubject,
        ConstrainedFromAbove,
        SecondNameOutside,
    ];

    private static BadPeer Constrained(
        string story,
        Func<CertificateSpec, BadPeerBuilder, NameConstraints> wrong,
        Func<CertificateSpec, BadPeerBuilder, NameConstraints> right,
        Func<CertificateSpec, CertificateSpec>? leaf = null,
        [CallerMemberName] string name = "") => new(
        RejectionReason.NameConstraintViolated,
        NameConstraintRule,
        story,
        scene => (
            scene.Leaf(leaf, scene.Intermediate(spec => spec with { NameConstraints = wrong(spec, scene) })),
            scene.Leaf(leaf, scene.Intermediate(spec => spec with { NameConstraints = right(spec, scene) }))),
        name);
}
