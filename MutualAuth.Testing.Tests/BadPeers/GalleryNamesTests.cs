using System.Security.Cryptography.X509Certificates;
using MutualAuth.Testing.BadPeers;

namespace MutualAuth.Testing.Tests.BadPeers;

/// <summary>The good neighbours may be called anything: every exhibit is made, and carries the name as it is.</summary>
public sealed class GalleryNamesTests
{
    private const string Long = "a-service-with-a-very-long-name.of-a-namespace-with-a-long-name.cluster-7.example.test";

    private static readonly TestAuthority s_authority = new("Gallery Root");

    [TestCase("a,b")]
    [TestCase("a,b.test")]
    [TestCase("say \"hello\".test")]
    [TestCase("a+b=c.test")]
    [TestCase("#1.test")]
    [TestCase("back\\slash.test")]
    [TestCase("<a>;b.test")]
    [TestCase(" spaces .test ")]
    [TestCase("localhost")]
    [TestCase("x")]
    [TestCase("xx.test")]
    [TestCase("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [TestCase(Long)]
    public void Every_exhibit_is_made_and_its_good_neighbour_has_the_name(string name) => EveryExhibitHas(name, name);

    [TestCase("bücher.test", "xn--bcher-kva.test")]
    [TestCase("例え.テスト", "xn--r8jz45g.xn--zckzah")]
    [TestCase("STRASSE.Ä.test", "strasse.xn--4ca.test")]
    public void A_name_in_another_script_is_issued_as_its_A_labels(string name, string issued) => EveryExhibitHas(name, issued);

    public static IEnumerable<TestCaseData> Verdicts() =>
        from name in (string[])[Long, "xn--bcher-kva.test", "bücher.test", "xx.test"]
        from each in GalleryTests.Cases()
        select new TestCaseData(name, each.Arguments[0], each.Arguments[1]).SetArgDisplayNames(name, $"{each.Arguments[0]}", $"{each.Arguments[1]}");

    [TestCaseSource(nameof(Verdicts))]
    public void The_verdicts_are_the_same_under_every_name(string name, BadPeer peer, PeerRole role)
    {
        using var exhibit = peer.Make(s_authority, role, new GalleryNames { Client = name, Server = name });

        GalleryTests.ShouldBeJudgedRightly(exhibit, role, s_authority, name == "bücher.test" ? "xn--bcher-kva.test" : name);
    }

    [TestCase("")]
    [TestCase(null)]
    public void A_peer_without_a_name_is_refused(string? name)
    {
        var making = () => Gallery.ExpiredLeaf.Make(s_authority, PeerRole.Client, new GalleryNames { Client = name! });

        making.Should().Throw<ArgumentException>();
    }

    private static void EveryExhibitHas(string name, string issued)
    {
        foreach (var (peer, role) in GalleryTests.Cases().Select(each => ((BadPeer)each.Arguments[0]!, (PeerRole)each.Arguments[1]!)))
        {
            using var exhibit = peer.Make(s_authority, role, new GalleryNames { Client = name, Server = name });

            // Exhibits about wildcards and addresses dial and have names of their own, which are made of this one.
            var names = exhibit.Good.Spec.DnsNames;
            names.Should().Contain(each => each.EndsWith(issued, StringComparison.Ordinal) || exhibit.DialledName == each, peer.Name);
            exhibit.DialledName.Should().Match(
                dialled => role == PeerRole.Client || dialled.EndsWith(issued, StringComparison.Ordinal) || dialled == names[0]
                    || dialled == "192.0.2.1",
                peer.Name);
            using var good = X509CertificateLoader.LoadCertificate(exhibit.Good.RawCertificate.Span);
            var common = good.SubjectName.EnumerateRelativeDistinguishedNames().Select(part => part.GetSingleElementValue()).ToArray();
            common.Should().BeEquivalentTo(
                peer == Gallery.OutsidePermittedSubject ? ["peer", "Gallery"] : issued.Length > 64 ? [] : new[] { issued }, peer.Name);
        }
    }
}
